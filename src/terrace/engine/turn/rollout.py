"""How fast the children of a composite may change."""

from __future__ import annotations

from terrace.engine.stack.state import Live, StackState
from terrace.model.decision import Rollout
from terrace.model.record import State

MOVING = (State.CREATING, State.UPDATING, State.HEALING, State.DEPARTING, State.DELETING)


def holds_back(state: StackState, live: Live, now: float) -> str:
    """Why this child must not change now under its composite's rollout; "" when it may. One that must not
    waits in its composite's queue."""
    parent = live.parent
    if parent is None or parent.expansion is None:
        return ""
    rule = parent.expansion.rollout
    if not rule.batch and rule.unavailable is None and not rule.hold:
        return ""
    why = _reason(state, live, parent, rule, now)
    if why:
        parent.queue[live.path] = None
    return why


def _reason(state: StackState, live: Live, parent: Live, rule: Rollout, now: float) -> str:
    siblings = [child for child in parent.children.values() if child is not live and child.node is not None]
    moving = [child for child in siblings if is_moving(child)]
    if rule.batch and len(moving) >= rule.batch:
        return f"waiting for its turn: {moving[0].path} goes first"
    if rule.unavailable is not None and live.current is not None and live.current.ready:
        away = [child for child in siblings if not available(child)]
        if len(away) >= rule.unavailable and available(live):
            return f"waiting for {away[0].path}" if away else "none may be unavailable now"
    for child in siblings:
        if rule.hold and child.ready_at and child.ready and child.ready_at + rule.hold > now:
            state.agenda.look_at(child.ready_at + rule.hold, live.path)
            return f"waiting for {child.path} to prove itself"
    return ""


def is_moving(child: Live) -> bool:
    """Whether anything is being done to a child or below it."""
    if child.children:
        return any(is_moving(below) for below in child.children.values())
    record = child.current
    if child.lacking and not child.stuck:
        return True
    if child.older or (record is not None and record.intent is not None):
        return True
    queued = child.parent is not None and child.path in child.parent.queue
    return record is not None and record.state in MOVING and not queued


def available(child: Live) -> bool:
    """Whether a child does its work at the moment."""
    if child.children:
        return all(available(below) for below in child.children.values())
    record = child.current
    return (
        record is not None
        and bool(record.ready)
        and not child.lacking
        and record.state in (State.READY, State.WAITING, State.UNKNOWN)
    )
