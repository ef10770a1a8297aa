"""A process that shares its store: all that keeps it in step with the others."""

from __future__ import annotations

from contextlib import suppress

from terrace.errors import TransientError
from terrace.model.seen import NotSeen
from terrace.model.stack import Lease
from terrace.ports.clock import Clock
from terrace.ports.engines import Published
from terrace.ports.store import Hinting
from terrace.ports.telemetry import Telemetry
from terrace.runtime.bell import Bell
from terrace.runtime.engines.exchange import Exchange
from terrace.runtime.engines.follower import Follower
from terrace.runtime.engines.keeper import Keeper
from terrace.runtime.engines.membership import Membership
from terrace.runtime.patience import FIRST_WAIT
from terrace.runtime.working.crew import Crew, Spawn

EVENTS, LISTINGS, STACKS = "events", "listings", "stacks"
"""What is hinted at."""
MOMENT = 0.01
"""Seconds that are waited before others are told, since more is likely to follow."""
STEP = 0.05
"""Seconds between looks whether the last step has come to its end."""


class Bystander:
    """In the place of a crew, in a process that only answers people: it holds nothing and hears how providers stand."""

    workers: tuple[()] = ()

    def __init__(self, silent: dict[str, NotSeen], membership: Membership) -> None:
        self._silent = silent
        self._membership = membership

    def held(self) -> int:
        """See Crew."""
        return 0

    async def begin(self, lease: Lease) -> None:
        """Never: nothing is claimed here."""

    def part(self, count: int) -> None:
        """Nothing to give away."""

    def changed(self) -> None:
        """Nothing to list."""

    def lose(self) -> None:
        """Nothing to lose."""

    async def rung(self, stack: str, mark: int, patience: float) -> bool:
        """No stack is here."""
        return False

    def listed(self, listing: Published) -> None:
        """A provider was listed, by an engine."""
        self._silent.pop(listing.provider, None)
        if listing.why:
            self._silent[listing.provider] = NotSeen(self._membership.own(listing.since), listing.why)


class Shared:
    """Speaks for this process, hears the others."""

    def __init__(
        self,
        membership: Membership,
        store: Hinting,
        bell: Bell,
        sources: tuple[Clock, Telemetry],
        poll: float,
    ) -> None:
        """`poll`: seconds between two questions what others changed."""
        self.membership = membership
        self._store = store
        self._telling: set[str] = set()
        self._spawn: Spawn = lambda work: work.close()
        self._bell = bell
        self._clock, self._log = sources
        self._poll = poll
        self._crew: Crew | Bystander | None = None
        self._keeper: Keeper | None = None
        self._follower: Follower | None = None

    async def enter(self) -> None:
        """Becomes a member; waits for the store until it answers."""
        await self.membership.join()
        while True:
            try:
                await self.membership.speak()
            except TransientError:
                await self._clock.sleep(FIRST_WAIT)
            else:
                return

    def begin(self, crew: Crew | Bystander, spawn: Spawn) -> None:
        """From now on stacks come and go."""
        self._crew, self._spawn = crew, spawn
        self._keeper = Keeper(self.membership, crew, self._clock, self._log)
        self._follower = Follower(self.membership, crew, self._bell, self._clock, self._poll)
        self.membership.on_buried = crew.lose
        self.membership.holds = lambda: len(crew.workers)
        if isinstance(crew, Crew):
            crew.on_change = self.look
        self._bell.on_ring = lambda: self.tell(EVENTS)
        spawn(self._keeper.run())
        spawn(self._follower.run())
        spawn(self._listen())

    def exchange(self, provider: str) -> Exchange:
        """Where listings of a provider are given and taken."""
        made = Exchange(provider, self.membership)
        made.on_change = lambda: self.tell(LISTINGS)
        return made

    def look(self) -> None:
        """Stacks may be new, or free, or changed: here and elsewhere it is looked at once."""
        if self._keeper is not None and self._follower is not None:
            self._keeper.look()
            self._follower.look()
        self.tell(STACKS)

    async def ring(self, stack: str) -> None:
        """Rings for a stack that another engine has; waits for the store until it answers."""
        while True:
            try:
                await self.membership.engines.ring([stack])
            except TransientError:
                await self._clock.sleep(FIRST_WAIT)
            else:
                return self.look()

    def tell(self, what: str) -> None:
        """Hints to the others that something has changed; in a moment, with all that changes until then."""
        if self.membership.others and not self._telling:
            self._spawn(self._tell())
        if self.membership.others:
            self._telling.add(what)

    async def _tell(self) -> None:
        await self._clock.sleep(MOMENT)
        telling, self._telling = self._telling, set()
        with suppress(TransientError):  # it is only a hint
            for what in sorted(telling):
                await self._store.notify(f"{what}:{self.membership.id}")

    async def _listen(self) -> None:
        """Hears hints until cancelled; where there are none it is asked from time to time all the same."""
        async for hint in self._store.hints():
            what, _, who = hint.partition(":")
            if who == self.membership.id or self._keeper is None or self._follower is None:
                continue
            if what in ("", STACKS):
                self._keeper.look()
            self._follower.look()

    def listed(self, provider: str) -> float:
        """When a provider was last listed, by our clock; 0 when that is not known."""
        known = self._follower.listings.get(provider) if self._follower is not None else None
        return self.membership.own(known.started) if known is not None and known.started else 0.0

    async def part(self, patience: float) -> None:
        """Gives every stack away as soon as nothing runs on it, within `patience` seconds."""
        if self._crew is None:
            return
        try:
            await self.membership.engines.drain(self.membership.id, True)
        except TransientError:
            return
        end = self._clock.now() + patience
        self._crew.part(self._crew.held())
        while self._crew.workers and self._clock.now() < end:
            await self._clock.sleep(STEP)
