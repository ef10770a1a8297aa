"""Reading a stack from inside: what a reference or an input of a composite stands for at the moment."""

from __future__ import annotations

from typing import Any, cast

from terrace.engine.expression import Lookup, evaluate, follow, walk
from terrace.engine.stack.state import Live, StackState
from terrace.errors import SpecError
from terrace.model.graph import Name, owned_name
from terrace.model.record import Record
from terrace.model.stack import Generation
from terrace.model.value import EXPORTS, UNKNOWN, Ref, Secret, Unknown, holds
from terrace.ports.kind import Composite


def readable(live: Live) -> Record | None:
    """The newest incarnation that was ever ready: what a reference means."""
    current = live.current
    if current is not None and current.ready and current.seen is not None:
        return current
    for record in reversed(live.records()):
        if record.ready and record.seen is not None:
            return record
    return None


def lookup(state: StackState, ref: Ref) -> Any:
    """The value of a reference; UNKNOWN while there is none."""
    live = state.lives.get(ref.node)
    if live is None or live.undecided or live.node is None:
        return UNKNOWN
    kind = state.rules.kinds[live.node.kind]
    if kind.composite:
        if live.expansion is None or live.expansion.undecided:
            return UNKNOWN
        expression = cast("Composite", kind).attribute(live.expansion, ref.path)
        return evaluate(expression, lambda r: lookup(state, r), lambda a: read_input(state, a))
    record = readable(live)
    if record is None or record.seen is None:
        return UNKNOWN
    if not ref.path:
        return kind.reference(record.seen)
    return walk(record.seen.attributes, ref.path)


def looking(state: StackState, live: Live, lookup: Lookup, names: set[Name]) -> Lookup:
    """`lookup` that also knows what other stacks export. What is read of them is noted in `names`."""

    def look(ref: Ref) -> Any:
        if ref.node != EXPORTS:
            return lookup(ref)
        name = _name(state, live, ref.path)
        if name is UNKNOWN:
            return UNKNOWN
        names.add(name)
        return state.imports.read(live.path, name)

    return look


def _name(state: StackState, live: Live, path: tuple[Any, ...]) -> Any:
    if UNKNOWN in path:
        return UNKNOWN
    if len(path) < 2:  # what the resource's own stack gives, in that project
        return Name(str(path[0]) if path else state.stack.project, owned_name(live.path, live.uid))
    stack, output = path
    for field, text in (("stack", stack), ("output", output)):
        if not isinstance(text, str) or not text:
            raise SpecError("must be a name that everybody may see", (field,))
    return Name(state.stack.project, stack, output)


def read_input(state: StackState, args: tuple[Any, ...]) -> Any:
    """A composite's own input: args are (path of the composite, name, *path inside). A bad path gives ''."""
    path, name, *rest = args
    live = state.lives.get(path)
    if live is None or live.values is None:
        return UNKNOWN
    return step_into(live.values, name, tuple(rest))


def step_into(values: dict[str, Any], name: str, rest: tuple[Any, ...]) -> Any:
    """The input `name` and what `rest` leads to inside it ('' where it leads nowhere, as get_param does)."""
    found = values.get(name)
    return follow(found, rest) if rest else found


def inputs_of(state: StackState, live: Live, evaluated: dict[str, Any]) -> dict[str, Any]:
    """A composite's inputs as its children see them: given ones over the blueprint's defaults, hidden ones secret."""
    node = live.node
    blueprint = blueprint_of(state.generation, node.blueprint) if node else None
    if blueprint is None:
        return evaluated
    merged = {**blueprint.parameters, **evaluated}
    for name in blueprint.hidden:
        if name in merged and merged[name] is not UNKNOWN:
            merged[name] = Secret(merged[name])
    return merged


def blueprint_of(generation: Generation | None, name: str) -> Any:
    """The blueprint of that name in the generation's graph, None when there is none."""
    return generation.graph.blueprints.get(name) if generation and name else None


def outputs(state: StackState) -> dict[str, Any]:
    """The stack's outputs, evaluated; None where something is not known yet."""
    if state.generation is None:
        return {}
    found = {}
    for name, output in state.generation.graph.outputs.items():
        value = evaluate(output.value, lambda r: lookup(state, r), lambda a: read_input(state, a))
        found[name] = _known(value)
    return found


def exported(state: StackState) -> dict[str, Any] | None:
    """What the stack exports, when that has changed since it was last asked: all outputs that are known."""
    values = {}
    for name, expression in state.exports.take().items():
        try:
            value = evaluate(expression, lambda r: lookup(state, r), lambda a: read_input(state, a))
        except SpecError:
            continue  # whoever asks for the outputs is told; nobody else gets to see it
        if not holds(value, Unknown):
            values[name] = value
    return state.exports.learn(values)


def _known(value: Any) -> Any:
    if value is UNKNOWN:
        return None
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return value
