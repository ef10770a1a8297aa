"""The stack in one line: where it stands, and what it waits for."""

from __future__ import annotations

from msgspec.structs import replace

from terrace.engine.stack.state import StackState, suspended
from terrace.model.record import Record, State
from terrace.model.stack import Phase, Stack

STANDING = (Phase.SETTLED, Phase.SUSPENDED)
"""Phases in which all is as it is wanted."""


def summarise(state: StackState, now: float) -> Stack:
    """The stack's head as it stands: phase, one line of why, counts."""
    generation = state.generation
    deleting = bool(generation and generation.deleting)
    quiet = not state.unsettled and not state.running
    if deleting and not state.lives:
        phase, why = Phase.GONE, ""
    elif quiet and not deleting:
        phase, why = (Phase.SUSPENDED if suspended(state) else Phase.SETTLED), ""
    else:
        phase = Phase.DELETING if deleting else Phase.FAILING if state.failing else Phase.SETTLING
        why = _why(state)
    stack = state.stack
    settled = generation.number if generation and phase in STANDING else stack.settled
    since = now if phase is not stack.phase else stack.since
    open_paths = len(state.unsettled) if not deleting else state.total
    return replace(
        stack,
        phase=phase,
        why=why,
        since=since,
        settled=settled,
        updated=now,
        total=state.total,
        ready=max(0, state.total - open_paths),
        failing=len(state.failing),
    )


def _why(state: StackState) -> str:
    """Which resource holds the stack up, what the provider said, how many more."""
    if state.failing:
        path = min(state.failing)
        more = len(state.failing) - 1
    elif state.hooked:
        path, more = min(state.hooked), len(state.hooked) - 1
    elif hidden := _hidden(state):
        path, more = min(hidden), len(hidden) - 1
    elif state.running:
        uid = next(iter(state.running))[0]
        live = state.by_uid.get(uid)
        path, more = (live.path if live else ""), len(state.running) - 1
    else:
        path, more = next(iter(state.unsettled), ""), len(state.unsettled) - 1
    live = state.lives.get(path)
    record = _worst(live.records()) if live else None
    if record is None:
        return ""
    rest = f" (and {more} more)" if more > 0 else ""
    return f"{path} is {record.state}{': ' + record.why if record.why else ''}{rest}"


def _hidden(state: StackState) -> list[str]:
    """What waits for a provider that says nothing: others wait only for these."""
    if not state.silent:
        return []
    waiting = ((path, state.lives.get(path)) for path in state.unsettled)
    return [
        path
        for path, live in waiting
        if live is not None and any(record.state is State.UNKNOWN for record in live.records())
    ]


def _worst(records: list[Record]) -> Record | None:
    for record in records:
        if record.state is State.FAILING:
            return record
    return records[-1] if records else None
