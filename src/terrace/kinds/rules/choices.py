"""What of a blueprint is wanted, as the conditions in it say once their parameters are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from terrace.engine.circles import circles
from terrace.engine.expression import evaluate, reveal
from terrace.engine.functions.logic import truth
from terrace.engine.stack.read import step_into
from terrace.errors import SpecError
from terrace.model.graph import Blueprint, Edge, Node, Output
from terrace.model.value import UNKNOWN, Call, Ref, refs

_NOTHING = object()


def chosen(blueprint: Blueprint, inputs: Mapping[str, Any]) -> Blueprint | str:
    """The blueprint with what its conditions leave out left out, and every `if` that is known replaced by what it
    gives; or, in words, what is not known yet. `inputs` are the values of its parameters. SpecError when what is
    wanted refers to what is not."""
    choices = _Choices(dict(inputs))
    kept: list[Node] = []
    gone: set[str] = set()
    for node in blueprint.nodes:
        wanted = True if node.condition is True else choices.holds(node.condition)
        if wanted is None:
            return f'whether there is to be "{node.path}" is not known yet'
        if wanted:
            kept.append(node)
        else:
            gone.add(node.path)
    nodes = tuple(choices.node(node, gone) for node in kept)
    outputs = {name: choices.output(output) for name, output in blueprint.outputs.items()}
    _check(nodes, outputs, gone)
    return replace(blueprint, nodes=nodes, outputs=outputs, choices=False)


class _Choices:
    def __init__(self, inputs: dict[str, Any]) -> None:
        self.inputs = inputs

    def holds(self, condition: Any) -> bool | None:
        """Whether a condition holds; None when that is not known yet."""
        found = evaluate(condition, _unknown, lambda args: step_into(self.inputs, args[0], args[1:]))
        return None if found is UNKNOWN else truth(reveal(found))

    def node(self, node: Node, gone: set[str]) -> Node:
        properties, metadata = self.taken(node.properties), self.taken(node.metadata)
        edges: tuple[Edge, ...] = node.edges
        if gone and any(edge.node in gone for edge in edges):
            edges = tuple(edge for edge in edges if edge.node not in gone)
        external = self.taken(node.external_id)
        return replace(
            node,
            properties=properties,
            metadata=metadata,
            edges=edges,
            external_id="" if external is _NOTHING or external is None else external,
            condition=True,
        )

    def output(self, output: Output) -> Output:
        value = self.taken(output.value)
        return replace(output, value=None if value is _NOTHING else value)

    def taken(self, value: Any) -> Any:
        """`value` with each `if` replaced by what it gives, if that is known. The very same object where nothing
        changes."""
        kind = type(value)
        if kind is dict:
            fresh = {name: self.taken(item) for name, item in value.items()}
            if all(fresh[name] is item for name, item in value.items()):
                return value
            return {name: item for name, item in fresh.items() if item is not _NOTHING}
        if kind is list or kind is tuple:
            items = [self.taken(item) for item in value]
            if all(one is other for one, other in zip(items, value, strict=True)):
                return value
            return [item for item in items if item is not _NOTHING]
        if kind is Call:
            return self.call(value)
        if kind is Ref and value.path:
            return Ref(value.node, tuple(self.taken(item) for item in value.path))
        return value

    def call(self, call: Call) -> Any:
        if call.function == "if":
            wanted = self.holds(call.args[0])
            if wanted is not None:
                branch = call.args[1:2] if wanted else call.args[2:3]
                return self.taken(branch[0]) if branch else _NOTHING
        args = tuple(self.taken(arg) for arg in call.args)
        if all(one is other for one, other in zip(args, call.args, strict=True)):
            return call
        return Call(call.function, tuple(None if arg is _NOTHING else arg for arg in args))


def _unknown(ref: Ref) -> Any:
    return UNKNOWN


def _check(nodes: tuple[Node, ...], outputs: Mapping[str, Output], gone: set[str]) -> None:
    """SpecError when something refers to a resource that is left out, or things now wait for each other."""
    needs: dict[str, set[str]] = {}
    for node in nodes:
        used = refs(node.properties) | refs(node.metadata) | {edge.node for edge in node.edges}
        _refuse(f'resource "{node.path}"', used & gone)
        needs[node.path] = used
    for name, output in outputs.items():
        _refuse(f'output "{name}"', refs(output.value) & gone)
    for circle in circles({name: used & needs.keys() for name, used in needs.items()}):
        chain = " -> ".join(circle[:20])
        raise SpecError(f"resources wait for each other: {chain}", code="circular-reference")


def _refuse(what: str, gone: set[str]) -> None:
    if gone:
        raise SpecError(
            f'{what} refers to "{min(gone)}", which its condition leaves out',
            code="disabled-resource",
            hint="refer to it inside an `if` with the same condition",
        )
