"""After an older copy of the database was put back: things are newer than what is remembered of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from terrace.engine.stack.state import Key, Live, StackState
from terrace.model.decision import Act, Decision, Wait
from terrace.model.record import Record, State
from terrace.model.seen import Present, Seen
from terrace.model.step import Verb

RESTORED = "restored"
"""Ruling.what: said of a provider as a whole."""

WAITING = (
    "an older copy of the database was put back: nothing is deleted or replaced until "
    "`terrace server accept-restore`"
)


def take_over(
    state: StackState, provider: str, newer: Iterable[Seen], items: Mapping[Key, Sequence[Seen]], now: float
) -> None:
    """The live later incarnation of a uid that is known becomes current; nothing is deleted or replaced from now on."""
    state.restored.add(provider)
    for seen in sorted(newer, key=lambda one: one.owner.incarnation if one.owner else 0):
        live = state.by_uid.get(seen.owner.uid) if seen.owner else None
        if live is None or seen.owner is None:
            continue
        records = live.records()
        if not records or seen.owner.incarnation <= max(one.incarnation for one in records):
            continue
        _succeed(state, live, live.current or records[-1], seen, now)
        for record in records:
            if record.key not in items:
                state.drop(live, record)
    for path in state.lives:
        state.agenda.touch(path)


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


def accept(state: StackState, provider: str) -> None:
    """A person's yes."""
    state.restored.discard(provider)
    for path in state.lives:
        state.agenda.touch(path)
