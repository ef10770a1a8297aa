"""Many of one shape: members named 0, 1, 2 and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from terrace.kinds.group import rolling, size
from terrace.kinds.group.many import REFS, SIZE, Many, counted, many, read_plain, shape
from terrace.kinds.group.members import SHAPE, members, pack, unpack
from terrace.kinds.rules import noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect, Expansion
from terrace.model.graph import Blueprint, Node
from terrace.model.record import Record
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

APPEND, UPDATE = "append", "update"


class GroupSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many, which not, and how they change. `removed` are keys that go, `again` whether those removed earlier may
    come back; `rolling` as in rolling.py."""

    count: Any = 1
    index_var: str = "%index%"
    removed: tuple[str, ...] = ()
    again: bool = False
    rolling: dict[str, Any] = {}

    @property
    def bounds(self) -> size.Bounds:
        """How many the template asks for; any number is allowed."""
        return size.Bounds(self.count)


class Group(Many):
    """Members of one shape. Shrinking takes the highest numbers, unless a removal policy names others,
    which never come back."""

    name = "Group"
    schema: ClassVar[Schema] = many(
        {
            "count": counted("How many members.", default=1),
            SHAPE: shape(required=True),
            "index_var": Property(
                Type.STRING, "What stands for the member's number.", default="%index%", minimum=3
            ),
            "removal_policies": Property(
                Type.LIST,
                "Members that go first.",
                items=Property(Type.MAP, properties={"resource_list": Property(Type.LIST, "Their names.")}),
                changes=Effect.UPDATE,
            ),
            "removal_policies_mode": Property(
                Type.STRING,
                "append: what was removed by name never comes back; update: only what is named now is kept away.",
                default=APPEND,
                allowed=(APPEND, UPDATE),
                changes=Effect.UPDATE,
            ),
            **rolling.PROPERTIES,
        },
        {
            **REFS,
            "attributes": "An attribute of all members by name.",
            "removed_rsrc_list": "Members that were removed by name.",
            **SIZE,
        },
        "Members of one shape, named 0, 1, 2 and so on. "
        "Any attribute of its members is one of its own, as a list.",
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> GroupSpec:
        """The typed spec; what the members are is read from the node, since it holds expressions."""
        table = {name: prop for name, prop in self.schema.properties.items() if name != SHAPE}
        plain = read_plain(table, {name: value for name, value in values.items() if name != SHAPE})
        policies = plain.get("removal_policies")
        return GroupSpec(
            count=plain["count"],
            index_var=plain["index_var"],
            removed=() if policies is None or policies is UNKNOWN else tuple(_names(policies)),
            again=plain["removal_policies_mode"] == UPDATE,
            rolling=rolling.policy(plain),
        )

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """The members wanted. Which names are never used again is remembered with the record, and so is the size."""
        spec: GroupSpec = wanted.spec
        node = wanted.node
        before = unpack(record.memory.get("gone", ()))
        named = {int(key) for key in spec.removed if key.isdecimal()}
        there = {number for number in named if str(number) in children}
        gone = there | (named & before) if spec.again else there | before
        kept = {"gone": pack(gone)} if gone else {}
        if spec.count is UNKNOWN:
            memory = {**kept, **{key: record.memory[key] for key in (size.SIZE,) if key in record.memory}}
            return Expansion(undecided="how many members is not known yet", memory=memory)
        counts = size.current(record.memory, wanted.directives, record.uid, spec.bounds)
        count = spec.bounds.within(counts.size)
        keys = _keys(count + rolling.more(spec.rolling, count, short=wanted.short), gone)
        return Expansion(
            children=tuple(members(node, keys, spec.index_var)),
            attributes={
                "": node.path,
                "removed_rsrc_list": [str(number) for number in sorted(gone)],
                "current_size": count,
            },
            rollout=rolling.rollout(spec.rolling, len(keys)),
            memory={**kept, **remembered(counts)},
        )


def remembered(counts: size.Size) -> dict[str, Any]:
    """A size as a group's memory keeps it."""
    return {size.SIZE: msgspec.to_builtins(counts)}


def _keys(count: int, gone: set[int]) -> list[int]:
    found: list[int] = []
    number = 0
    while len(found) < count:
        if number not in gone:
            found.append(number)
        number += 1
    return found


def _names(policies: Any) -> Iterable[str]:
    for policy in policies:
        names = UNKNOWN if policy is UNKNOWN else policy.get("resource_list")
        for name in () if names is UNKNOWN else noun.many(names):
            if isinstance(name, str | int):
                yield str(name)
