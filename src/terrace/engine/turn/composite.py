"""Composites: expanded when their inputs are known, ready when all that is in them is."""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from terrace.engine.stack import gate, spread, want
from terrace.engine.stack.contents import contents
from terrace.engine.stack.read import blueprint_of
from terrace.engine.stack.state import Live, StackState, next_incarnation
from terrace.engine.turn import hooks, rollout
from terrace.errors import SpecError
from terrace.model.decision import Expansion, Refuse
from terrace.model.graph import Node
from terrace.model.record import Fault, Record, State
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Composite, Wanted


def advance_composite(state: StackState, live: Live, now: float) -> None:
    """Decides one composite: whether it may open, what is in it, whether all of that is settled."""
    record = live.current or _recall(state, live) or blank(state, live, now)
    blocked = gate.open_gate(state, live) or ("" if live.opened else rollout.holds_back(state, live, now))
    if blocked:
        live.blocked = blocked
        _unsettled(state, live)
        if record.state in (State.WAITING, State.UNDECIDED):
            state.set_state(live, record, State.WAITING, blocked, now)
        return
    due = "" if live.opened or live.node is None else hooks.opening(state, live.node, record, "pre-create")
    if due:
        live.blocked = hooks.hold(state, live, record, due, now).why
        _unsettled(state, live)
        return
    if live.stale or live.expansion is None or live.wanted is None:
        if not _expand(state, live, record, now):
            return
        record = cast("Record", live.current)
    if not live.opened:
        live.opened = True
        for child in live.children.values():
            state.agenda.touch(child.path)
    _summarise(state, live, record, now)


def _recall(state: StackState, live: Live) -> Record | None:
    for number in sorted(live.older, reverse=True):
        record = replace(live.older[number], departing=False)
        state.put(live, record)
        return record
    return None


def blank(state: StackState, live: Live, now: float) -> Record:
    """The record of a composite that has none yet."""
    node = live.node
    assert node is not None
    record = Record(
        path=live.path,
        kind=node.kind,
        uid=live.uid,
        incarnation=next_incarnation(live),
        parent=live.parent.path if live.parent else "",
        state=State.WAITING,
        since=now,
        applied={},
        type_name=node.type_name,
        implied=node.implied,
        named=live.named,
    )
    state.put(live, record)
    return record


def _expand(state: StackState, live: Live, record: Record, now: float) -> bool:
    """Works out the children; False when they cannot be known now."""
    node = live.node
    assert node is not None
    try:
        values = want.evaluate_properties(state, node)
        asked = contents(state, node, values)
        obstacle = hooks.changing(state, node, record, asked)
        if obstacle:
            return _held(state, live, record, obstacle, now)
        wanted, expansion = _instantiate(state, live, values, record, now)
    except SpecError as error:
        return _refused(state, live, record, Refuse(error.message, error.hint), now, error.code)
    if expansion.undecided:
        _unsettled(state, live)
        live.expansion = live.expansion or expansion
        state.set_state(live, record, State.UNDECIDED, expansion.undecided, now)
        return False
    live.wanted = wanted
    live.stale = False
    _adopt(state, live, expansion)
    record = cast("Record", live.current)
    fields: dict[str, Any] = {"memory": expansion.memory, "ties": gate.ties(state, live)}
    changes = {name: value for name, value in fields.items() if value != getattr(record, name)}
    changes |= hooks.changed(node, record, asked)
    if not changes.get("hook", record.hook):
        state.hooked.discard(live.path)
    if changes:
        state.set_state(live, record, record.state, record.why, now, **changes)
    if expansion.look_again:
        state.agenda.look_at(expansion.look_again, live.path)
    return True


def _held(state: StackState, live: Live, record: Record, obstacle: Refuse | str, now: float) -> bool:
    """Leaves a composite, and what is in it, as it is."""
    if isinstance(obstacle, Refuse):
        return _refused(state, live, record, obstacle, now)
    live.blocked = hooks.hold(state, live, record, obstacle, now).why
    _unsettled(state, live)
    return False


