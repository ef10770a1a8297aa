"""This process among those that share its store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from terrace.errors import LeaseLostError, TransientError
from terrace.model.stack import Lease
from terrace.ports.clock import Clock, Entropy
from terrace.ports.engines import Beat, Engines, Member
from terrace.ports.telemetry import Telemetry
from terrace.runtime.patience import FIRST_WAIT, LONGEST_WAIT

NOBODY = Beat(0.0, (), 0, 0)


class Membership:
    """Says that this process lives. All leases that it holds last exactly as long as that: they are ours until
    `until`, and when it did not speak in time they are all gone at once.

    Implements runtime.leases.Leases. `on_buried` is called when others took us for dead; by then we are a new member,
    which holds nothing."""

    def __init__(
        self,
        engines: Engines,
        member: Member,
        lease: float,
        clock: Clock,
        sources: tuple[Entropy, Telemetry],
    ) -> None:
        self.engines = engines
        self.lease = lease
        self.heard: Beat = NOBODY
        self.on_buried: Callable[[], None] = lambda: None
        self.holds: Callable[[], int] = lambda: 0
        self._member = member
        self._clock = clock
        self._entropy, self._log = sources
        self._speaking = asyncio.Lock()
        self._until = 0.0
        self._before = self._after = 0.0

    @property
    def id(self) -> str:
        """Who we are at present."""
        return self._member.id

    @property
    def name(self) -> str:
        """What people call us."""
        return self._member.name

    @property
    def working(self) -> list[Member]:
        """All that take stacks."""
        return [member for member in self.heard.members if member.works]

    @property
    def others(self) -> list[Member]:
        """All that are alive besides us."""
        return [member for member in self.heard.members if member.id != self.id]

    async def join(self) -> None:
        """Becomes a member under a new id; waits for the store until it answers."""
        wait = FIRST_WAIT
        self._member = replace(self._member, id=f"{self.name}-{self._entropy.uid()[:8]}")
        while True:
            before = self._clock.now()
            try:
                await self.engines.join(self._member, self.lease)
            except TransientError:
                await self._clock.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
                continue
            self._until = before + self.lease
            self._log.log("info", "engine.joined", id=self.id, name=self.name)
            return

    async def speak(self) -> Beat:
        """Says that we live, and hears who else does. TransientError when the store does not answer."""
        async with self._speaking:
            before = self._clock.now()
            said = await self.engines.beat(self.id, self.lease, self.holds())
            if said is not None:
                self._before, self._after = before, self._clock.now()
                self._until = before + self.lease
                self.heard = said
                return said
            self._log.log("warning", "engine.buried", id=self.id, name=self.name)
            self._until = 0.0
            await self.join()
        self.on_buried()
        return await self.speak()

    async def leave(self) -> None:
        """Ends; what is still held is free for others."""
        self._until = 0.0
        try:
            await self.engines.leave(self.id)
        except TransientError:
            return

    # ---- leases

    async def take(self, scope: str) -> Lease | None:
        """See runtime.leases.Leases; waits for the store until it answers."""
        wait = FIRST_WAIT
        while True:
            try:
                if self._until < self._clock.now() + self.lease / 2:
                    await self.speak()
                return await self.engines.take(self.id, scope)
            except TransientError:
                await self._clock.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def give(self, lease: Lease) -> None:
        """See runtime.leases.Leases; waits for the store until it answers, unless we are somebody else by then."""
        wait = FIRST_WAIT
        while lease.holder == self.id:
            try:
                await self.engines.give([lease])
            except TransientError:
                await self._clock.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return

    def check(self, timeout: float) -> None:
        """See runtime.leases.Leases."""
        if self._until <= self._clock.now() + timeout:
            raise LeaseLostError(f"what {self.name} holds does not outlive the request")

    # ---- two clocks

    def theirs(self, own: float) -> float:
        """A moment of our clock by the store's, or a little earlier: when the store was asked counts for us, when it
        answered for others."""
        return self.heard.now + (own - self._after)

    def own(self, theirs: float) -> float:
        """A moment of the store's clock by ours, or a little earlier."""
        return self._before + (theirs - self.heard.now)
