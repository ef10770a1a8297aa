"""After an older copy of the database was put back: things are newer than what is remembered of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from terrace.engine.stack.state import Key, Live, StackState
from terrace.model.decision import Act, Decision, Wait
from terrace.model.record import Record, State
from terrace.model.seen import Present, Seen
from terrace.model.step import Verb
from terrace.ports.store import Ruling

RESTORED = "restored"
"""Ruling.what: said of a provider as a whole."""

WAITING = (
    "an older copy of the database was put back: nothing is deleted or replaced until "
    "`terrace server accept-restore`"
)


def doubt(state: StackState, provider: str) -> None:
    """Nothing is deleted or replaced on a provider from now on, until a person's yes."""
    if provider not in state.restored:
        state.restored.add(provider)
        for path in state.lives:
            state.agenda.touch(path)


def take_over(
    state: StackState, live: Live, items: Mapping[Key, Sequence[Seen]], newest: int, now: float
) -> None:
    """A label newer than all that is remembered of its uid cannot be of a database that was not put back, since every
    incarnation is committed before it is made. The live later incarnation becomes current."""
    records = live.records()
    seen = items[(live.uid, newest)][0]
    if not records or newest <= live.used:
        return
    provider = records[-1].provider
    if provider not in state.restored:
        state.turn.rulings.append(Ruling(provider, "", RESTORED))
        state.turn.synced = True
        state.say(
            "stack.restored", now, message=f"things on {provider} are newer than the database; {WAITING}"
        )
        doubt(state, provider)
    _succeed(state, live, live.current or records[-1], seen, now)
    for record in records:
        if record.key not in items:
            state.drop(live, record)


def _succeed(state: StackState, live: Live, before: Record, seen: Seen, now: float) -> None:
    """What is remembered of one incarnation holds for a later one, but for what it was made from."""
    assert seen.owner is not None
    if not before.departing:
        state.put(
            live,
            replace(before, departing=True, state=State.DEPARTING, why="a later one is there", since=now),
        )
    made = replace(
        before,
        incarnation=seen.owner.incarnation,
        kind=seen.kind,
        provider_id=seen.provider_id,
        seen=seen,
        applied=None,
        digest="",
        intent=None,
        fault=None,
        received=now,
        deleting=False,
        adopted="",
    )
    state.put(live, made)
    state.sightings[made.key] = Present(seen)
    live.stale = True
    state.say(
        "resource.restored",
        now,
        live.path,
        f"incarnation {made.incarnation} ({seen.provider_id}) is newer than the database",
    )


def hold_back(state: StackState, record: Record, decision: Decision) -> Decision:
    """No replacement while nobody has said that the database is right."""
    replacing = isinstance(decision, Act) and decision.verb is Verb.REPLACE
    return Wait(WAITING) if replacing and record.provider in state.restored else decision


def accept(state: StackState, provider: str, now: float) -> None:
    """A person's yes."""
    state.accepted = now
    state.restored.discard(provider)
    for path in state.lives:
        state.agenda.touch(path)
