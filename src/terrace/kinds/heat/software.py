"""Software of OpenStack Heat: configurations, and what is run inside servers."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import REQUIRED_TEXT, TEXT, entry, ignored, renamed
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.kinds.software.config import INPUT, OUTPUT, MultipartMime
from terrace.kinds.software.deployment import SETTINGS

_AGENT = "it tells an agent in the guest how to answer; Terrace itself runs the script and sees how it ends"
_CONFIG: Final = {
    "config": Property(Type.ANY),
    "group": TEXT,
    "inputs": Property(Type.LIST, items=INPUT),
    "outputs": Property(Type.LIST, items=OUTPUT),
    "options": Property(Type.MAP),
}
_COMPONENT: Final = {
    **{name: prop for name, prop in _CONFIG.items() if name not in ("config", "group")},
    "configs": Property(
        Type.LIST,
        required=True,
        items=Property(
            Type.MAP,
            properties={
                "actions": Property(
                    Type.LIST,
                    default=["CREATE", "UPDATE"],
                    items=Property(Type.STRING, allowed=("CREATE", "UPDATE", "DELETE", "SUSPEND", "RESUME")),
                ),
                "config": Property(Type.ANY),
                "tool": REQUIRED_TEXT,
            },
        ),
    ),
}
_DEPLOYED: Final = {
    "config": Property(Type.ANY),
    "input_values": Property(Type.MAP),
    "actions": SETTINGS["actions"],
    "name": TEXT,
    **ignored("signal_transport", _AGENT),
}
_STRUCTURED: Final = {
    "input_key": SETTINGS["input_key"],
    **ignored("input_values_validate", "an input that is not given is empty"),
}
_ONE: Final = {"server": REQUIRED_TEXT}
_MANY: Final = {"servers": Property(Type.MAP, required=True)}


def _config(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {name: name for name in _CONFIG})


def _component(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {name: name for name in ("inputs", "outputs", "options")})
    parts = properties.get("configs")
    if isinstance(parts, list):
        parts = [
            {"actions": ["CREATE", "UPDATE"], **part} if isinstance(part, dict) else part for part in parts
        ]
    return {**native, "group": "component", "config": {"configs": parts}}


def _mime(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"parts": "parts"})


def _cloud(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"cloud_config": "cloud_config"})


def _deployment(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("config", "actions", "name", "input_key", "servers")
    return renamed(
        properties, {name: name for name in names} | {"server": "machine", "input_values": "inputs"}
    )


def _server(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name", "metadata": "metadata"})


_RESULTS = "deploy_stdout deploy_stderr deploy_status_code"


def _deploys(name: str, kind: str, properties: dict[str, Property], attributes: str) -> TypeEntry:
    """A type whose outputs are attributes too."""
    return TypeEntry(
        name,
        kind,
        properties,
        {one: one for one in attributes.split()},
        _deployment,
        any_attribute=True,
        description=f"Answers to Heat's {name}.",
    )


SOFTWARE: Final[tuple[TypeEntry, ...]] = (
    entry("OS::Heat::SoftwareConfig", "SoftwareConfig", _CONFIG, "config", _config),
    entry(
        "OS::Heat::StructuredConfig",
        "SoftwareConfig",
        _CONFIG,
        "config",
        _config,
    ),
    entry("OS::Heat::SoftwareComponent", "SoftwareConfig", _COMPONENT, "config", _component),
    entry("OS::Heat::CloudConfig", "CloudConfig", {"cloud_config": Property(Type.MAP)}, "config", _cloud),
    entry(
        "OS::Heat::MultipartMime",
        "MultipartMime",
        {"parts": MultipartMime.schema.properties["parts"], **ignored("group", "it is for machines to read")},
        "config",
        _mime,
    ),
    _deploys("OS::Heat::SoftwareDeployment", "SoftwareDeployment", {**_DEPLOYED, **_ONE}, _RESULTS),
    _deploys(
        "OS::Heat::StructuredDeployment",
        "SoftwareDeployment",
        {**_DEPLOYED, **_ONE, **_STRUCTURED},
        _RESULTS,
    ),
    *(
        _deploys(
            f"OS::Heat::{name}",
            "SoftwareDeploymentGroup",
            {**_DEPLOYED, **_MANY, **(_STRUCTURED if name.startswith("Structured") else {})},
            "deploy_stdouts deploy_stderrs deploy_status_codes",
        )
        for name in (
            "SoftwareDeploymentGroup",
            "StructuredDeploymentGroup",
            "SoftwareDeployments",
            "StructuredDeployments",
        )
    ),
    entry(
        "OS::Heat::DeployedServer",
        "DeployedServer",
        {
            "name": TEXT,
            "metadata": Property(Type.MAP),
            **ignored("deployment_swift_data software_config_transport", _AGENT),
        },
        "name",
        _server,
    ),
)
