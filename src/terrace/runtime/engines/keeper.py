"""Keeps this engine alive among others, and its share of the stacks at work here."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from terrace.engine.shares import room, share, surplus
from terrace.errors import TransientError
from terrace.model.stack import Lease
from terrace.ports.clock import Clock
from terrace.ports.engines import Beat
from terrace.ports.telemetry import Telemetry
from terrace.runtime.engines.membership import Membership

BEATS = 4
"""How often an engine speaks during one lease."""
SOON = 0.02
"""Seconds after another's time is up that we look whether it is so."""
AGAIN = 0.5
"""Seconds until a store that did not answer is asked again."""
MOST = 200
"""How many stacks are taken in one transaction."""


class Stacks(Protocol):
    """The stacks that are at work here."""

    def held(self) -> int:
        """How many."""

    async def begin(self, lease: Lease) -> None:
        """Works on one from now on."""

    def part(self, count: int) -> None:
        """Gives that many away, those first on which nothing is done; each as soon as no step of it runs."""

    def changed(self) -> None:
        """Who is alive is not what it was."""


class Keeper:
    """Speaks, takes over, takes up, gives away."""

    def __init__(self, membership: Membership, stacks: Stacks, clock: Clock, log: Telemetry) -> None:
        self._membership = membership
        self._stacks = stacks
        self._clock = clock
        self._log = log
        self._look = asyncio.Event()
        self._known: frozenset[str] = frozenset()

    def look(self) -> None:
        """There may be stacks that nobody works on."""
        self._look.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._pause(await self._once())

    async def _once(self) -> float:
        """One round; how long to wait until the next."""
        self._look.clear()
        try:
            said = await self._membership.speak()
            alive = frozenset(member.id for member in said.members)
            if alive != self._known:
                self._known = alive
                self._stacks.changed()
            await self._balance(said)
        except TransientError as error:
            self._log.log("warning", "engine.unheard", message=error.message)
            return AGAIN
        return self._next(said)

    async def _balance(self, said: Beat) -> None:
        working = self._membership.working
        ours = any(member.id == self._membership.id for member in working)
        fair = share(said.stacks, len(working))
        held, free = self._stacks.held(), said.free
        while ours and (wanted := min(room(fair, held, free), MOST)):
            taken = await self._membership.engines.claim(self._membership.id, wanted)
            for lease in taken:
                await self._stacks.begin(lease)
            held, free = held + len(taken), free - len(taken)
            if not taken:
                break
            self._look.set()  # others reckon with what we say that we hold
        others = [member.holds for member in working if member.id != self._membership.id]
        if ours:
            self._stacks.part(surplus(fair, held, others, free))
        elif others:
            self._stacks.part(held)

    def _next(self, said: Beat) -> float:
        """Until we must speak again, or somebody's time would be up."""
        ends = [member.expires for member in said.members if member.id != self._membership.id]
        soonest = min(ends, default=said.now + self._membership.lease) - said.now + SOON
        return min(self._membership.lease / BEATS, max(soonest, SOON))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._look.wait()
