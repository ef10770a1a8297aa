"""One turn of a stack: every path that was touched is decided again, until nothing more follows without the
outside. What must be written and started gathers in the state's Turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from msgspec.structs import replace

from terrace.engine.stack import gate, moving, snapshots, spread, want
from terrace.engine.stack.read import readable
from terrace.engine.stack.state import Live, StackState, Turn
from terrace.engine.turn import depart, hooks
from terrace.engine.turn.composite import advance_composite
from terrace.engine.turn.moves import Moves, due_now
from terrace.errors import SpecError
from terrace.model.decision import Act, Refuse, Settled, Wait
from terrace.model.graph import Found
from terrace.model.record import Fault, Record, State
from terrace.model.seen import NotSeen, Present, Sighting
from terrace.model.stack import Directive, Generation
from terrace.model.step import Verb
from terrace.model.value import refs
from terrace.ports.kind import Wanted

HEALING = (Verb.START, Verb.UNPAUSE, Verb.STOP)
"""What needs no values and waits for nothing before it."""
COMING_UP = (State.CREATING, State.UPDATING, State.HEALING)


def desire(state: StackState, generation: Generation, now: float) -> None:
    """A new desired state. What it does not name is no longer wanted; what has failed is tried again at once."""
    if state.generation is not None:
        # What was last said of exports and uses may have been left out by the store, as of an older generation.
        state.exports.fresh = state.imports.changed = True
    state.generation = generation
    state.templates = {}
    wanted = {} if generation.deleting else {node.path: node for node in generation.graph.nodes}
    moving.follow(state, wanted, generation.graph.moved, now)
    wanted |= {} if generation.deleting else snapshots.nodes(state)
    for path, node in wanted.items():
        state.want(state.live(path), node)
    for live in list(state.lives.values()):
        if live.parent is None and live.path not in wanted:
            spread.unwant(state, live)
    outputs = {} if generation.deleting else generation.graph.outputs
    state.exports.desire(
        {name: output.value for name, output in outputs.items()},
        {name: refs(output.value) for name, output in outputs.items()},
    )
    own = state.stack.project
    inside = (use.name for use in generation.graph.uses if not use.path and not generation.deleting)
    state.imports.settle("", (replace(name, project=name.project or own) for name in inside))
    state.restoring = snapshots.pending(state)
    retry(state, now)


def arrive(state: StackState, found: Iterable[Found], now: float) -> None:
    """What other stacks export, as it is now: who reads it looks again."""
    had = set(state.imports.values)
    for path in state.imports.arrive(found):
        live = state.lives.get(path)
        if live is not None:
            live.stale = True
            state.agenda.touch(path)
    for name in sorted(had - state.imports.values.keys()):
        state.say(
            "export.gone", now, message=f"{name}: {state.imports.absent[name]}; what was read of it is kept"
        )


def direct(state: StackState, directives: Iterable[Directive]) -> None:
    """What is desired besides the template: paths of which that changed are decided again."""
    before, state.directives = state.directives, {}
    for one in directives:
        state.directives.setdefault(one.path, {})[one.what] = one.value
    paths = before.keys() | state.directives.keys()
    changed = [path for path in paths if before.get(path) != state.directives.get(path)]
    for path in state.lives if "" in changed else changed:
        live = state.lives.get(path)
        if live is not None:
            live.stale = True
            state.agenda.touch(path)
    if changed:
        _copies(state)


def _copies(state: StackState) -> None:
    """The copies of volumes that people want besides the template."""
    if state.generation is None or state.generation.deleting:
        return
    wanted = snapshots.nodes(state)
    for path, node in wanted.items():
        live = state.lives.get(path)
        if live is None or live.node != node:
            state.want(state.live(path), node)
    for path, live in list(state.lives.items()):
        if path.startswith(snapshots.PREFIX) and path not in wanted and live.node is not None:
            spread.unwant(state, live)
    before, state.restoring = state.restoring, snapshots.pending(state)
    if before != state.restoring:
        for path in state.lives:
            state.agenda.touch(path)


def retry(state: StackState, now: float) -> None:
    """What has failed is tried again at once."""
    for path in list(state.failing):
        live = state.lives.get(path)
        if live is None:
            continue
        for record in live.records():
            if record.fault and record.fault.retry_at > now:
                state.put(live, due_now(record, now))
        live.stale = True
        state.agenda.touch(path)


def permanent(state: StackState) -> str:
    """The first permanent failure among what is failing, or what no step of ours will ever bring about, in one line;
    "" for none."""
    for path in state.failing:
        live = state.lives.get(path)
        for record in live.records() if live else ():
            if record.fault is not None and record.fault.permanent:
                return f"{path}: {record.fault.message}"
    return _stuck(state)


def _stuck(state: StackState) -> str:
    """What a stack lacks in which nothing moves any more; "" while anything does."""
    if state.running or state.held:
        return ""
    found = ""
    for path in state.unsettled:
        live = state.lives.get(path)
        if live is None or live.node is None or live.older:
            return ""
        record = live.current
        if live.stuck and record is not None:
            found = found or f"{path}: {record.why}"
        elif not _held(state, live):
            return ""
    return found


def _held(state: StackState, live: Live) -> bool:
    """Whether a life moves only when others do: those in it, those it comes after, those whose turn is first."""
    if live.node is None or state.rules.kinds[live.node.kind].composite:
        return True
    queued = live.parent is not None and live.path in live.parent.queue
    return queued or bool(gate.open_gate(state, live))


def advance(state: StackState, now: float) -> Turn:
    """Decides everything that is touched or due, and hands over what is to be written and started."""
    state.agenda.due(now)
    moves = Moves(state)
    while batch := state.agenda.take():
        for path in batch:
            live = state.lives.get(path)
            if live is not None:
                _consider(state, moves, live, now)
    return rest(state)


def rest(state: StackState) -> Turn:
    """Decides nothing, and hands over what came in by itself."""
    turn, state.turn = state.turn, Turn()
    return turn


def _consider(state: StackState, moves: Moves, live: Live, now: float) -> None:
    if live.older:
        for record in list(live.older.values()):
            depart.depart(state, moves, live, record, now)
    if live.undecided:
        return
    if live.node is None:
        _unwanted(state, moves, live, now)
    elif state.rules.kinds[live.node.kind].composite:
        advance_composite(state, live, now)
    else:
        _wanted(state, moves, live, now)


def _unwanted(state: StackState, moves: Moves, live: Live, now: float) -> None:
    state.unsettled.discard(live.path)
    record = live.current
    if record is not None:
        departing = state.set_state(live, record, State.DEPARTING, "no longer wanted", now, departing=True)
        depart.depart(state, moves, live, departing, now)
    if live.older:
        state.unsettled.add(live.path)
    state.forget(live)


def _wanted(state: StackState, moves: Moves, live: Live, now: float) -> None:
    live.lacking = live.stuck = False
    record = live.current or moves.recall(live) or moves.reclaim(live, now) or moves.blank(live, now)
    if record.key in state.running or moves.resume(record, now):
        return
    blocked = gate.open_gate(state, live)
    if not blocked and (live.wanted is None or live.stale):
        blocked = _evaluate(state, live, record, now)
        if live.current is not None and live.current.fault is not None and blocked == REFUSED:
            return
    wanted = live.wanted or want.remembered(live, record)
    if wanted is None:
        _waiting(state, live, record, blocked, now)
        return
    if live.wanted is None and not blocked:
        blocked = want.first_unknown(state, live)
    _decide(state, moves, live, wanted, blocked, now)


REFUSED = "refused"


def _evaluate(state: StackState, live: Live, record: Record, now: float) -> str:
    """Works out what is wanted; "" when it is known, else why not."""
    node = live.node
    if node is None:
        return ""
    try:
        values = want.evaluate_properties(state, node)
        if want.unknown_in(values):
            live.wanted = None
            return want.first_unknown(state, live)
        live.wanted = want.want(state, live, values)
    except SpecError as error:
        live.wanted = None
        where = ".".join(str(part) for part in error.path)
        _refuse(state, live, record, f"{where}: {error.message}" if where else error.message, error.hint, now)
        return REFUSED
    live.stale = False
    return ""


def _waiting(state: StackState, live: Live, record: Record, why: str, now: float) -> None:
    live.settled = False
    state.unsettled.add(live.path)
    to = State.WAITING if record.applied is None else record.state
    state.set_state(live, record, to, why, now)


def _decide(state: StackState, moves: Moves, live: Live, wanted: Wanted, blocked: str, now: float) -> None:
    record = live.current
    if record is None or live.node is None:
        return
    capabilities = moves.capabilities(live)
    if capabilities is None or live.node.kind not in capabilities.kinds:
        name = state.rules.provider(live.node)
        missing = (
            "there is no provider" if capabilities is None else f"{live.node.kind} is not offered by provider"
        )
        _refuse(state, live, record, f"{missing} {name!r}", "terrace provider list", now)
        return
    sighting = _with_probe(live, moves.sighting(record, capabilities, now))
    decision = moves.judge(live, wanted, record, sighting, capabilities, now)
    if isinstance(decision, Settled):
        _settle(state, moves, live, wanted, decision, now) if not blocked or live.ready else _hold(
            state, live, record, blocked, now
        )
    elif isinstance(decision, Act):
        if blocked and decision.verb not in HEALING:
            _hold(state, live, moves.retract(live, record), blocked, now)
        elif decision.verb in HEALING or live.wanted is not None:
            moves.act(live, wanted, record, sighting, decision, now)
    elif isinstance(decision, Wait):
        unknown = isinstance(sighting, NotSeen)
        if record.fault is not None and not unknown:
            # What was refused is waited for by now: the refusal is over.
            record = state.set_state(live, record, State.WAITING, decision.reason, now, fault=None)
        _hold(
            state,
            live,
            record,
            decision.reason,
            now,
            State.UNKNOWN if unknown and record.applied is not None else None,
        )
        live.stuck = decision.stuck
        if decision.until:
            state.agenda.look_at(decision.until, live.path)
    elif isinstance(decision, Refuse):
        _refuse(state, live, record, decision.reason, decision.hint, now)


def _with_probe(live: Live, sighting: Sighting) -> Sighting:
    """The sighting with the newest result of our own health checks in it."""
    if live.probe is None or not isinstance(sighting, Present):
        return sighting
    return Present(replace(sighting.seen, healthy=live.probe[0]))


def _hold(
    state: StackState, live: Live, record: Record, why: str, now: float, to: State | None = None
) -> None:
    """Nothing can be done for now: says why, and keeps the state unless `to` is given."""
    live.settled = False
    state.unsettled.add(live.path)
    if record.intent is not None and to is None:
        to = record.state
    state.set_state(live, record, to or (State.WAITING if record.applied is None else record.state), why, now)


def _refuse(state: StackState, live: Live, record: Record, why: str, hint: str, now: float) -> None:
    """It cannot be as wanted: counts as a permanent failure until the wish changes."""
    live.settled = False
    state.unsettled.add(live.path)
    fault = Fault(message=why, code="invalid-property", hint=hint, permanent=True, retry_at=now)
    told = record.fault is not None and record.fault.message == why
    if not told or record.state is not State.FAILING or record.why != why:
        state.set_state(live, record, State.FAILING, why, now, fault=fault)


def _news(
    state: StackState, moves: Moves, live: Live, wanted: Wanted, decision: Settled
) -> dict[str, object]:
    """What settling changes in the record."""
    record = cast("Record", live.current)
    changes: dict[str, object] = {}
    if not record.ready and decision.ready:
        changes["ready"] = wanted.generation
    if record.fault is not None:
        changes["fault"] = None
    if record.intent is not None:
        changes["intent"] = None
    if record.hook or record.post:
        changes |= {"hook": "", "post": ""}
        state.hooked.discard(live.path)
    if record.hooks != (kept := hooks.kept(wanted.node)):
        changes["hooks"] = kept
    if record.applied is None:
        changes |= {"applied": wanted.form, "digest": wanted.digest, "claims": moves.claims(wanted)}
    # Also for one that stands already: what it refers to may have been replaced, and waits to be let go.
    fresh = gate.ties(state, live)
    if fresh != record.ties:
        changes["ties"] = fresh
    return changes


def _standing(live: Live, record: Record, decision: Settled) -> tuple[State, str]:
    """How a thing that is as wanted is called: ready, suspended, unhealthy, or still on its way up until its health
    is known."""
    if decision.suspended:
        return State.SUSPENDED, decision.reason
    if decision.healthy and decision.lacking:
        return State.WAITING, decision.lacking
    if decision.healthy:
        return State.READY, decision.reason
    healthy, said = live.probe or (None, "")
    if healthy is None and record.state in COMING_UP:
        return record.state, said or decision.reason
    return State.UNHEALTHY, said or decision.reason


def _settle(
    state: StackState, moves: Moves, live: Live, wanted: Wanted, decision: Settled, now: float
) -> None:
    record = cast("Record", live.current)
    path = live.path
    due = hooks.still(state, record) if record.post else ""
    if due:
        hooks.hold(state, live, record, due, now)
        return
    if not decision.healthy and record.state is State.READY and (live.probe is None or live.probe[0] is None):
        # It was healthy when it was last checked; a new process believes that until its own first check.
        decision = replace(decision, healthy=True)
    changes = _news(state, moves, live, wanted, decision)
    state_now, why = _standing(live, record, decision)
    if changes or record.state is not state_now or record.why != why:
        record = state.set_state(live, record, state_now, why, now, **changes)
    if decision.look_again:
        state.agenda.look_at(decision.look_again, path)
    if decision.suspended:
        snapshots.touch(state)
    further = decision.healthy != live.healthy
    live.healthy = decision.healthy
    live.settled = decision.ready and decision.healthy and not decision.lacking
    live.lacking = bool(decision.lacking)
    live.stuck = live.lacking and decision.stuck
    (state.unsettled.discard if live.settled and not live.older else state.unsettled.add)(path)
    if decision.ready and not live.ready:
        live.ready, further = True, True
        if state.generation is None or record.received >= state.generation.created:
            live.ready_at = now  # it changed; what only goes on standing proves nothing new
        for older in list(live.older.values()):
            depart.depart(state, moves, live, older, now)
    if further:
        spread.wake(state, live)
    if live.parent is not None:
        spread.settle_parent(state, live)
    _publish(state, live)


def _publish(state: StackState, live: Live) -> None:
    """Has dependents evaluated again when what they can refer to has changed."""
    record = readable(live)
    if record is None or record.seen is None:
        return
    shown = (record.incarnation, record.provider_id, record.seen.attributes)
    if live.shown is not None and live.shown != shown:
        spread.touch_dependents(state, live)
    live.shown = shown
