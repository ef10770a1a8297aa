"""From a node to what is wanted of it: properties evaluated, typed, and in plain form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from terrace.engine.expression import evaluate
from terrace.engine.form import digest, form
from terrace.engine.stack.read import inputs_of, looking, lookup, read_input, readable
from terrace.engine.stack.state import Live, StackState
from terrace.errors import SpecError
from terrace.model.graph import Name, Node
from terrace.model.record import Record
from terrace.model.spec import SPECS
from terrace.model.value import Call, Ref, Unknown, holds
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted


def evaluate_properties(state: StackState, node: Node) -> dict[str, Any]:
    """The node's properties with expressions evaluated; UNKNOWN inside where something is not known yet."""
    if not holds(node.properties, Ref) and not holds(node.properties, Call):
        return node.properties
    names: set[Name] = set()
    look = looking(state, state.lives[node.path], lambda r: lookup(state, r), names)
    values: dict[str, Any] = evaluate(node.properties, look, lambda a: read_input(state, a))
    if names or node.path in state.imports.by_path:
        state.imports.settle(node.path, names)
    return values


def want(state: StackState, live: Live, values: dict[str, Any]) -> Wanted:
    """What is wanted of a life, from evaluated properties. SpecError when they do not fit the kind."""
    node = live.node
    if node is None:
        raise SpecError("nothing is wanted here")
    rules = state.rules
    kind = rules.kinds[node.kind]
    if kind.composite:
        live.values = inputs_of(state, live, values)
        return Wanted(
            node=node,
            spec=live.values,
            form={},
            generation=state.generation.number if state.generation else 0,
            directives=state.directives.get(node.path, {}),
        )
    capabilities = rules.capabilities.get(rules.provider(node), Capabilities(kinds=frozenset()))
    spec: Any = kind.spec(kind.resolve(values, lambda one: thing(state, one)), node, capabilities)
    plain = form(spec, rules.mask)
    return Wanted(
        node=node,
        spec=spec,
        form=plain,
        digest=digest(plain),
        generation=state.generation.number if state.generation else 0,
        directives=state.directives.get(node.path, {}),
    )


def thing(state: StackState, reference: str) -> Mapping[str, Any] | None:
    """The attributes of the thing of this stack that Terrace itself made under this reference id; None for none."""
    live = state.by_uid.get(reference.rpartition("-")[0])
    record = readable(live) if live is not None else None
    if record is None or record.seen is None or record.provider_id != reference:
        return None
    return record.seen.attributes


def remembered(live: Live, record: Record) -> Wanted | None:
    """What was last applied, as if wanted: enough to heal a thing whose inputs are not known at the moment."""
    if live.node is None or record.applied is None or record.kind not in SPECS:
        return None
    try:
        spec: Any = msgspec.convert(record.applied, SPECS[record.kind])
    except msgspec.ValidationError:
        return None
    return Wanted(
        node=live.node, spec=spec, form=record.applied, digest=record.digest, generation=record.generation
    )


def first_unknown(state: StackState, live: Live) -> str:
    """Which reference keeps a life's properties from being known, in words."""
    for edge in live.deps:
        target = state.lives.get(edge.node)
        if target is None or not target.ready:
            return f"waiting for {edge.node}"
    return state.imports.why(live.path) or "waiting for a value that is not known yet"


def unknown_in(values: dict[str, Any]) -> bool:
    """Whether anything in evaluated properties is still unknown."""
    return holds(values, Unknown)
