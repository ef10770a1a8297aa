"""The end of the list of events: read once, and given to all who follow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from terrace.errors import TerraceError
from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.ports.clock import Clock
from terrace.ports.store import Store
from terrace.runtime.bell import Bell

BATCH = 1000
HEARTBEAT = 10.0
"""Seconds of silence after which a follower hears that we are still there."""
LOOK = 1.0
"""Seconds until the list is looked at though nothing rang: another process may have written."""
MOMENT = 0.03
"""Seconds between two looks: what follows within a moment goes in one batch, for a long chain rings at every link."""
LAGGING = 2000
"""Events that wait for one follower; who lets more of them wait reads them again from the store, later."""


class Follower:
    """Somebody who follows one stack ("": all), of whose events they want those that `only` fits; and the events that
    wait for them."""

    def __init__(self, stack: str, only: EventFilter) -> None:
        self.stack = stack
        self.only = only
        self.waiting: deque[Event] = deque()
        self.lagging = False
        self._ring = asyncio.Event()

    def give(self, events: Sequence[Event]) -> None:
        """More of them."""
        if self.lagging:
            return
        if self.only is not EVERYTHING:
            events = [event for event in events if self.only.fits(event)]
            if not events:
                return
        self.waiting.extend(events)
        if len(self.waiting) > LAGGING:
            self.waiting.clear()
            self.lagging = True
        self._ring.set()

    def rouse(self) -> None:
        """It is to look around."""
        self._ring.set()

    async def heard(self, timeout: float) -> bool:
        """Whether something came within `timeout` seconds."""
        if not self._ring.is_set():
            try:
                async with asyncio.timeout(timeout):
                    await self._ring.wait()
            except TimeoutError:
                return False
        self._ring.clear()
        return True


class Tail:
    """Reads while anybody follows. All of a store's events come in the order of their numbers, and none appears below
    one that was seen before."""

    def __init__(self, store: Store, bell: Bell, clock: Clock) -> None:
        self._store = store
        self._bell = bell
        self._clock = clock
        self._followers: set[Follower] = set()
        self._position = 0
        self._reader: asyncio.Task[None] | None = None
        self._closed = False

    def close(self) -> None:
        """Ends all following."""
        self._closed = True
        for follower in self._followers:
            follower.rouse()

    async def follow(
        self, stack: str, after: int, only: EventFilter = EVERYTHING
    ) -> AsyncIterator[Sequence[Event]]:
        """Batches of the events of a stack ("": all) numbered above `after` that `only` fits; an empty one is a
        heartbeat."""
        follower = Follower(stack, only)
        await self._join(follower)
        try:
            behind = True
            while not self._closed or behind:
                if behind:
                    # Who has just come, or could not keep up, reads what they have missed.
                    batch: Sequence[Event] = await self._store.events(
                        stack=stack, after=after, limit=BATCH, only=only
                    )
                    behind = len(batch) == BATCH
                elif await follower.heard(HEARTBEAT):
                    if follower.lagging:
                        follower.lagging, behind = False, True
                        continue
                    batch = [event for event in follower.waiting if event.number > after]
                    follower.waiting.clear()
                else:
                    yield ()
                    continue
                if batch:
                    after = batch[-1].number
                    yield batch
        finally:
            self._leave(follower)

    async def _join(self, follower: Follower) -> None:
        if self._reader is None:
            newest = await self._store.events(newest=True, limit=1)
            if self._reader is None:  # nobody else has come meanwhile
                self._position = newest[-1].number if newest else 0
        self._followers.add(follower)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())

    def _leave(self, follower: Follower) -> None:
        self._followers.discard(follower)
        if not self._followers and self._reader is not None:
            self._reader.cancel()
            self._reader = None

    async def _read(self) -> None:
        while True:
            rung, wanted = self._bell.count, self._wanted()
            try:
                batch = await self._store.events(stack=wanted, after=self._position, limit=BATCH)
            except TerraceError:  # the store is away; whoever asks it is told why
                batch = []
            if wanted != self._wanted():
                continue  # somebody has come meanwhile who follows another stack
            if batch:
                self._position = batch[-1].number
                self._hand_out(batch)
                if len(batch) < BATCH:
                    await self._clock.sleep(MOMENT)
                continue
            await self._bell.wait(rung, LOOK)

    def _wanted(self) -> str:
        """The one stack that is followed; "" when it is several."""
        stacks = {follower.stack for follower in self._followers}
        return stacks.pop() if len(stacks) == 1 else ""

    def _hand_out(self, batch: Sequence[Event]) -> None:
        of_stack: dict[str, list[Event]] = {}
        for event in batch:
            of_stack.setdefault(event.stack, []).append(event)
        for follower in self._followers:
            if found := of_stack.get(follower.stack) if follower.stack else batch:
                follower.give(found)
