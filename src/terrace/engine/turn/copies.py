"""What volumes hold is copied before they go, and brought back when people want a snapshot again."""

from __future__ import annotations

from msgspec.structs import replace

from terrace.engine.form import child_uid
from terrace.engine.stack import snapshots
from terrace.engine.stack.state import Live, StackState
from terrace.engine.turn.adopt import DISOWNED
from terrace.model.decision import Act, Decision, Settled, Wait
from terrace.model.graph import Keep, Node
from terrace.model.record import Intent, Record, State
from terrace.model.seen import Names, Owner, Present, Seen, Sighting
from terrace.model.step import Step, Verb
from terrace.ports.store import Ruling

RESTORING = "volumes are being brought back from a snapshot"


def amend(state: StackState, node: Node, record: Record, sighting: Sighting, decision: Decision) -> Decision:
    """What a volume does that is to have an earlier content again: it waits for all machines to stand still."""
    if record.path not in state.restoring or not isinstance(sighting, Present) or record.applied is None:
        return decision
    if not isinstance(decision, Settled):
        return decision
    if _busy(state):
        return Wait("until the machines of the stack stand still")
    return Act(Verb.RESTORE, "its content is that of a snapshot")


def _busy(state: StackState) -> bool:
    """Whether a machine of the stack runs, or may be about to."""
    return any(_moves(state, record) for live in state.lives.values() for record in live.records())


def _moves(state: StackState, record: Record) -> bool:
    """Whether it is a machine that runs, or may be about to."""
    if record.kind != "Machine" or record.adopted == "external":
        return False
    up = record.seen is not None and record.seen.state in ("running", "paused")
    going = record.intent is not None and record.intent.verb is not Verb.STOP
    return up or going or record.key in state.running


def restored(state: StackState, live: Live) -> None:
    """A volume has the content that was wanted: the order is carried out."""
    state.turn.heeded.append((live.path, snapshots.RESTORE))
    state.directives.get(live.path, {}).pop(snapshots.RESTORE, None)
    state.restoring.discard(live.path)
    if not state.restoring:
        for path in state.lives:
            state.agenda.touch(path)


def source(state: StackState, path: str) -> str:
    """The provider id of the snapshot that a volume is to be brought back from."""
    return str(state.directives.get(path, {}).get(snapshots.RESTORE) or "")


def due(state: StackState, live: Live, record: Record) -> bool:
    """Whether what a departing volume holds is to be copied first."""
    if record.keep is not Keep.SNAPSHOT or record.kind != "Volume" or record.copied or not record.provider_id:
        return False
    return live.node is None and not record.deleting


def possible(state: StackState, record: Record) -> bool:
    """Whether its provider can copy it; else the volume itself is kept."""
    capabilities = state.rules.capabilities.get(record.provider)
    return capabilities is not None and capabilities.snapshots


def intend(state: StackState, live: Live, record: Record, now: float) -> tuple[Record, Step]:
    """The step that copies a departing volume, and its record with the intent."""
    made = state.set_state(
        live,
        record,
        State.DEPARTING,
        "being copied first, as its deletion policy says",
        now,
        intent=Intent(Verb.SNAPSHOT, now, epoch=state.epoch),
    )
    names = Names(state.stack.project, state.stack.name, made.named or made.path)
    copy = Owner(state.installation, child_uid(made.uid, "snapshot"), made.incarnation)
    owner = Owner(state.installation, made.uid, made.incarnation, made.digest)
    attributes = made.seen.attributes if made.seen else {}
    step = Step(
        verb=Verb.SNAPSHOT,
        kind=made.kind,
        owner=owner,
        names=names,
        provider_id=made.provider_id,
        attributes=attributes,
        copy=copy,
    )
    return made, step


def copied(state: StackState, live: Live, record: Record, seen: Seen, now: float) -> None:
    """The copy is there. It is nobody's from now on, and stays."""
    state.turn.rulings.append(
        Ruling(
            provider=record.provider,
            provider_id=seen.provider_id,
            what=DISOWNED,
            uid=child_uid(record.uid, "snapshot"),
            path=record.path,
            kind=seen.kind,
            incarnation=record.incarnation,
        )
    )
    state.turn.synced = True
    state.say("resource.copied", now, live.path, f"what it held is kept as {seen.provider_id}")
    state.put(live, replace(record, intent=None, fault=None, copied=True))


def waits(record: Record, now: float) -> bool:
    """Whether a copy that failed is not tried again yet."""
    return record.fault is not None and record.fault.retry_at > now
