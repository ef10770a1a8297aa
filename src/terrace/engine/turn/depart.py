"""The way out: an incarnation that nobody wants goes when nothing refers to it any more."""

from __future__ import annotations

from msgspec.structs import replace

from terrace.engine.stack import spread
from terrace.engine.stack.state import Live, StackState
from terrace.engine.turn import adopt, copies, hooks, restores
from terrace.engine.turn.moves import Moves
from terrace.model.graph import Keep
from terrace.model.record import Intent, Record, State
from terrace.model.seen import Absent, Names, NotSeen, Owner
from terrace.model.step import Step, Verb
from terrace.ports.store import Ruling


def depart(state: StackState, moves: Moves, live: Live, record: Record, now: float) -> None:
    """Takes one departing incarnation as far as it can go at the moment."""
    if record.key in state.running:
        return
    if live.current is not None and live.current.key != record.key and record.key not in state.held:
        record = live.older.get(record.incarnation, record)
    held = state.held.get(record.key)
    if held is not None and now < held[0]:
        # A path keeps only its nearest time to look, and another incarnation of it may have had that one.
        state.agenda.look_at(held[0], live.path)
        return
    if _never_made(state, record, now):
        finish(state, live, record, "it was never made", now)
        return
    composite = state.rules.kinds[record.kind].composite
    if composite and live.node is None and _entered(state, live, record, now):
        return
    # A delete intent that was committed is never taken back, so nothing holds it any more.
    why = "" if record.deleting else blocked(state, live, record)
    if why:
        _wait(state, live, record, why, now)
        return
    due = "" if record.deleting else hooks.leaving(state, live, record, spread.PRE_DELETE)
    if due:
        hooks.hold(state, live, record, due, now)
    elif composite or record.shared:
        finish(state, live, record, "", now)
    elif record.adopted == adopt.EXTERNAL:
        state.say(
            "resource.released", now, live.path, f"{record.provider_id} was external, and stays as it is"
        )
        finish(state, live, record, "", now, quiet=True)
    elif copies.due(state, live, record) and copies.possible(state, record):
        _copy(state, moves, live, record, now)
    elif (
        copies.due(state, live, record)
        or record.keep is Keep.RETAIN
        or (state.generation is not None and state.generation.keeping)
    ):
        _retain(state, live, record, now)
    else:
        _delete(state, moves, live, record, now)


def _entered(state: StackState, live: Live, record: Record, now: float) -> bool:
    """Whether a composite that goes is held before anything in it is touched; lets what is in it go when it is not."""
    due = hooks.leaving(state, live, record, spread.PRE_DELETE)
    if due:
        hooks.hold(state, live, record, due, now)
        return True
    for child in list(live.children.values()):
        if child.node is not None or child.undecided:
            spread.unwant(state, child)
    return False


def _never_made(state: StackState, record: Record, now: float) -> bool:
    """Whether there is surely nothing to delete."""
    if record.provider_id or state.rules.kinds[record.kind].composite:
        return False
    if record.applied is None:
        return True
    capabilities = state.rules.capabilities.get(record.provider)
    if capabilities is not None and record.kind in capabilities.recorded:
        return record.seen is None
    return isinstance(state.sighting(record, now), Absent)


def blocked(state: StackState, live: Live, record: Record) -> str:
    """What still keeps a departing incarnation, in words; "" for nothing."""
    urgent = record.incarnation in live.urgent
    if live.node is not None and not urgent and not live.ready:
        return f"until {live.path}'s next incarnation is ready"
    for key in state.tied.get(record.key, ()):
        found = state.record(key)
        if found is None or found[0] is live:
            continue
        holder, other = found
        bound = any(tie.bound for tie in other.ties if (tie.uid, tie.incarnation) == record.key)
        if bound and urgent and not other.departing:
            spread.let_go(state, holder, other, f"{live.path} is being replaced")
        if bound or not urgent:
            return f"still used by {holder.path}"
    if any(child.current or child.older for child in live.children.values()) and live.node is None:
        return "until what is in it is gone"
    above = live.parent
    while above is not None and live.node is None:
        if above.node is None and above.current is None:
            for older in above.older.values():
                for key in state.tied.get(older.key, ()):
                    found = state.record(key)
                    if found is not None and not inside(found[0], above):
                        return f"{above.path} is still used by {found[0].path}"
        above = above.parent
    return ""


def inside(live: Live, composite: Live) -> bool:
    """Whether a life stands below a composite (or is it)."""
    return live.path == composite.path or live.path.startswith(composite.path + "/")


def _wait(state: StackState, live: Live, record: Record, why: str, now: float) -> None:
    to = State.FAILING if record.fault and record.fault.retry_at > now else State.DEPARTING
    state.set_state(live, record, to, why, now)


