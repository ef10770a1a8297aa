"""What people ordered besides the template (taint, restart, suspend) put on top of what a kind decides."""

from __future__ import annotations

from typing import Any

from terrace.engine.stack.state import StackState, suspended
from terrace.engine.turn import copies, restores
from terrace.model.decision import Act, Decision, Settled, Wait
from terrace.model.graph import Node
from terrace.model.record import Record
from terrace.model.seen import NotSeen, Present, Sighting
from terrace.model.step import Verb

TAINT, RESTART, SUSPENDED = "taint", "restart", "suspended"
"""Names of directives. The first two are counters at a path, the third a flag of the whole stack."""

ENDED = ("exited", "dead")
SAID = "the stack is suspended"


def count(state: StackState, path: str, what: str) -> int:
    """A counter in what is desired at a path."""
    value = state.directives.get(path, {}).get(what, 0)
    return value if isinstance(value, int) else 0


def followed(state: StackState, path: str) -> dict[str, Any]:
    """The fields of the record of a new incarnation, which has followed every order given so far."""
    return {"taints": count(state, path, TAINT), "restarts": count(state, path, RESTART)}


def amend(state: StackState, node: Node, record: Record, sighting: Sighting, decision: Decision) -> Decision:
    """The decision with the orders put on top. On what cannot be seen, or is not ours to change, nothing is
    ordered."""
    if isinstance(sighting, NotSeen) or record.adopted == "external":
        return decision
    decision = copies.amend(state, node, record, sighting, decision)
    if isinstance(decision, Act) and decision.verb is Verb.RESTORE:
        return decision
    if suspended(state):
        return _suspended(record, sighting, decision)
    if state.restoring and record.kind == "Machine":
        return _suspended(record, sighting, decision, copies.RESTORING)
    return restores.hold_back(state, record, _ordered(state, node, record, sighting, decision))


def _ordered(
    state: StackState, node: Node, record: Record, sighting: Sighting, decision: Decision
) -> Decision:
    if not isinstance(sighting, Present) or record.applied is None:
        return decision
    if count(state, node.path, TAINT) > record.taints:
        return Act(Verb.REPLACE, "it was tainted")
    if record.stopped and sighting.seen.state in ENDED:
        return Act(Verb.START, "the stack is no longer suspended")
    restart = count(state, node.path, RESTART) > record.restarts and sighting.seen.state == "running"
    if restart and isinstance(decision, Settled):
        return Act(Verb.RESTART, "a restart was asked for")
    return decision


def _suspended(record: Record, sighting: Sighting, decision: Decision, said: str = SAID) -> Decision:
    """Machines are stopped; nothing else is done to what stood once, and nothing new is made."""
    machine = record.kind == "Machine"
    if machine and isinstance(sighting, Present) and sighting.seen.state in ("running", "paused"):
        return Act(Verb.STOP, said)
    if record.stopped or (record.ready and not isinstance(decision, Settled)):
        return Settled(said, suspended=machine)
    return Wait(said) if isinstance(decision, Act) else decision
