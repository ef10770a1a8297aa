"""From a node to what is wanted of it: properties evaluated, typed, and in plain form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from terrace.engine.expression import evaluate
from terrace.engine.form import digest, form
from terrace.engine.stack import sizes
from terrace.engine.stack.read import inputs_of, looking, lookup, read_input, readable
from terrace.engine.stack.state import Live, StackState
from terrace.errors import SpecError
from terrace.model.graph import Name, Node
from terrace.model.record import Record
from terrace.model.spec import SPECS
from terrace.model.value import Call, Ref, Unknown, holds
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Kind, Wanted

EXTERNAL_ID = "external_id"


def evaluate_properties(state: StackState, node: Node) -> dict[str, Any]:
    """The node's properties with expressions evaluated; UNKNOWN inside where something is not known yet."""
    asked = asked_of(node)
    if not holds(asked, Ref) and not holds(asked, Call):
        return asked
    names: set[Name] = set()
    look = looking(state, state.lives[node.path], lambda r: lookup(state, r), names)
    values: dict[str, Any] = evaluate(asked, look, lambda a: read_input(state, a))
    if names or node.path in state.imports.by_path:
        state.imports.settle(node.path, names)
    return values


def asked_of(node: Node) -> dict[str, Any]:
    """What has to be known of a node before it can be acted on: of an external one only which thing it is."""
    return {EXTERNAL_ID: node.external_id} if node.external_id else node.properties


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
    directives = state.directives.get(node.path, {})
    if node.external_id:
        spec, plain = None, dict(values)
    else:
        resolved = kind.resolve(values, lambda one: thing(state, one))
        capabilities = sizes.known(state, live, resolved, capabilities)
        spec = _spec(kind, resolved, live, capabilities)
        sizes.check(state, live, spec, capabilities)
        spec = kind.directed(spec, directives) if directives else spec
        plain = form(spec, rules.mask)
    return Wanted(
        node=node,
        spec=spec,
        form=plain,
        digest=digest(plain),
        generation=state.generation.number if state.generation else 0,
        directives=directives,
        asked=state.generation.created if state.generation else 0.0,
    )


def _spec(kind: Kind, values: Mapping[str, Any], live: Live, capabilities: Capabilities) -> Any:
    """The typed spec. What was moved keeps the names that followed from its first path, but answers to the new one."""
    node = cast("Node", live.node)
    spec: Any = kind.spec(values, node, capabilities)
    if not live.named:
        return spec
    named: Any = kind.spec(values, msgspec.structs.replace(node, path=live.named), capabilities)
    return msgspec.structs.replace(named, aliases=spec.aliases) if hasattr(spec, "aliases") else named


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
    if bool(record.adopted == "external") != bool(live.node.external_id):
        return None
    if live.node.external_id:
        return Wanted(node=live.node, spec=None, form=record.applied, digest=record.digest)
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