def _delete(state: StackState, moves: Moves, live: Live, record: Record, now: float) -> None:
    sighting = state.sighting(record, now)
    if isinstance(sighting, Absent):
        finish(state, live, record, "", now)
        return
    if record.provider in state.restored and not record.deleting:
        _wait(state, live, record, restores.WAITING, now)
        return
    if state.stack.forget and (isinstance(sighting, NotSeen) or (record.fault and record.fault.attempts > 0)):
        _give_up(state, live, record, sighting.why if isinstance(sighting, NotSeen) else "", now)
        return
    if record.fault is not None and record.fault.retry_at > now:
        state.agenda.look_at(record.fault.retry_at, live.path)
        state.set_state(live, record, State.FAILING, record.fault.message, now)
        return
    if isinstance(sighting, NotSeen) and (not record.provider_id or record.provider in state.silent):
        state.set_state(
            live,
            record,
            State.UNKNOWN if record.provider in state.silent else State.DEPARTING,
            sighting.why,
            now,
        )
        return
    held = state.held.pop(record.key, None)
    if held is not None:
        moves.submit(record.key, held[1], held[2])
        return
    handle = record.intent.handle if record.intent and record.intent.verb is Verb.DELETE else ""
    intent = Intent(Verb.DELETE, now, handle=handle, epoch=state.epoch)
    made = state.set_state(
        live,
        record,
        State.DELETING,
        "replaced" if live.node is not None else "no longer wanted",
        now,
        intent=intent,
        deleting=True,
        hook="",
    )
    stack = state.stack
    moves.submit(
        made.key,
        made.provider,
        Step(
            verb=Verb.DELETE,
            kind=made.kind,
            owner=Owner(state.installation, made.uid, made.incarnation, made.digest),
            names=Names(stack.project, stack.name, made.named or made.path),
            provider_id=made.provider_id,
            handle=handle,
            attributes=made.seen.attributes if made.seen else {},
        ),
    )


def _stays(state: StackState, live: Live, record: Record) -> bool:
    """Whether the thing itself is kept: its policy says so, the stack is abandoned, or it cannot be copied as it
    should."""
    if record.keep is Keep.RETAIN or (state.generation is not None and state.generation.keeping):
        return True
    return copies.due(state, live, record) and not copies.possible(state, record)


def _copy(state: StackState, moves: Moves, live: Live, record: Record, now: float) -> None:
    """What it holds is copied before it goes."""
    sighting = state.sighting(record, now)
    if isinstance(sighting, Absent):
        finish(state, live, record, "", now)
    elif copies.waits(record, now) and record.fault is not None:
        state.agenda.look_at(record.fault.retry_at, live.path)
        state.set_state(live, record, State.FAILING, record.fault.message, now)
    elif record.provider in state.silent and isinstance(sighting, NotSeen):
        state.set_state(live, record, State.UNKNOWN, sighting.why, now)
    else:
        held = state.held.pop(record.key, None)
        if held is not None:
            moves.submit(record.key, held[1], held[2])
            return
        made, step = copies.intend(state, live, record, now)
        moves.submit(made.key, made.provider, step)


def _disowned(state: StackState, record: Record) -> Ruling:
    return Ruling(
        provider=record.provider,
        provider_id=record.provider_id,
        what=adopt.RELEASED if record.adopted else "disowned",
        uid=record.uid,
        stack=state.stack.id,
        path=record.path,
        kind=record.kind,
        incarnation=record.incarnation,
    )


def _retain(state: StackState, live: Live, record: Record, now: float) -> None:
    if not record.provider_id and record.intent is not None and not state.stack.forget:
        state.observe.add(record.provider)
        _wait(state, live, record, "until it is known whether it was made", now)
        return
    if record.provider_id:
        ruling = _disowned(state, record)
        state.turn.rulings.append(ruling)
        state.ledger[record.path] = ruling
        state.say("resource.retained", now, live.path, f"kept as {record.provider_id}, no longer managed")
    finish(state, live, record, "", now, quiet=True)


def _give_up(state: StackState, live: Live, record: Record, why: str, now: float) -> None:
    if record.provider_id:
        state.turn.rulings.append(_disowned(state, record))
    state.say(
        "resource.forgotten",
        now,
        live.path,
        f"{record.provider_id or 'unknown id'} may still exist: {why}".rstrip(": "),
    )
    finish(state, live, record, "", now, quiet=True)


def finish(state: StackState, live: Live, record: Record, why: str, now: float, quiet: bool = False) -> None:
    """A departing incarnation is gone: its record is dropped, and what waited for that is looked at. A hook may hold
    the record for a while."""
    due = hooks.leaving(state, live, record, "post-delete") if record.hooks and not record.adopted else ""
    if due:
        gone = replace(
            record, provider_id="", applied=None, seen=None, intent=None, ties=(), claims=(), fault=None
        )
        hooks.hold(state, live, gone, due, now)
        return
    state.hooked.discard(live.path)
    if not quiet and not record.shared and record.applied is not None:
        state.say("resource.gone", now, live.path, why, State.GONE)
    record = replace(record, state=State.GONE)
    state.drop(live, record)
    for above in _above(live):
        state.agenda.touch(above.path)
    if not live.older and live.settled:
        state.unsettled.discard(live.path)


def _above(live: Live) -> list[Live]:
    found = []
    while live.parent is not None:
        live = live.parent
        found.append(live)
    return found
