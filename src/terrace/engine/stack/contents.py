"""What a composite is asked to be: what it is given, and the templates that it and what is in it are made from."""

from __future__ import annotations

from typing import Any

from terrace.engine.form import Mask, digest, hidden
from terrace.engine.stack.state import StackState
from terrace.model.graph import Blueprint, Node
from terrace.model.value import Call, Ref, Secret, Unknown

_LATER = "\x00later"


def contents(state: StackState, node: Node, values: dict[str, Any]) -> str:
    """A digest of what a composite is asked to be, from its evaluated properties: another one when somebody asks for
    something else, and the same however many members policies and people say it has."""
    templates = {name: _template(state, name) for name in _templates(node)}
    return digest(_plain({"values": values, "templates": templates}, state.rules.mask))


def _template(state: StackState, name: str) -> str:
    """A digest of a nested template and of all that it is made from, worked out once for each generation."""
    known = state.templates
    if name not in known and state.generation is not None:
        known[name] = ""  # templates do not nest in circles, and if they did this would end
        blueprint = state.generation.graph.blueprints.get(name)
        inner = {one: _template(state, one) for node in _nodes(blueprint) for one in _templates(node)}
        known[name] = digest(_plain({"own": blueprint, "inner": inner}, state.rules.mask))
    return known.get(name, "")


def _nodes(blueprint: Blueprint | None) -> tuple[Node, ...]:
    return blueprint.nodes if blueprint is not None else ()


def _templates(node: Node) -> list[str]:
    """The names of the templates that a composite, or its members, are made from."""
    shape, members = node.properties.get("resource_def"), node.properties.get("members")
    shapes = [shape, *(members if isinstance(members, list) else [])]
    named = [node.blueprint, *(one.get("blueprint") for one in shapes if isinstance(one, dict))]
    return [name for name in named if isinstance(name, str) and name]


def _plain(value: Any, mask: Mask) -> Any:
    """Data that can be compared: expressions as their parts, what is not known yet as a mark, secrets masked."""
    if isinstance(value, Unknown):
        return _LATER
    if isinstance(value, Secret):
        return hidden(value, mask)
    if isinstance(value, Ref):
        return {"ref": [value.node, *(_plain(item, mask) for item in value.path)]}
    if isinstance(value, Call):
        return {"call": [value.function, *(_plain(item, mask) for item in value.args)]}
    if isinstance(value, Blueprint):
        outputs = {name: output.value for name, output in value.outputs.items()}
        return _plain({"nodes": [_wish(node) for node in value.nodes], "outputs": outputs}, mask)
    if isinstance(value, dict):
        return {str(key): _plain(item, mask) for key, item in value.items()}
    return [_plain(item, mask) for item in value] if isinstance(value, list | tuple) else value


def _wish(node: Node) -> dict[str, Any]:
    """A node of a blueprint, but for where it stands in its document and what is only for people."""
    fields = ("path", "kind", "properties", "metadata", "blueprint", "condition")
    return {"keep": node.keep.value, **{name: getattr(node, name) for name in fields}}
