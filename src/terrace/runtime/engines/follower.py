"""Hears what other processes changed in the store."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from terrace.errors import TransientError
from terrace.ports.clock import Clock
from terrace.ports.engines import News, Published
from terrace.runtime.bell import Bell
from terrace.runtime.engines.membership import Membership

CALM = 4
"""How much less often it is asked while we are the only one: somebody may come and ring before we heard of them."""
MOMENT = 0.02
"""Seconds between a hint and the question."""
PATIENCE = 10.0
"""How long a stack may take to take in what was rung for, until it is rung for again."""


class Ears(Protocol):
    """Who wants to know."""

    async def rung(self, stack: str, mark: int, patience: float) -> bool:
        """Somebody rang for a stack, and for the `mark`th time; whether it was here and took in what is desired."""

    def listed(self, listing: Published) -> None:
        """A provider was listed, or somebody asks for that."""


class Follower:
    """Asks what has changed: one small question every `poll` seconds, and sooner when somebody hints at it."""

    def __init__(self, membership: Membership, ears: Ears, bell: Bell, clock: Clock, poll: float) -> None:
        self.listings: dict[str, Published] = {}
        self._membership = membership
        self._ears = ears
        self._bell = bell
        self._clock = clock
        self._poll = poll
        self._event = -1
        self._look = asyncio.Event()
        self._rung: dict[str, int] = {}
        self._taken: list[tuple[str, int]] = []
        self._saying = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self) -> None:
        """Something may have changed."""
        self._look.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._look.clear()
                with suppress(TransientError):
                    self._take(await self._membership.engines.news(self._membership.id))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll if self._membership.others else self._poll * CALM):
                        await self._look.wait()
                if self._look.is_set():  # more of the same is likely to follow
                    await self._clock.sleep(MOMENT)
        finally:
            for task in self._tasks:
                task.cancel()

    def _take(self, news: News) -> None:
        if news.event != self._event:
            self._event = news.event
            self._bell.ring(elsewhere=True)
        for listing in news.listings:
            if self.listings.get(listing.provider) != listing:
                self.listings[listing.provider] = listing
                self._ears.listed(listing)
        for stack, mark in news.woken:
            if self._rung.get(stack, 0) < mark:
                self._rung[stack] = mark
                task = asyncio.create_task(self._ring(stack, mark))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _ring(self, stack: str, mark: int) -> None:
        """Only what was taken in counts as heard; the rest is rung for again."""
        try:
            if await self._ears.rung(stack, mark, PATIENCE):
                await self._heed(stack, mark)
        finally:
            if self._rung.get(stack) == mark:
                del self._rung[stack]

    async def _heed(self, stack: str, mark: int) -> None:
        """Says so; what many took in at one moment is said at once."""
        self._taken.append((stack, mark))
        await asyncio.sleep(0)  # others that were told in the same round
        async with self._saying:
            taken, self._taken = self._taken, []
            if taken:
                with suppress(TransientError):
                    await self._membership.engines.heeded(taken)
