"""Telling the engine of a word, and waiting a moment until it was heard."""

from __future__ import annotations

from collections.abc import Callable

from terrace.engine.stack.state import Live
from terrace.model.event import Event
from terrace.model.stack import Stack
from terrace.services.gate import Surface

PATIENCE = 5.0
"""Seconds; whoever asked is told how the stack stands then, heard or not: the word is on disk."""


async def tell(on: Surface, stack: str, kind: str, path: str, message: str) -> None:
    """Wakes the engine, and says among the stack's events what came."""
    on.controller.wake(stack)
    head = await on.store.stack(stack)
    project = head.project if head is not None else ""
    event = Event(kind, on.clock.now(), stack=stack, path=path, message=message, project=project)
    await on.store.publish([event])
    on.controller.bell.ring()


async def heard(on: Surface, stack: Stack, uid: str, condition: Callable[[Live], bool]) -> Stack:
    """The stack as it stands once the engine took in what was said of the resource with this uid, which `condition`
    tells."""
    end = on.clock.now() + PATIENCE
    await on.controller.heed(stack.id, PATIENCE)
    while True:
        rung = on.controller.bell.count
        now = await on.store.stack(stack.id)
        found = await on.controller.locate(uid)
        if now is None or found is None or condition(found[1]) or on.clock.now() >= end:
            return now or stack
        await on.controller.bell.wait(rung, 0.25)
