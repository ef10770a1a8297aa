"""What happened, listed or followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from terrace.model.event import Event
from terrace.services.gate import Actor, Right, Surface, Where
from terrace.services.watching.tail import Tail


class Events:
    """Use cases about events. `where` None: those of the whole installation."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface
        self._tail = Tail(surface.store, surface.controller.bell, surface.clock)

    async def listing(
        self, actor: Actor, where: Where | None, *, after: int = 0, limit: int = 1000, newest: bool = False
    ) -> list[Event]:
        """Events numbered above `after`, oldest first; or the `newest` ones."""
        stack = await self._stack(actor, where)
        return await self._on.store.events(stack=stack, after=after, limit=limit, newest=newest)

    async def watch(
        self, actor: Actor, where: Where | None, after: int | None
    ) -> AsyncIterator[Sequence[Event]]:
        """Events as they are committed, in batches, those after number `after` (None: from now on); an empty
        batch is a heartbeat. Refusals come from this call; the iterator ends when the server does."""
        stack = await self._stack(actor, where)
        if after is None:
            newest = await self._on.store.events(newest=True, limit=1)
            after = newest[-1].number if newest else 0
        return self._tail.follow(stack, after)

    def close(self) -> None:
        """Ends all watches."""
        self._tail.close()

    async def _stack(self, actor: Actor, where: Where | None) -> str:
        if where is None:
            await self._on.gate.admit(actor, Right.INSPECT)
            return ""
        return (await self._on.gate.stack(actor, Right.READ, where)).id
