"""Sizes of machines that a template defines, and rules for where machines stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.placement import FlavorSpec, ServerGroupSpec
from terrace.model.value import Ref
from terrace.ports.driver import Capabilities

APART = "anti-affinity"
POLICIES = ("affinity", APART, "soft-affinity", "soft-anti-affinity")


class Flavor(Noun):
    """A size of machine. Machines of the stack that name it follow its changes."""

    name = "Flavor"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(Type.STRING, "A name for people; the resource's own by default."),
            "cpu": Property(Type.NUMBER, "Cores; 0: no limit.", default=0, minimum=0, changes=Effect.UPDATE),
            "memory": Property(
                Type.SIZE, "Memory, such as 512M; 0: no limit.", default=0, minimum=0, changes=Effect.UPDATE
            ),
            "disk": Property(
                Type.SIZE, "Disk, such as 10G; 0: no limit.", default=0, minimum=0, changes=Effect.UPDATE
            ),
            "pids": Property(
                Type.INTEGER, "Processes; 0: no limit.", default=0, minimum=0, changes=Effect.UPDATE
            ),
            "extra": Property(Type.MAP, "Notes.", changes=Effect.UPDATE),
        },
        attributes={
            "name": "Its name.",
            "id": "Its id.",
            "cpu": "Cores.",
            "memory": "MiB.",
            "disk": "MiB.",
            "pids": "Processes.",
            "extra_specs": "Notes.",
            "is_public": "Never: it belongs to its stack.",
        },
        description="A size of machine, for machines of the same stack.",
    )
    rules: ClassVar[Rules] = Rules(
        in_place=frozenset({"cpu", "memory", "disk", "pids", "extra"}), defaults=defaults_of(FlavorSpec)
    )
    foretold: ClassVar[dict[str, str]] = {"name": "name"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> FlavorSpec:
        """The typed spec."""
        sizes = {name: plain[name] for name in ("cpu", "memory", "disk", "pids")}
        return FlavorSpec(
            name=plain.get("name", node.path.replace("/", "-")), extra=plain.get("extra", {}), **sizes
        )


class ServerGroup(Noun):
    """A rule for placing machines. What it means is up to where they run."""

    name = "ServerGroup"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(Type.STRING, "A name for people; the resource's own by default."),
            "policies": Property(
                Type.LIST,
                "How its members stand to each other.",
                default=["anti-affinity"],
                items=Property(Type.STRING, allowed=POLICIES),
                minimum=1,
                maximum=1,
            ),
        },
        attributes={"name": "Its name.", "id": "Its id.", "policies": "How its members stand to each other."},
        description="A rule for placing machines: together or apart.",
    )
    rules: ClassVar[Rules] = Rules(defaults=defaults_of(ServerGroupSpec))
    foretold: ClassVar[dict[str, str]] = {"name": "name"}

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ServerGroupSpec:
        """The typed spec."""
        return ServerGroupSpec(plain.get("name", node.path.replace("/", "-")), many(plain["policies"]))


def crowded(
    nodes: Sequence[Node], capabilities: Callable[[Node], Capabilities | None]
) -> Iterable[tuple[Node, str]]:
    """(machine, what is wrong) of machines that must stand apart where there is one host only."""
    rules = {node.path for node in nodes if node.kind == "ServerGroup" and _demands_apart(node)}
    taken: set[str] = set()
    for node, group, count in _members_of(nodes):
        found = capabilities(node) if group in rules else None
        if found is None or found.hosts != 1:
            continue
        if count > 1 or group in taken:
            yield node, f'"{group}" wants its members on different hosts, and this provider has one'
        taken.add(group)


def _demands_apart(node: Node) -> bool:
    """Whether a ServerGroup wants its members on different hosts, as far as that is written out."""
    policies = node.properties.get("policies", [APART])
    return isinstance(policies, list | tuple) and APART in policies


def _members_of(nodes: Iterable[Node]) -> Iterable[tuple[Node, str, int]]:
    """(node, path of its ServerGroup, how many) of the machines of a template, and of groups of machines."""
    for node in nodes:
        shape, count = node.properties, 1
        if node.kind == "Group":
            inner = node.properties.get("resource_def")
            if not isinstance(inner, dict) or inner.get("kind") != "Machine":
                continue
            wished = node.properties.get("count", 1)
            shape, count = inner.get("properties") or {}, wished if isinstance(wished, int) else 1
        elif node.kind != "Machine":
            continue
        group = shape.get("group")
        if type(group) is Ref and not group.path:
            yield node, group.node, count


def sized(values: Mapping[str, Any], found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a machine with the sizes of a flavor that the template defines; its own win."""
    sizes = {name: found[name] for name in ("cpu", "memory", "disk", "pids")}
    rest = {name: value for name, value in values.items() if value is not None and name != "flavor"}
    return {**sizes, **rest}


def placed_by(group: Mapping[str, Any]) -> str:
    """The rule of a group in one word; SpecError when what was named is no group."""
    policies = group.get("policies")
    if not policies:
        raise SpecError("is no ServerGroup", ("group",))
    return str(policies[0])
