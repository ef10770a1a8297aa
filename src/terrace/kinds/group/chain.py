"""Resources of different types with the same properties, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from terrace.errors import SpecError
from terrace.kinds.group.many import REFS, Many, many, read_plain
from terrace.kinds.group.members import member
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect, Expansion
from terrace.model.graph import Blueprint, Edge, Node
from terrace.model.record import Record
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

LINKS = "members"


class ChainSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether the members come up side by side."""

    concurrent: Any = False


class Chain(Many):
    """Members named 0, 1, 2 and so on, each of a type of its own, each after the one before it."""

    name = "ResourceChain"
    schema: ClassVar[Schema] = many(
        {
            "resources": Property(
                Type.LIST,
                "The types of the members, in their order.",
                items=Property(Type.STRING),
                required=True,
            ),
            "resource_properties": Property(Type.MAP, "The properties that every member is given."),
            "concurrent": Property(
                Type.BOOLEAN,
                "Whether members come up side by side; one after the other by default.",
                default=False,
                changes=Effect.UPDATE,
            ),
        },
        {**REFS, "attributes": "An attribute of all members by name."},
        "Resources of the types listed, each with the same properties, one after the other.",
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> ChainSpec:
        """The typed spec; what the members are is read from the node, since it holds expressions."""
        if not isinstance(node.properties.get(LINKS), list):
            raise SpecError("must be known when the template is read", ("resources",))
        table = {"concurrent": self.schema.properties["concurrent"]}
        return ChainSpec(**read_plain(table, {name: values[name] for name in table if name in values}))

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """One member for each type."""
        node = wanted.node
        if wanted.spec.concurrent is UNKNOWN:
            return Expansion(undecided="whether members come one after the other is not known yet")
        found: list[Node] = []
        for number, shape in enumerate(node.properties[LINKS]):
            one = member(node, str(number), shape, shape.get("properties") or {}, shape.get("metadata") or {})
            if found and not wanted.spec.concurrent:
                one = msgspec.structs.replace(one, edges=(*one.edges, Edge(found[-1].path)))
            found.append(one)
        return Expansion(children=tuple(found), attributes={"": node.path})
