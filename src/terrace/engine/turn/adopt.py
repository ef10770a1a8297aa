"""Things that exist already: taken on for good (imported), or only referred to (external)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from terrace.engine.stack.state import Live, StackState
from terrace.engine.stack.want import EXTERNAL_ID
from terrace.model.decision import Act, Decision, Refuse, Settled, Wait
from terrace.model.record import Record
from terrace.model.seen import Absent, NotSeen, Present, Seen, Sighting
from terrace.model.step import Verb
from terrace.ports.kind import Wanted
from terrace.ports.store import Ruling

EXTERNAL, IMPORTED = "external", "imported"
"""Record.adopted."""

ADOPTED, DISOWNED, RELEASED = "adopted", "disowned", "released"
"""Ruling.what."""

IMPORT = "import"
"""The directive at a path: the provider id of what becomes this resource."""


def judge(state: StackState, wanted: Wanted, record: Record, sighting: Sighting) -> Decision | None:
    """What to do where a thing that exists is to be this resource; None where that is not asked."""
    node = wanted.node
    if node.external_id:
        return _external(wanted, record, sighting)
    if record.adopted == EXTERNAL:
        return Act(Verb.REPLACE, "it is no longer external")
    asked = state.directives.get(node.path, {}).get(IMPORT)
    if asked and record.applied is None and not record.provider_id:
        return Act(Verb.ADOPT, f"{asked} becomes this resource")
    return None


def _external(wanted: Wanted, record: Record, sighting: Sighting) -> Decision:
    name = wanted.form[EXTERNAL_ID]
    if record.applied is None:
        return Act(Verb.ADOPT, f"{name} is referred to")
    if record.adopted != EXTERNAL:
        return Act(Verb.REPLACE, f"{name} takes its place")
    if isinstance(sighting, NotSeen):
        return Wait(sighting.why or "not looked at yet")
    if record.applied != wanted.form or record.kind != wanted.node.kind:
        return Act(Verb.REPLACE, f"{name} takes the place of {record.applied.get(EXTERNAL_ID)}")
    if isinstance(sighting, Absent):
        return Refuse(
            f"{record.provider_id} is external, and no longer there",
            hint="Terrace does not make what is external: bring it back, or change external_id",
        )
    return Settled(f"external, {sighting.seen.state}")


def careful(record: Record, sighting: Sighting, decision: Decision) -> Decision:
    """A thing that was imported has no part of its creation to be done again: it is started at most. Nor is it replaced
    before it once was as wanted: whoever imported it did not ask for that."""
    if not record.adopted or not isinstance(decision, Act) or not isinstance(sighting, Present):
        return decision
    if decision.verb is Verb.CREATE:
        return Act(Verb.START, "it does not run")
    if decision.verb is Verb.REPLACE and not record.ready:
        return Refuse(
            f"what was imported does not fit ({decision.reason}), and only a new one would",
            hint="change the template to fit it; or terrace taint STACK PATH, to have it replaced",
        )
    return decision


def target(state: StackState, wanted: Wanted) -> str:
    """The provider id or name of what is to be taken on."""
    if wanted.node.external_id:
        return str(wanted.form[EXTERNAL_ID])
    return str(state.directives.get(wanted.node.path, {}).get(IMPORT, ""))


def taken_on(state: StackState, live: Live, record: Record, seen: Seen, now: float) -> dict[str, Any]:
    """What changes in the record of a thing that was found and is taken on. It goes to the ledger, which from then on
    says whose it is."""
    external = live.node is not None and bool(live.node.external_id)
    state.turn.rulings.append(_ruling(state, record, seen.provider_id))
    state.turn.synced = True
    state.turn.heeded.append((live.path, IMPORT))
    state.directives.get(live.path, {}).pop(IMPORT, None)
    how = "is referred to" if external else "is managed from now on"
    state.say("resource.adopted", now, live.path, f"{seen.kind} {seen.name or seen.provider_id} {how}")
    return {"adopted": EXTERNAL if external else IMPORTED}


def _ruling(state: StackState, record: Record, provider_id: str) -> Ruling:
    return Ruling(
        provider=record.provider,
        provider_id=provider_id,
        what=ADOPTED,
        uid=record.uid,
        stack=state.stack.id,
        path=record.path,
        kind=record.kind,
        incarnation=record.incarnation,
    )


def remember(state: StackState, provider: str, rulings: Iterable[Ruling]) -> None:
    """Takes from a provider's ledger what concerns the stack: what it let go of and may want again. Where records and
    ledger disagree (a stack that was abandoned and adopted again) the records are right."""
    known = {ruling.provider_id: ruling for ruling in rulings}
    if "" in known:
        state.restored.add(provider)
    for ruling in known.values():
        if ruling.what in (DISOWNED, RELEASED) and ruling.stack == state.stack.id:
            state.ledger[ruling.path] = ruling
    for live in state.lives.values():
        for record in live.records():
            if record.provider != provider or not record.provider_id:
                continue
            said = known.get(record.provider_id)
            if record.adopted and (said is None or said.what != ADOPTED):
                state.turn.rulings.append(_ruling(state, record, record.provider_id))
            elif not record.adopted and said is not None and (said.uid, said.incarnation) == record.key:
                state.turn.unrulings.append((provider, record.provider_id))
                state.ledger.pop(said.path, None)
