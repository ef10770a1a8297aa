"""The images that machines ask for by name: one shared Image node for each, and machines that refer to it.

A machine in a nested template often takes its image from a parameter. Such a parameter is followed up to
where its value is given: there a second parameter, NAME@image, hands the Image's reference down, and the
machine takes that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard

from terrace.model.graph import Blueprint, Node
from terrace.model.value import Call

MARK: Final = "@image"
_ODD: Final = re.compile(r"[^A-Za-z0-9_.:@-]")

Parameters = Mapping[str, set[str]]


def shapes(nodes: Iterable[Node]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """(kind, blueprint, properties) of every node, and of what the members of groups are."""
    for node in nodes:
        shape: dict[str, Any] = {
            "kind": node.kind,
            "blueprint": node.blueprint,
            "properties": node.properties,
        }
        waiting = [shape]
        while waiting:
            shape = waiting.pop()
            properties = shape.get("properties") or {}
            yield shape["kind"], shape.get("blueprint") or "", properties
            waiting += inner_shapes(shape["kind"], properties)


def inner_shapes(kind: str, properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the members of a group or a chain with these properties are."""
    match kind:
        case "Group" | "AutoScalingGroup":
            found = [properties.get("resource_def")]
        case "ResourceChain":
            found = list(properties.get("members") or ())
        case _:
            return []
    return [one for one in found if isinstance(one, dict)]


def parameter(value: Any) -> str:
    """The name of the parameter (of the template's author) that `value` is, "" when it is anything else."""
    if type(value) is Call and value.function == "parameter":
        return parameter(value.args[2])
    if type(value) is not Call or value.function != "input" or len(value.args) != 1:
        return ""
    name = value.args[0]
    return name if isinstance(name, str) and not name.endswith(MARK) else ""


def _parameters(value: Any) -> Iterable[str]:
    """The names of the parameters that `value` is, whatever its conditions say."""
    if type(value) is Call and value.function == "if":
        for branch in value.args[1:]:
            yield from _parameters(branch)
    elif name := parameter(value):
        yield name


def image_parameters(blueprints: Mapping[str, Blueprint]) -> dict[str, set[str]]:
    """By blueprint: the parameters that are, at once or through nested templates, images of machines."""
    found: dict[str, set[str]] = {name: set() for name in blueprints}
    growing = True
    while growing:
        growing = False
        for name, blueprint in blueprints.items():
            for kind, inner, properties in shapes(blueprint.nodes):
                wanted = (
                    ("image",)
                    if kind == "Machine"
                    else sorted(found.get(inner, ()))
                    if kind == "Nested"
                    else ()
                )
                fresh = {one for key in wanted for one in _parameters(properties.get(key))} - found[name]
                found[name] |= fresh
                growing = growing or bool(fresh)
    return found


class Images:
    """The Image nodes of a graph: those that were implied before, and those added now."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._taken = {node.path for node in nodes}
        self._paths: dict[tuple[str, str, str], str] = {}
        self.added: list[Node] = []
        for node in nodes:
            if node.implied and node.kind == "Image":
                self._paths[(node.provider, node.region, str(node.properties.get("source")))] = node.path

    def path(self, source: str, user: Node) -> str:
        """The path of the Image for `source`, added when there is none; `user` says where it must be."""
        key = (user.provider, user.region, source)
        found = self._paths.get(key)
        if found is not None:
            return found
        path = "image:" + _ODD.sub(
            "~", "@".join(part for part in (source, user.provider, user.region) if part)
        )
        while path in self._taken:
            path += "~"
        self._taken.add(path)
        self._paths[key] = path
        self.added.append(
            Node(
                path=path,
                kind="Image",
                properties={"source": source},
                provider=user.provider,
                region=user.region,
                place=user.place,
                type_name="Terrace::Image",
                implied=True,
            )
        )
        return path


def handed_down(value: Any) -> Any:
    """What gives the Image's reference where `value` gives its name: the second parameter of a parameter."""
    name = parameter(value)
    return Call("input", (name + MARK,)) if name else value


def is_name(value: Any) -> TypeGuard[str]:
    """Whether `value` is the name of an image, written out."""
    return isinstance(value, str) and bool(value)
