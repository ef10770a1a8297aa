"""Configurations for guests. They are only kept: a machine's user_data or a deployment refers to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.kinds.software.text import cloud_config, multipart
from terrace.model.graph import Node
from terrace.model.spec.software import ConfigSpec
from terrace.ports.driver import Capabilities

INPUT = Property(
    Type.MAP,
    properties={
        "name": Property(Type.STRING, "Its name.", required=True, minimum=1),
        "description": Property(Type.STRING, "For people."),
        "type": Property(
            Type.STRING,
            "What it must be.",
            default="String",
            allowed=("String", "Number", "Boolean", "CommaDelimitedList", "Json"),
        ),
        "default": Property(Type.ANY, "Its value when none is given."),
        "replace_on_change": Property(
            Type.BOOLEAN, "Whether a new value makes a new deployment.", default=False
        ),
    },
)
OUTPUT = Property(
    Type.MAP,
    properties={
        "name": Property(Type.STRING, "Its name.", required=True, pattern=r"[^/\0]{1,255}"),
        "description": Property(Type.STRING, "For people."),
        "type": INPUT.properties["type"],
        "error_output": Property(Type.BOOLEAN, "Whether it means failure that there is one.", default=False),
    },
)
GIVES = {
    "config": "The configuration: a text or a map.",
    "id": "Its id.",
    "group": "What runs it.",
}


Thing = Callable[[str], Mapping[str, Any] | None]


def resolved(values: Any, name: str, thing: Thing) -> Any:
    """`values` (a map) with the reference id at `name` replaced by the configuration it stands for."""
    reference = values.get(name) if isinstance(values, Mapping) else None
    found = thing(reference) if isinstance(reference, str) else None
    return values if found is None or "config" not in found else {**values, name: found["config"]}


class SoftwareConfig(Noun):
    """A configuration. A change makes a new one, so that whoever refers to it notices."""

    name = "SoftwareConfig"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "config": Property(Type.ANY, "What is run: a text, or a map where the group takes maps."),
            "group": Property(
                Type.STRING, "What runs it: script, ansible, puppet and so on.", default="Heat::Ungrouped"
            ),
            "inputs": Property(Type.LIST, "What it is given.", items=INPUT),
            "outputs": Property(Type.LIST, "What it gives back.", items=OUTPUT),
            "options": Property(Type.MAP, "For the group that runs it."),
        },
        attributes=GIVES,
        description="A configuration for guests, only kept: a machine's user_data or a deployment refers to it.",
    )
    rules: ClassVar[Rules] = Rules(defaults=defaults_of(ConfigSpec))
    foretold: ClassVar[dict[str, str]] = {"config": "config", "group": "group"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ConfigSpec:
        """The typed spec."""
        return ConfigSpec(
            config=plain.get("config", ""),
            group=plain["group"],
            inputs=many(plain.get("inputs")),
            outputs=many(plain.get("outputs")),
            options=plain.get("options", {}),
        )


class CloudConfig(Noun):
    """A map that a guest reads as cloud-config."""

    name = "CloudConfig"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={"cloud_config": Property(Type.MAP, "What the guest does at its first boot.")},
        attributes=GIVES,
        description="A map as cloud-config, for a machine's user_data.",
    )
    rules: ClassVar[Rules] = SoftwareConfig.rules
    foretold: ClassVar[dict[str, str]] = SoftwareConfig.foretold

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ConfigSpec:
        """The typed spec, with the text that the guest reads."""
        return ConfigSpec(config=cloud_config(plain.get("cloud_config", {})))


def _filename(name: str) -> str:
    return "" if name.isprintable() and not set(name) & set('"\\/') else "is no plain name of a file"


class MultipartMime(Noun):
    """Several configurations as one."""

    name = "MultipartMime"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "parts": Property(
                Type.LIST,
                "The parts, in order.",
                items=Property(
                    Type.MAP,
                    properties={
                        "config": Property(
                            Type.STRING,
                            "A configuration of this stack, or a text.",
                            required=True,
                            secret=True,
                        ),
                        "filename": Property(Type.STRING, "What it is called.", check=_filename),
                        "subtype": Property(
                            Type.STRING,
                            "What it is: x-shellscript, cloud-config and so on; found out by default.",
                            pattern=r"[A-Za-z0-9.+-]{1,64}",
                        ),
                        "type": Property(
                            Type.STRING,
                            "text, or multipart for one that consists of parts.",
                            default="text",
                            allowed=("text", "multipart"),
                        ),
                    },
                ),
            )
        },
        attributes=GIVES,
        description="Several configurations as one MIME message, for a machine's user_data.",
    )
    rules: ClassVar[Rules] = SoftwareConfig.rules
    foretold: ClassVar[dict[str, str]] = SoftwareConfig.foretold

    def resolve(self, values: Mapping[str, Any], thing: Thing) -> Mapping[str, Any]:
        """Parts that name a configuration hold its text."""
        parts = values.get("parts")
        if not isinstance(parts, list | tuple):
            return values
        return {**values, "parts": [resolved(part, "config", thing) for part in parts]}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ConfigSpec:
        """The typed spec, with the text that the guest reads."""
        parts = plain.get("parts", ())
        return ConfigSpec(config=multipart(parts) if isinstance(parts, list | tuple) else parts)
