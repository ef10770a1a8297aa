"""Whether a life may be worked on: its composite is open, and what its edges name has got far enough."""

from __future__ import annotations

from terrace.engine.stack.read import readable
from terrace.engine.stack.state import Live, StackState
from terrace.model.graph import Edge, Until
from terrace.model.record import Tie


def open_gate(state: StackState, live: Live) -> str:
    """ "" when everything that `live` comes after has got far enough, else what it waits for. Satisfied
    edges are counted once (`live.gate`), so a fan-in of n costs n in all."""
    parent = live.parent
    if parent is not None and not parent.opened:
        return parent.blocked or f"waiting for {parent.path}"
    deps = live.deps
    while live.gate < len(deps):
        edge = deps[live.gate]
        if not reached(state, edge):
            state.waiters.setdefault(edge.node, set()).add(live.path)
            return f"waiting for {edge.node}"
        live.gate += 1
    return ""


def reached(state: StackState, edge: Edge) -> bool:
    """Whether the target of an edge has got as far as the edge asks."""
    target = state.lives.get(edge.node)
    if target is None or target.node is None:
        return False
    if edge.until is Until.EXISTS:
        return target.ready or bool(target.current and target.current.provider_id)
    if edge.until is Until.HEALTHY:
        return target.ready and target.healthy
    return target.ready


def ties(state: StackState, live: Live) -> tuple[Tie, ...]:
    """The edges of a life resolved to incarnations, as they stand now."""
    found = []
    for edge in live.deps:
        target = state.lives.get(edge.node)
        record = (readable(target) or target.current) if target else None
        if record is not None:
            found.append(Tie(record.uid, record.incarnation, edge.until is Until.BOUND))
    return tuple(found)
