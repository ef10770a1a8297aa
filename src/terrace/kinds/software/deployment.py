"""Configurations run inside machines, and computers that somebody else set up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.guest.properties import NOTE
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.kinds.software.config import Thing
from terrace.model.decision import Decision, Effect, Wait
from terrace.model.graph import Node
from terrace.model.record import Record
from terrace.model.seen import Present, Sighting
from terrace.model.spec.software import DeployedServerSpec, DeploymentSpec
from terrace.model.value import UNKNOWN, Secret, Unknown, holds
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

ACTIONS = ("CREATE", "UPDATE", "DELETE")
LATER = ("SUSPEND", "RESUME")  # actions of Heat for which nothing calls yet
PUSHED = "script"  # the group whose hook Terrace itself plays, from outside
ENVIRONMENT = r"[A-Za-z_][A-Za-z0-9_]*"
SETTINGS: dict[str, Property] = {
    "config": Property(
        Type.ANY,
        "What is run: a SoftwareConfig, or the text of a script.",
        required=True,
        changes=Effect.UPDATE,
    ),
    "inputs": Property(Type.MAP, "Values for its inputs.", changes=Effect.UPDATE),
    "actions": Property(
        Type.LIST,
        "When it is run.",
        default=["CREATE", "UPDATE"],
        items=Property(Type.STRING, allowed=(*ACTIONS, *LATER)),
        changes=Effect.UPDATE,
    ),
    "name": Property(Type.STRING, "Its name, which the script is told.", changes=Effect.UPDATE),
    "input_key": Property(
        Type.STRING,
        "What stands for an input in a configuration that is a map.",
        default="get_input",
        changes=Effect.UPDATE,
    ),
}


class SoftwareDeployment(Noun):
    """A configuration run inside a machine, once for each action. What was run is never run again."""

    name = "SoftwareDeployment"
    schema: ClassVar[Schema] = Schema(
        properties={"machine": Property(Type.STRING, "The machine.", required=True, minimum=1), **SETTINGS},
        attributes={
            "id": "Its id.",
            "name": "Its name.",
            "deploy_stdout": "What it wrote to its standard output.",
            "deploy_stderr": "What it wrote to its standard error.",
            "deploy_status_code": "How it ended.",
        },
        description="A configuration run inside a machine. Each output of the configuration is an attribute.",
        any_attribute=True,
    )
    rules: ClassVar[Rules] = Rules(
        # A change is a run of its own, so that there is nothing that a provider could not do in place.
        always=frozenset({"name", "scripts", "inputs", "outputs", "errors"}),
        defaults=defaults_of(DeploymentSpec),
    )

    def resolve(self, values: Mapping[str, Any], thing: Thing) -> Mapping[str, Any]:
        """A configuration that is named is taken in whole; a machine that Terrace did not make is told apart."""
        reference, machine = values.get("config"), values.get("machine")
        found = thing(reference) if isinstance(reference, str) else None
        if found is not None and "config" in found:
            values = {**values, "config": _Found(found)}
        known = thing(machine) if isinstance(machine, str) else None
        return values if known is None else {**values, "machine": _Named(str(machine))}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> DeploymentSpec:
        """The typed spec: a script for each action."""
        machine, config = plain["machine"], plain["config"]
        name = plain.get("name", node.path.rpartition("/")[2])
        if config is UNKNOWN or plain["actions"] is UNKNOWN:
            later: Any = UNKNOWN
            return DeploymentSpec(machine, scripts=later, group=later, inputs=later, name=name)
        declared = config.kept if isinstance(config, _Found) else {"config": config, "group": PUSHED}
        group, scripts = _scripts(declared, plain["actions"], plain.get("inputs", {}), plain["input_key"])
        inputs, pinned = _inputs(declared.get("inputs") or (), plain.get("inputs", {}))
        outputs = [one for one in declared.get("outputs") or () if isinstance(one, Mapping)]
        return DeploymentSpec(
            machine=machine.name if isinstance(machine, _Named) else machine,
            scripts=scripts,
            group=group,
            inputs=inputs,
            pinned=pinned,
            outputs=tuple(str(one["name"]) for one in outputs),
            errors=tuple(str(one["name"]) for one in outputs if one.get("error_output")),
            name=name,
            agent=isinstance(machine, _Named),
        )

    def decide(
        self, wanted: Wanted, record: Record, sighting: Sighting, capabilities: Capabilities, now: float
    ) -> Decision:
        """What only an agent inside the guest could run waits, and says so."""
        spec: Any = wanted.spec
        if not isinstance(sighting, Present) and spec.group is not UNKNOWN:
            if spec.agent:
                return Wait(f"needs the agent: {spec.machine} is no machine that Terrace made", stuck=True)
            if spec.group != PUSHED:
                return Wait(
                    f'needs the agent: Terrace itself runs scripts only, not "{spec.group}"', stuck=True
                )
        return super().decide(wanted, record, sighting, capabilities, now)


class _Found:
    """A configuration taken in where its reference stood."""

    __slots__ = ("kept",)

    def __init__(self, kept: Mapping[str, Any]) -> None:
        self.kept = kept


class _Named(str):
    """The reference of a machine that Terrace did not make."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)


