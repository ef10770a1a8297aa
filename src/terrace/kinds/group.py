"""Many of one shape: members named 0, 1, 2 and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from terrace.errors import SpecError
from terrace.kinds.rules.check import read
from terrace.kinds.rules.noun import Noun, many
from terrace.kinds.rules.pieces import first_key, member_of, named, picked, with_index
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect, Expansion, Rollout
from terrace.model.graph import Blueprint, Node
from terrace.model.record import Record
from terrace.model.value import UNKNOWN, Ref
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

SHAPE = "resource_def"
MEMBER = {
    "type": Property(Type.STRING, "The type of each member.", required=True),
    "properties": Property(Type.MAP, "Its properties; %index% stands for the member's number."),
    "metadata": Property(Type.MAP, "Its metadata."),
}
ROLLING = {
    "batch": Property(Type.INTEGER, "How many change at once; 0: all.", minimum=0),
    "unavailable": Property(Type.INTEGER, "How many may be away at once.", minimum=0),
    "in_service": Property(Type.INTEGER, "How many must stay.", minimum=0),
    "hold": Property(Type.DURATION, "How long a changed member must stay healthy before the next batch."),
}


class GroupSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many, which not, and how they change. `removed` are keys that go; `rolling` as in the schema."""

    count: Any = 1
    index_var: str = "%index%"
    removed: tuple[str, ...] = ()
    rolling: dict[str, Any] = {}


class Group(Noun):
    """Members of one shape. Shrinking takes the highest numbers, unless a removal policy names others,
    which never come back."""

    name = "Group"
    provider = "builtin"
    composite = True
    schema: ClassVar[Schema] = Schema(
        properties={
            "count": Property(
                Type.INTEGER,
                "How many members.",
                default=1,
                minimum=0,
                maximum=100_000,
                changes=Effect.UPDATE,
            ),
            SHAPE: Property(
                Type.MAP, "What each member is.", required=True, properties=MEMBER, changes=Effect.UPDATE
            ),
            "index_var": Property(
                Type.STRING, "What stands for the member's number.", default="%index%", minimum=3
            ),
            "removal_policies": Property(
                Type.LIST,
                "Members that go first.",
                items=Property(Type.MAP, properties={"resource_list": Property(Type.LIST, "Their names.")}),
                changes=Effect.UPDATE,
            ),
            "rolling": Property(
                Type.MAP, "How many members change at once.", properties=ROLLING, changes=Effect.UPDATE
            ),
        },
        attributes={
            "refs": "The references of all members.",
            "refs_map": "The same by name.",
            "attributes": "An attribute of all members by name.",
            "removed_rsrc_list": "Members that were removed by name.",
        },
        description="Members of one shape, named 0, 1, 2 and so on. "
        "Any attribute of its members is one of its own, as a list.",
        any_attribute=True,
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> GroupSpec:
        """The typed spec; what the members are is read from the node, since it holds expressions."""
        table = {name: prop for name, prop in self.schema.properties.items() if name != SHAPE}
        problems: list[SpecError] = []
        plain = read(table, {name: value for name, value in values.items() if name != SHAPE}, problems)
        if problems:
            raise problems[0]
        policies = plain.get("removal_policies")
        return GroupSpec(
            count=plain["count"],
            index_var=plain["index_var"],
            removed=() if policies is None or policies is UNKNOWN else tuple(_names(policies)),
            rolling={} if plain.get("rolling", UNKNOWN) is UNKNOWN else plain["rolling"],
        )

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """The members wanted. Which names are never used again is remembered with the record."""
        spec: GroupSpec = wanted.spec
        node = wanted.node
        gone = _unpack(record.memory.get("gone", ()))
        gone |= {int(key) for key in spec.removed if key in children and key.isdecimal()}
        if spec.count is UNKNOWN:
            return Expansion(undecided="how many members is not known yet", memory=_memory(gone))
        keys = _keys(spec.count, gone)
        removed = [str(number) for number in sorted(gone)]
        return Expansion(
            children=tuple(_members(node, keys, spec.index_var)),
            attributes={"": node.path, "removed_rsrc_list": removed},
            rollout=_rollout(spec),
            memory=_memory(gone),
        )

    def attribute(self, expansion: Expansion, path: tuple[Any, ...]) -> Any:
        """The expression over members that a Ref to the group with this path stands for."""
        if not path or path[0] == "":
            return expansion.attributes.get("")
        head, rest = path[0], path[1:]
        members = expansion.children
        if head == "refs":
            return picked([Ref(member.path) for member in members], rest)
        if head == "refs_map":
            return picked({first_key(member): Ref(member.path) for member in members}, rest)
        if head == "removed_rsrc_list":
            return picked(expansion.attributes[head], rest)
        if head == "attributes":
            return {first_key(member): Ref(member.path, rest) for member in members}
        if named(head):
            return member_of(members, path)
        return [Ref(member.path, path) for member in members]


def _members(node: Node, keys: list[int], variable: str) -> Iterable[Node]:
    shape = node.properties[SHAPE]
    wished = shape.get("properties") or {}
    varying = [name for name, value in wished.items() if with_index(value, variable, "0") is not value]
    for key in keys:
        own = {name: with_index(wished[name], variable, str(key)) for name in varying}
        yield Node(
            path=f"{node.path}/{key}",
            kind=shape["kind"],
            properties={**wished, **own} if own else wished,
            edges=node.edges,
            keep=node.keep,
            provider=node.provider,
            region=node.region,
            blueprint=shape.get("blueprint") or "",
            place=node.place,
            type_name=shape.get("type_name") or "",
            metadata=with_index(shape.get("metadata") or {}, variable, str(key)),
        )


def _keys(count: int, gone: set[int]) -> list[int]:
    found: list[int] = []
    number = 0
    while len(found) < count:
        if number not in gone:
            found.append(number)
        number += 1
    return found


def _rollout(spec: GroupSpec) -> Rollout:
    rule = {name: value for name, value in spec.rolling.items() if value is not UNKNOWN}
    unavailable = rule.get("unavailable")
    if "in_service" in rule:
        spare = max(0, spec.count - rule["in_service"])
        unavailable = spare if unavailable is None else min(spare, unavailable)
    return Rollout(batch=rule.get("batch", 0), unavailable=unavailable, hold=rule.get("hold", 0.0))


def _names(policies: Any) -> Iterable[str]:
    for policy in policies:
        names = UNKNOWN if policy is UNKNOWN else policy.get("resource_list")
        for name in () if names is UNKNOWN else many(names):
            if isinstance(name, str | int):
                yield str(name)


def _memory(gone: set[int]) -> dict[str, Any]:
    return {"gone": _pack(gone)} if gone else {}


def _pack(numbers: set[int]) -> list[list[int]]:
    """Numbers as runs (first, last), so that a long life stays short to remember."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def _unpack(runs: Iterable[Any]) -> set[int]:
    return {number for first, last in runs for number in range(first, last + 1)}
