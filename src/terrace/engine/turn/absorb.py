"""Taking in what the outside says: receipts, failures, listings, health checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from terrace.engine import retry
from terrace.engine.stack import snapshots, spread
from terrace.engine.stack.state import Key, Live, StackState
from terrace.engine.turn import adopt, copies, depart, restores
from terrace.errors import TerraceError
from terrace.model.record import Record, State
from terrace.model.seen import Absent, NotSeen, Present, Seen
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Capabilities

ENDED = ("exited", "dead")
UP = ("running", "available")
BEGINNING = (Verb.CREATE, Verb.START, Verb.RESTART)
"""After these it runs from its start: what a restart asked for has happened."""


class Listing(msgspec.Struct, frozen=True):
    """A complete listing of a provider that began at `started` (epoch seconds): what is ours of it by (uid,
    incarnation), and the provider ids that were asked for because they are adopted. `newest` are the last incarnations
    shown, by uid. `restored`: things there are in doubt already, see restores.py."""

    started: float
    items: Mapping[Key, Sequence[Seen]]
    adopted: frozenset[str] = frozenset()
    newest: Mapping[str, int] = {}
    restored: bool = False


def receive(state: StackState, provider: str, step: Step, receipt: Receipt, now: float) -> None:
    """A step came back with what the driver saw."""
    key = (step.owner.uid, step.owner.incarnation)
    state.running.discard(key)
    found = state.record(key)
    if found is None:
        return
    live, record = found
    if receipt.handle or (step.verb is Verb.DELETE and receipt.seen is not None):
        _pending(state, live, record, (provider, step), receipt, now)
    elif step.verb is Verb.DELETE:
        if receipt.note:
            state.say("resource.left", now, live.path, receipt.note)
        depart.finish(state, live, record, "", now, quiet=bool(receipt.note))
    elif step.verb is Verb.SNAPSHOT and receipt.seen is not None:
        copies.copied(state, live, record, receipt.seen, now)
    elif receipt.seen is not None:
        _done(state, live, record, step, receipt.seen, now)
    else:
        state.doing.pop(key, None)
        state.sightings[key] = Absent(now)
        state.put(live, replace(record, intent=None, received=now))
    state.agenda.touch(live.path)


def _pending(
    state: StackState, live: Live, record: Record, work: tuple[str, Step], receipt: Receipt, now: float
) -> None:
    provider, step = work
    when = now + max(receipt.look_again, 0.05)
    again = replace(step, handle=receipt.handle)
    changes: dict[str, object] = {}
    if receipt.seen is not None and step.verb is not Verb.SNAPSHOT:
        again = replace(again, provider_id=receipt.seen.provider_id)
        changes = {"seen": receipt.seen, "provider_id": receipt.seen.provider_id, "received": now}
        state.sightings[record.key] = Present(receipt.seen)
    state.held[record.key] = (when, provider, again)
    state.agenda.look_at(when, live.path)
    intent = record.intent
    if intent is not None:
        changes["intent"] = replace(intent, handle=receipt.handle, note=receipt.note)
    state.set_state(live, record, record.state, receipt.note or record.why, now, **changes)


def _done(state: StackState, live: Live, record: Record, step: Step, seen: Seen, now: float) -> None:
    changes: dict[str, object] = {
        "provider_id": seen.provider_id,
        "seen": settle_seen(record, seen),
        "received": now,
        "intent": None,
        "fault": None,
    }
    doing = state.doing.pop(record.key, None)
    if step.verb in (Verb.CREATE, Verb.UPDATE, Verb.ADOPT) and doing is not None:
        form, digest, ties, keep = doing
        changes |= {"applied": form, "ties": ties, "keep": keep}
        if step.verb is not Verb.CREATE:
            changes["digest"] = digest
    if step.verb in BEGINNING:
        asked = record.intent.count if record.intent else 0
        changes |= {"stopped": False, "restarts": max(record.restarts, asked)}
    elif step.verb is Verb.STOP:
        changes["stopped"] = seen.state in ENDED
        snapshots.touch(state)
    if step.verb is Verb.ADOPT:
        changes |= adopt.taken_on(state, live, record, seen, now)
    elif step.verb is Verb.RESTORE:
        copies.restored(state, live)
    state.sightings[record.key] = Present(seen)
    made = replace(record, **changes)
    if (
        step.verb is Verb.CREATE
        and seen.owner is not None
        and seen.owner.digest not in ("", step.owner.digest)
    ):
        # A create of before that we thought lost had made it, from another spec: it is replaced.
        made = replace(made, applied={}, departing=record.departing or live.node is None)
    state.put(live, made)


def settle_seen(record: Record, seen: Seen) -> Seen:
    """What is seen of a thing that is not up keeps the attributes it had, so that dependents do not follow it down. So
    do those attributes of any thing that its provider cannot show anew."""
    if seen.keeps and record.seen is not None:
        held = {name: record.seen.attributes[name] for name in seen.keeps if name in record.seen.attributes}
        seen = replace(seen, attributes={**seen.attributes, **held})
    if seen.state in UP or record.seen is None:
        return seen
    return replace(seen, attributes={**seen.attributes, **record.seen.attributes, "state": seen.state})


def fail(state: StackState, step: Step, error: TerraceError, now: float, jitter: float) -> None:
    """A step failed. A transient failure leaves its intent open; the type alone decides on trying again."""
    key = (step.owner.uid, step.owner.incarnation)
    state.running.discard(key)
    found = state.record(key)
    if found is None:
        return
    live, record = found
    fault = retry.fault(error, record, now, jitter)
    state.doing.pop(key, None)
    intent = replace(record.intent, handle="", note="") if record.intent else None
    changes: dict[str, object] = {"fault": fault, "intent": intent}
    if step.verb is Verb.CREATE:
        # It may have made something all the same: no listing from before this moment says that it did not.
        state.sightings.pop(key, None)
        changes["received"] = now
        state.observe.add(record.provider)
    state.set_state(live, record, State.FAILING, error.message, now, **changes)
    live.settled = False
    state.unsettled.add(live.path)
    state.agenda.look_at(fault.retry_at, live.path)
    state.agenda.touch(live.path)
    if live.parent is not None:
        spread.settle_parent(state, live)


def observe(state: StackState, provider: str, listing: Listing, now: float) -> None:
    """A complete listing of a provider."""
    started, items = listing.started, listing.items
    capabilities = state.rules.capabilities.get(provider)
    if capabilities is None:
        return
    was_silent = state.silent.pop(provider, None) is not None
    if listing.restored and started >= state.accepted:
        restores.doubt(state, provider)
    for live in list(state.lives.values()):
        if listing.newest.get(live.uid, 0) > max((one.incarnation for one in live.records()), default=0):
            restores.take_over(state, live, items, listing.newest[live.uid], now)
        for record in live.records():
            if record.provider != provider or record.kind in capabilities.recorded:
                continue
            if was_silent:
                state.agenda.touch(live.path)
            if _counts(state, record, listing, capabilities):
                _observed(state, live, record, (capabilities, listing), now)


def _counts(state: StackState, record: Record, listing: Listing, capabilities: Capabilities) -> bool:
    """Whether a listing says anything about a record: it began late enough, and asked for the thing."""
    if record.adopted and record.provider_id not in listing.adopted:
        return False
    return record.key not in state.running and listing.started >= record.received + capabilities.lag


def _observed(
    state: StackState, live: Live, record: Record, shown: tuple[Capabilities, Listing], now: float
) -> None:
    capabilities, listing = shown
    found = listing.items.get(record.key)
    if found:
        _present(state, live, record, choose(record, found), now)
    elif _may_still_come(record, capabilities, listing.started):
        return
    elif record.applied is not None or record.intent is not None or record.provider_id:
        _absent(state, live, record, listing.started)


def _may_still_come(record: Record, capabilities: Capabilities, started: float) -> bool:
    """Whether a create under way (maybe that of a process which died) could show only after this listing."""
    intent = record.intent
    if intent is None or intent.verb is not Verb.CREATE:
        return False
    return started < intent.at + capabilities.timeout + capabilities.lag


def choose(record: Record, found: Sequence[Seen]) -> Seen:
    """Of several things that claim to be one incarnation: the one whose id is committed, else the oldest."""
    for seen in found:
        if seen.provider_id == record.provider_id:
            return seen
    return min(found, key=lambda seen: (seen.created, seen.provider_id))


def _absent(state: StackState, live: Live, record: Record, started: float) -> None:
    if not isinstance(state.sightings.get(record.key), Absent):
        state.agenda.touch(live.path)
    state.sightings[record.key] = Absent(started)
    if record.intent is not None or record.departing:
        state.agenda.touch(live.path)


def _present(state: StackState, live: Live, record: Record, seen: Seen, now: float) -> None:
    known = state.sightings.get(record.key)
    state.sightings[record.key] = Present(seen)
    kept = settle_seen(record, seen)
    fresh = not isinstance(known, Present)
    intent = record.intent
    created = (
        intent is not None and intent.verb is Verb.CREATE and seen.complete and record.key not in state.held
    )
    stopped = intent is not None and intent.verb is Verb.STOP and seen.state in ENDED
    if kept == record.seen and not fresh and not created and not stopped:
        return
    changes: dict[str, object] = {}
    if kept != record.seen:
        changes["seen"] = kept
    if seen.provider_id != record.provider_id:
        changes["provider_id"] = seen.provider_id
    if stopped:  # the receipt of our own step got lost, perhaps with the process that waited for it
        changes |= {"intent": None, "received": now, "stopped": True}
    elif seen.state in ENDED and (
        record.seen is None or record.seen.state not in ENDED or record.seen.finished != seen.finished
    ):
        changes["exits"] = retry.exits(record, seen.finished or now)
        state.ended[live.path] = seen.exit_code
    if created and intent is not None:
        changes |= {"intent": None, "received": now, "fault": None}
        if seen.owner is not None and seen.owner.digest not in ("", record.digest):
            changes["applied"] = {}
    if changes:
        state.put(live, replace(record, **changes))
    state.agenda.touch(live.path)


def silence(state: StackState, provider: str, why: NotSeen) -> None:
    """A provider could not be listed: nothing of it is known for now."""
    if provider in state.silent:
        state.silent[provider] = NotSeen(state.silent[provider].since, why.why)
        return
    state.silent[provider] = why
    for live in list(state.lives.values()):
        if any(record.provider == provider for record in live.records()):
            state.agenda.touch(live.path)


def probed(state: StackState, path: str, healthy: bool | None, why: str) -> None:
    """A health check of our own came back."""
    live = state.lives.get(path)
    if live is not None and live.probe != (healthy, why):
        live.probe = (healthy, why)
        state.agenda.touch(path)


def last_words(state: StackState, path: str, code: int | None, text: str, now: float) -> None:
    """What a machine that ended had last written."""
    live = state.lives.get(path)
    if live is not None and live.current is not None:
        live.words = text
        state.say("resource.exited", now, path, f"ended with code {code}; its last lines: {text}")
        state.agenda.touch(path)
