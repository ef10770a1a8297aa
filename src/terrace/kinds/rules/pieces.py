"""Expressions rewritten: the parts of a blueprint put in their place, a member's number put in."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from terrace.model.graph import Edge, Held, Node
from terrace.model.value import Call, Ref, Secret

MARK = "resource."


def with_index(value: Any, variable: str, key: str) -> Any:
    """`value` with `variable` replaced by `key` in every text; expressions are wrapped, so that it happens
    to what they give. The very same object where nothing changes. Keys of maps, and references that hold a
    bare id, are left alone."""
    kind = type(value)
    if kind is str:
        return value.replace(variable, key) if variable in value else value
    if kind is Call and value.function == "export":
        names = tuple(with_index(arg, variable, key) for arg in value.args)
        return Call("export", names) if names != value.args else value
    if kind is Call and value.function == "parameter":  # the type is looked at when the number is in
        return Call(value.function, tuple(with_index(arg, variable, key) for arg in value.args))
    if kind is Call or (kind is Ref and value.path):
        return Call("index", (value, {variable: key}))
    if kind is dict:
        fresh = {name: with_index(item, variable, key) for name, item in value.items()}
        return fresh if any(fresh[name] is not item for name, item in value.items()) else value
    if kind is list or kind is tuple:
        items = [with_index(item, variable, key) for item in value]
        return items if any(one is not other for one, other in zip(items, value, strict=True)) else value
    if kind is Secret:
        inside = value.reveal()
        fresh = with_index(inside, variable, key)
        return value if fresh is inside else Secret(fresh)
    return value


def placed(value: Any, prefix: str) -> Any:
    """`value` of a blueprint in its place below `prefix` (a composite's full path): references to siblings
    and inputs of the composite become full, references from the top ("/web") lose their mark. The very
    same object where nothing changes."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if kind is Ref:
        return Ref(placed_path(value.node, prefix), tuple(placed(item, prefix) for item in value.path))
    if kind is Call:
        args = tuple(placed(item, prefix) for item in value.args)
        return Call("input", (prefix, *args)) if value.function == "input" else Call(value.function, args)
    if kind is dict:
        fresh = {name: placed(item, prefix) for name, item in value.items()}
        return fresh if any(fresh[name] is not item for name, item in value.items()) else value
    if kind is list or kind is tuple:
        items = [placed(item, prefix) for item in value]
        return items if any(one is not other for one, other in zip(items, value, strict=True)) else value
    return value


def placed_path(path: str, prefix: str) -> str:
    """The full path of a blueprint's local one; what begins with "/" is meant from the top."""
    return path[1:] if path.startswith("/") else f"{prefix}/{path}"


def placed_edges(edges: tuple[Edge, ...], prefix: str, outer: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Edges of a blueprint's node in their place, and those of the composite."""
    if not edges:
        return outer
    return (*(Edge(placed_path(edge.node, prefix), edge.until) for edge in edges), *outer)


def first_key(node: Node) -> str:
    """The last part of a node's path: its name in its composite."""
    return node.path.rpartition("/")[2]


def named(head: Any) -> bool:
    """Whether an attribute's name is that of a member: resource.NAME or resource.NAME.ATTRIBUTE."""
    return isinstance(head, str) and head.startswith(MARK)


def member_of(members: Sequence[Node], path: tuple[Any, ...]) -> Any:
    """The reference that resource.NAME or resource.NAME.ATTRIBUTE stands for; None when there is no such
    member. Names may hold dots: the longest that fits wins."""
    by_key = {first_key(member): member.path for member in members}
    parts = path[0][len(MARK) :].split(".")
    for length in range(len(parts), 0, -1):
        found = by_key.get(".".join(parts[:length]))
        if found is not None:
            return Ref(found, (*parts[length:], *path[1:]))
    return None


def picked(value: Any, path: tuple[Any, ...]) -> Any:
    """The part of `value` (plain data with expressions in it) that `path` leads to, as an expression; None
    where it leads nowhere."""
    for index, key in enumerate(path):
        rest = path[index:]
        if isinstance(value, Ref):
            return Ref(value.node, value.path + rest) if value.path else None
        if isinstance(value, Call):
            return Call("path", (value, *rest))
        if isinstance(value, dict):
            value = value.get(key, value.get(str(key)))
        elif isinstance(value, list | tuple) and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def held(composite: Node, key: str) -> dict[str, Any]:
    """The fields of the child `key` that say what holds and restricts it, and what is in it."""
    if not composite.held:
        return {}
    meant = [one for one in composite.held if fnmatchcase(key, one.path[0])]
    here = [one for one in meant if len(one.path) == 1]
    return {
        "hooks": tuple(dict.fromkeys(hook for one in here for hook in one.hooks)),
        "restricted": tuple(dict.fromkeys(word for one in here for word in one.restricted)),
        "held": tuple(Held(one.path[1:], one.hooks, one.restricted) for one in meant if len(one.path) > 1),
    }