def _refused(
    state: StackState, live: Live, record: Record, why: Refuse, now: float, code: str = SpecError.code
) -> bool:
    _unsettled(state, live)
    fault = Fault(why.reason, code, why.hint, permanent=True, retry_at=now)
    if record.fault is None or record.fault.message != why.reason:
        state.set_state(live, record, State.FAILING, why.reason, now, fault=fault)
    return False


def _instantiate(
    state: StackState, live: Live, values: dict[str, Any], record: Record, now: float
) -> tuple[Wanted, Expansion]:
    node = cast("Node", live.node)
    kind = cast("Composite", state.rules.kinds[node.kind])
    wanted = want.want(state, live, values)
    spec = kind.spec(wanted.spec, node, Capabilities(kinds=frozenset()))
    wanted = replace(wanted, spec=spec, short=live.short)
    return wanted, kind.expand(
        wanted, blueprint_of(state.generation, node.blueprint), record, _children(live), now
    )


def expand_for_plan(state: StackState, live: Live, values: dict[str, Any], now: float) -> Expansion:
    """The children a composite would have, from properties that may hold UNKNOWN. SpecError when they do not fit."""
    return _instantiate(state, live, values, live.current or blank(state, live, now), now)[1]


def _children(live: Live) -> dict[str, Child]:
    found = {}
    for key, child in live.children.items():
        record = child.current
        if record is not None:
            found[key] = Child(
                key, record.state, child.ready, record.since if record.applied is not None else 0.0
            )
    return found


def _adopt(state: StackState, live: Live, expansion: Expansion) -> None:
    """Makes the expansion what is wanted below a composite."""
    before, live.expansion = live.expansion, expansion
    wanted = set()
    for node in expansion.children:
        child = state.live(node.path)
        wanted.add(child.key)
        if not live.opened or child.undecided or child.node != node:
            state.want(child, node)
    for key, child in list(live.children.items()):
        if key not in wanted and (child.node is not None or child.undecided):
            live.pending.discard(child.path)
            spread.unwant(state, child)
        elif not live.opened or key not in wanted:
            state.agenda.touch(child.path)
    for child in live.children.values():
        if child.expansion is not None:
            child.stale = True
            state.agenda.touch(child.path)
        elif child.node is not None:
            child.stale = True
    if before is not None and before != expansion:
        for child in live.children.values():
            state.agenda.touch(child.path)
        spread.touch_dependents(state, live)


def _unsettled(state: StackState, live: Live) -> None:
    live.settled = False
    state.unsettled.add(live.path)
    if live.parent is not None:
        spread.settle_parent(state, live)


def _summarise(state: StackState, live: Live, record: Record, now: float) -> None:
    """Ready and settled when every child is."""
    rollout.call_up(state, live)
    leaving = any(child.node is None for child in live.children.values())
    if live.pending or leaving:
        _unsettled(state, live)
        if not live.pending or record.state in (State.WAITING, State.UNDECIDED, State.READY, State.FAILING):
            to = State.UPDATING if record.ready else State.CREATING
            state.set_state(live, record, to, "bringing up what is in it", now, fault=None)
        if live.pending:
            return
    due = hooks.opening(state, cast("Node", live.node), record, "post-create")
    due = due or (hooks.still(state, record) if record.post else "")
    if due:
        hooks.hold(state, live, record, due, now)
        _unsettled(state, live)
        return
    if not leaving:
        state.set_state(
            live,
            record,
            State.READY,
            "",
            now,
            ready=record.ready or _generation(state),
            fault=None,
            **_let_go(state, live, record),
        )
        if live.short:
            live.short, live.stale = False, True
            state.agenda.touch(live.path)
        live.settled = True
        state.unsettled.discard(live.path)
        if live.parent is not None:
            spread.settle_parent(state, live)
    if not live.ready:
        live.ready = live.healthy = True
        live.ready_at = now
        spread.wake(state, live)
        spread.touch_dependents(state, live)


def _let_go(state: StackState, live: Live, record: Record) -> dict[str, Any]:
    """What changes in a record that no hook holds any more."""
    state.hooked.discard(live.path)
    return {"hook": "", "post": ""} if record.hook or record.post else {}


def _generation(state: StackState) -> int:
    return state.generation.number if state.generation else 0
