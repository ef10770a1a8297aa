"""How a change spreads: to what waited, to what refers, to the composite above."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from terrace.engine.stack.state import Live, StackState
from terrace.model.record import Record, State

PRE_DELETE = "pre-delete"


def wake(state: StackState, live: Live) -> None:
    """Touches what waited for `live` to get further."""
    for path in state.waiters.pop(live.path, ()):
        state.agenda.touch(path)


def unwant(state: StackState, live: Live) -> None:
    """A life and all below it are no longer wanted. What is in a composite that a person is asked about first stays
    until then (see turn/depart.py)."""
    stack = [live]
    while stack:
        one = stack.pop()
        if not any(PRE_DELETE in record.hooks for record in one.records()):
            stack.extend(one.children.values())
        if one.node is not None or one.undecided:
            state.want(one, None)
        state.agenda.touch(one.path)


def settle_parent(state: StackState, live: Live) -> None:
    """Tells a composite that one of its children is settled (or is no longer)."""
    parent = cast("Live", live.parent)
    if live.settled and live.path in parent.pending:
        parent.pending.discard(live.path)
        state.agenda.touch(parent.path)
    elif not live.settled and live.path not in parent.pending:
        parent.pending.add(live.path)
        state.agenda.touch(parent.path)


def touch_dependents(state: StackState, live: Live) -> None:
    """Dependents (also those of the composites above) are evaluated again."""
    one: Live | None = live
    while one is not None:
        for path in state.dependents.get(one.path, ()):
            dependent = state.lives[path]
            dependent.stale = True
            state.agenda.touch(path)
        one = one.parent


def unready(state: StackState, live: Live) -> None:
    """A life has a new incarnation: what comes after it waits again, unless it stands already."""
    live.ready = live.settled = live.healthy = False
    for path in state.dependents.get(live.path, ()):
        state.lives[path].gate = 0
    ancestor = live.parent
    child = live
    while ancestor is not None:
        ancestor.pending.add(child.path)
        if not ancestor.ready:
            break
        ancestor.ready = ancestor.settled = False
        state.unsettled.add(ancestor.path)
        child, ancestor = ancestor, ancestor.parent


def let_go(state: StackState, live: Live, record: Record, why: str) -> None:
    """An attachment goes with the end that goes; it is made again when that end stands again."""
    live.urgent.add(record.incarnation)
    state.put(live, replace(record, departing=True, state=State.DEPARTING, why=why))
    unready(state, live)
    state.agenda.touch(live.path)
