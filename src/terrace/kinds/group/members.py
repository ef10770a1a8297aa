"""What groups have in common: the shape of their members, and what is to be known of these from outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from terrace.kinds.rules.pieces import first_key, held, member_of, named, picked, with_index
from terrace.kinds.schema import Property, Type
from terrace.model.decision import Expansion
from terrace.model.graph import Node
from terrace.model.value import Ref

SHAPE = "resource_def"
MEMBER = {
    "type": Property(Type.STRING, "The type of each member.", required=True),
    "properties": Property(Type.MAP, "Its properties; %index% stands for the member's number."),
    "metadata": Property(Type.MAP, "Its metadata."),
}


def members(node: Node, keys: Iterable[int], variable: str = "") -> Iterable[Node]:
    """The members `keys` of a group. `variable` is what stands for a member's number ("": nothing does)."""
    shape = node.properties[SHAPE]
    wished = shape.get("properties") or {}
    notes = shape.get("metadata") or {}
    varying = [
        name for name, value in wished.items() if variable and with_index(value, variable, "0") is not value
    ]
    for key in keys:
        own = {name: with_index(wished[name], variable, str(key)) for name in varying}
        yield member(
            node,
            str(key),
            shape,
            {**wished, **own} if own else wished,
            with_index(notes, variable, str(key)) if variable else notes,
        )


def member(
    node: Node, key: str, shape: dict[str, Any], properties: dict[str, Any], metadata: dict[str, Any]
) -> Node:
    """One member. What is set for its group holds for it."""
    return Node(
        path=f"{node.path}/{key}",
        kind=shape["kind"],
        properties=properties,
        edges=node.edges,
        keep=node.keep,
        provider=node.provider,
        region=node.region,
        blueprint=shape.get("blueprint") or "",
        place=node.place,
        type_name=shape.get("type_name") or "",
        metadata=metadata,
        **held(node, key),
    )


def attribute(expansion: Expansion, path: tuple[Any, ...]) -> Any:
    """The expression over members that a Ref to their group with this path stands for."""
    if not path or path[0] == "":
        return expansion.attributes.get("")
    head, rest = path[0], path[1:]
    found = expansion.children
    if head in expansion.attributes:
        return picked(expansion.attributes[head], rest)
    if head == "refs":
        return picked([Ref(one.path) for one in found], rest)
    if head == "refs_map":
        return picked({first_key(one): Ref(one.path) for one in found}, rest)
    if head in ("attributes", "outputs"):
        return {first_key(one): Ref(one.path, rest) for one in found}
    if head == "outputs_list":
        return [Ref(one.path, rest) for one in found]
    if named(head):
        return member_of(found, path)
    return [Ref(one.path, path) for one in found]


def pack(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as runs (first, last), so that a long life stays short to remember."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def unpack(runs: Iterable[Sequence[int]]) -> set[int]:
    """The numbers in runs."""
    return {number for first, last in runs for number in range(first, last + 1)}
