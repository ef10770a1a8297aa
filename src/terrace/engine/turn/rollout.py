"""How fast the children of a composite may change."""

from __future__ import annotations

from typing import cast

from terrace.engine.stack.state import Live, StackState
from terrace.model.decision import Rollout
from terrace.model.record import State

FREE = Rollout()
AT_ONCE = 2
UP = ("running", "available")
AT_WORK = (State.READY, State.WAITING, State.UPDATING, State.UNKNOWN)
MOVING = (State.CREATING, State.UPDATING, State.HEALING, State.DEPARTING, State.DELETING)


def holds_back(state: StackState, live: Live, now: float, *, gentle: bool = False) -> str:
    """Why this child must not change now under its composite's rollout; "" when it may. One that must not
    waits in its composite's queue. `gentle`: it goes on doing its work while it changes."""
    parent = live.parent
    if parent is None or parent.expansion is None:
        return ""
    rule = parent.expansion.rollout
    if rule == FREE:
        return ""
    why = _reason(state, live, rule, now, gentle)
    if why:
        parent.queue[live.path] = None
        return why
    parent.queue.pop(live.path, None)
    if parent.queue:
        state.agenda.touch(parent.path)
    return ""


def call_up(state: StackState, parent: Live) -> None:
    """Has the next of those that wait for their turn try again, and all that do no work at the moment. Where one may
    go, its composite is looked at again: so a long queue costs what moves, and not all of it each time."""
    called = 0
    for path in list(parent.queue):
        child = state.lives.get(path)
        if called < AT_ONCE or child is None or not available(child):
            called += 1
            del parent.queue[path]
            state.agenda.touch(path)


def _reason(state: StackState, live: Live, rule: Rollout, now: float, gentle: bool) -> str:
    parent = cast("Live", live.parent)
    siblings = [child for child in parent.children.values() if child is not live and child.node is not None]
    new = not _stood(live)
    batch, hold = (rule.making, rule.pause) if new else (rule.batch, rule.hold)
    if batch:
        moving = [child for child in siblings if is_moving(child) and _stood(child) is not new]
        if not available(live):
            moving = [child for child in moving if not _meant_only(state, child)]
        if len(moving) >= batch:
            return f"waiting for its turn: {moving[0].path} goes first"
    if rule.unavailable is not None and available(live):
        away = [child for child in siblings if not available(child)]
        # What goes on serving meanwhile, as what is inside a composite does where it can, may change unless one that
        # changed before it does not do its work.
        if len(away) >= max(rule.unavailable, gentle or bool(live.children)):
            if away:
                return f"waiting for {away[0].path}"
            _ask_for_more(state, parent)
            return "waiting for more members: none may be away"
    if not hold:
        return ""
    for child in siblings:
        if child.ready_at and child.ready and child.ready_at + hold > now:
            state.agenda.look_at(child.ready_at + hold, live.path)
            return f"waiting for {child.path} to prove itself"
    return ""


def _ask_for_more(state: StackState, parent: Live) -> None:
    """A composite none of whose children may be away is expanded again, with some more for as long as they change."""
    if not parent.short:
        parent.short = parent.stale = True
        state.agenda.touch(parent.path)


def _stood(child: Live) -> bool:
    """Whether a child was ever ready: it changes; otherwise it is made."""
    if child.children:
        return child.current is not None and bool(child.current.ready)
    return bool(child.older) or (child.current is not None and bool(child.current.ready))


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


def _meant_only(state: StackState, child: Live) -> bool:
    """Whether a child was about to change when its engine died, or is to try again: nothing is done to it at the
    moment, and it may itself wait for one that is down."""
    if child.children:
        return all(_meant_only(state, below) for below in child.children.values() if is_moving(below))
    record = child.current
    return (
        not child.older and record is not None and record.intent is not None and record.key not in state.doing
    )


def available(child: Live) -> bool:
    """Whether a child does its work at the moment, be it by the incarnation that another is to take the place of."""
    if child.children:
        return all(available(below) for below in child.children.values())
    for older in child.older.values():
        going = older.deleting or older.incarnation in child.urgent
        if older.ready and not going and older.seen is not None and older.seen.state in UP:
            return True
    record = child.current
    return record is not None and bool(record.ready) and not child.lacking and record.state in AT_WORK
