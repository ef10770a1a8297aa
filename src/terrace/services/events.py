"""What happened, listed or followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from terrace.model.event import Event
from terrace.services.gate import Actor, Right, Surface, Where

PAGE = 5000
BATCH = 1000
HEARTBEAT = 10.0
MOMENT = 0.03
"""Seconds of silence after which a watcher hears that we are still there."""


class Events:
    """Use cases about events. `where` None: those of the whole installation."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface
        self._closing = asyncio.Event()

    async def listing(
        self, actor: Actor, where: Where | None, *, after: int = 0, limit: int = 1000, newest: bool = False
    ) -> list[Event]:
        """Events numbered above `after`, oldest first; or the `newest` ones."""
        stack = await self._stack(actor, where)
        return await self._on.store.events(stack=stack, after=after, limit=min(limit, PAGE), newest=newest)

    async def watch(
        self, actor: Actor, where: Where | None, after: int | None
    ) -> AsyncIterator[Sequence[Event]]:
        """Events as they are committed, in batches, those after number `after` (None: from now on); an empty
        batch is a heartbeat. Refusals come from this call; the iterator ends when the server does."""
        stack = await self._stack(actor, where)
        if after is None:
            newest = await self._on.store.events(newest=True, limit=1)
            after = newest[-1].number if newest else 0
        return self._follow(stack, after)

    def close(self) -> None:
        """Ends all watches."""
        self._closing.set()

    async def _follow(self, stack: str, after: int) -> AsyncIterator[Sequence[Event]]:
        bell = self._on.controller.bell
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while not self._closing.is_set():
                rung = bell.count
                batch = await self._on.store.events(stack=stack, after=after, limit=BATCH)
                if batch:
                    after = batch[-1].number
                    yield batch
                    if len(batch) == BATCH:
                        continue
                ring = asyncio.ensure_future(bell.wait(rung, HEARTBEAT))
                done, _ = await asyncio.wait({ring, closing}, return_when=asyncio.FIRST_COMPLETED)
                if ring not in done:
                    ring.cancel()
                elif not ring.result():
                    yield ()
                else:
                    # What follows within a moment goes in one batch: a long chain rings at every link.
                    await self._on.clock.sleep(MOMENT)
        finally:
            closing.cancel()

    async def _stack(self, actor: Actor, where: Where | None) -> str:
        if where is None:
            await self._on.gate.admit(actor, Right.INSPECT)
            return ""
        return (await self._on.gate.stack(actor, Right.READ, where)).id