def _scripts(kept: Mapping[str, Any], actions: Any, given: Any, input_key: Any) -> tuple[str, dict[str, Any]]:
    """The group, and what is run on each action."""
    group, config = str(kept.get("group") or PUSHED), kept.get("config")
    wanted = [action for action in ACTIONS if action in actions]
    if group == "component":
        parts = config.get("configs") if isinstance(config, Mapping) else None
        chosen = {
            action: part
            for action in wanted
            for part in reversed(list(parts or ()))
            if action in (part.get("actions") or ())
        }
        tools = {str(part.get("tool")) for part in chosen.values()}
        group = PUSHED if tools <= {PUSHED} else ", ".join(sorted(tools - {PUSHED}))
        return group, {action: _text(part.get("config")) for action, part in chosen.items()}
    if isinstance(config, Mapping | list) and isinstance(given, Mapping):
        config = _filled(config, str(input_key), given)
    return group, {action: _text(config) for action in wanted}


def _filled(value: Any, key: str, given: Mapping[str, Any]) -> Any:
    """`value` with {key: name} replaced by the input of that name."""
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(value.get(key), str):
            return given.get(value[key])
        return {name: _filled(item, key, given) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, key, given) for item in value]
    return value


def _text(value: Any) -> Any:
    """A value as the text that a script gets: maps and lists as JSON; what is hidden stays so."""
    if isinstance(value, str | Unknown):
        return value
    if isinstance(value, Secret):
        return Secret(_text(value.reveal()))
    if holds(value, Unknown):
        return UNKNOWN
    if value is None:
        return ""
    hidden = holds(value, Secret)
    text = json.dumps(_revealed(value), sort_keys=True)
    return Secret(text) if hidden else text


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return _revealed(value.reveal())
    if isinstance(value, Mapping):
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_revealed(item) for item in value]
    return value


def _inputs(declared: Any, given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """All inputs as texts, and those whose change asks for a new deployment."""
    if not isinstance(given, Mapping):
        return UNKNOWN, {}  # type: ignore[return-value]
    known = [one for one in declared if isinstance(one, Mapping)]
    values = {str(one["name"]): one.get("default") for one in known} | dict(given)
    for name in values:
        if "=" in name or "\0" in name or not name:
            raise SpecError(f'"{name}" can be no variable', ("inputs", name))
    texts = {name: _text(value) for name, value in values.items()}
    return texts, {str(one["name"]): texts[one["name"]] for one in known if one.get("replace_on_change")}


class DeployedServer(Noun):
    """A computer that somebody else set up: an agent on it asks for what it should run."""

    name = "DeployedServer"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(Type.STRING, "Its name; the resource's own by default.", changes=Effect.UPDATE),
            "metadata": Property(Type.MAP, "Notes.", items=NOTE, changes=Effect.UPDATE),
        },
        attributes={"name": "Its name.", "id": "Its id."},
        description="A computer that somebody else set up. What is deployed to it waits for its agent.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "metadata"}), defaults=defaults_of(DeployedServerSpec)
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> DeployedServerSpec:
        """The typed spec."""
        return DeployedServerSpec(plain.get("name", node.path.replace("/", "-")), plain.get("metadata", {}))
