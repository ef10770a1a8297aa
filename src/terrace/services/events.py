"""What happened, listed or followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.services.gate import Actor, Right, Surface, Where
from terrace.services.watching.tail import Tail


class Events:
    """Use cases about events. `where` None: those of the whole installation; without a stack: those of a project, also
    of its stacks that are gone."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface
        self._tail = Tail(surface.store, surface.controller.bell, surface.clock)

    async def listing(
        self,
        actor: Actor,
        where: Where | None,
        *,
        after: int = 0,
        limit: int = 1000,
        newest: bool = False,
        only: EventFilter = EVERYTHING,
    ) -> list[Event]:
        """Events numbered above `after` that `only` fits, oldest first; or the `newest` ones."""
        stack, only = await self._scope(actor, where, only)
        return await self._on.store.events(stack=stack, after=after, limit=limit, newest=newest, only=only)

    async def watch(
        self, actor: Actor, where: Where | None, after: int | None, only: EventFilter = EVERYTHING
    ) -> AsyncIterator[Sequence[Event]]:
        """Events that `only` fits as they are committed, in batches, those after number `after` (None: from now on); an
        empty batch is a heartbeat. Refusals come from this call; the iterator ends when the server does."""
        stack, only = await self._scope(actor, where, only)
        if after is None:
            newest = await self._on.store.events(newest=True, limit=1)
            after = newest[-1].number if newest else 0
        return self._tail.follow(stack, after, only)

    def close(self) -> None:
        """Ends all watches."""
        self._tail.close()

    async def _scope(self, actor: Actor, where: Where | None, only: EventFilter) -> tuple[str, EventFilter]:
        """The stack ("": all), and what is wanted of its events: nothing of another project, whatever was asked for."""
        if where is None:
            await self._on.gate.admit(actor, Right.INSPECT)
            return "", only
        if not where.stack:
            await self._on.gate.admit(actor, Right.READ, where.project)
            return "", msgspec.structs.replace(only, project=where.project)
        return (await self._on.gate.stack(actor, Right.READ, where)).id, only
