"""Words from outside, as the use cases write them: what alarms are told, and signals to the handles of conditions."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from terrace.kinds.signal.alarm import TOLD
from terrace.model.record import Record
from terrace.model.spec.signal import ALARM, OK, UNSURE
from tests.scenarios.harness import Simulation, order

STATES = (ALARM, ALARM, OK, OK, UNSURE)
OFTEN = 10.0


async def alarm(simulation: Simulation, random: Random) -> None:
    """Some alarm is told a state."""
    found = await _standing(simulation, "Alarm")
    if not found:
        return
    name, record = random.choice(found)
    state = random.choice(STATES)
    before = (await _said(simulation, name, record.path)).get(TOLD) or {}
    same = before.get("to") == record.uid
    words, turns = (before.get("words", 0), before.get("turns", 0)) if same else (0, 0)
    turned = state != (before.get("state") if same else UNSURE)
    told = {"state": state, "words": words + 1, "turns": turns + turned, "to": record.uid}
    await order(simulation, name, record.path, TOLD, told)


async def knock(simulation: Simulation, random: Random) -> None:
    """Somebody signals a handle."""
    found = await _standing(simulation, "WaitConditionHandle")
    if found:
        await _signal(simulation, *random.choice(found))


async def knocking(simulation: Simulation) -> None:
    """Every handle is signalled sooner or later, until this is cancelled."""
    while True:
        for name, record in await _standing(simulation, "WaitConditionHandle"):
            said = await _said(simulation, name, record.path)
            if said.get("signal/1", {}).get("to") != _token(record):
                await _signal(simulation, name, record)
        await asyncio.sleep(OFTEN)


async def _signal(simulation: Simulation, name: str, record: Record) -> None:
    value = {
        "status": "SUCCESS",
        "reason": "",
        "data": None,
        "at": simulation.clock.now(),
        "to": _token(record),
    }
    await order(simulation, name, record.path, "signal/1", value)


async def _standing(simulation: Simulation, kind: str) -> list[tuple[str, Record]]:
    """The resources of a kind that have been made, with the stacks they are in."""
    found = []
    for name, graph in simulation.wanted.items():
        stack = await simulation.find(name) if graph is not None else None
        for record in await simulation.store.records(stack.id) if stack is not None else ():
            if record.kind == kind and record.ready and not record.departing:
                found.append((name, record))
    return found


async def _said(simulation: Simulation, name: str, path: str) -> dict[str, Any]:
    stack = await simulation.find(name)
    said = await simulation.store.directives(stack.id) if stack is not None else []
    return {one.what: one.value for one in said if one.path == path}


def _token(record: Record) -> str:
    return f"{record.uid}-{record.incarnation}"
