"""One provider as everybody sees it: its listings, its hints, its ghosts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from terrace.engine import ghosts
from terrace.engine.ghosts import Ghost
from terrace.engine.stack.state import Key
from terrace.engine.turn.absorb import Listing
from terrace.engine.turn.adopt import ADOPTED
from terrace.engine.turn.restores import RESTORED
from terrace.errors import NotFoundError, ProviderError, TerraceError, TransientError
from terrace.model.event import Event
from terrace.model.seen import Names, NotSeen, Seen
from terrace.model.step import Step, Verb
from terrace.ports.driver import Driver
from terrace.ports.telemetry import CALL_FAILURES, CALLS
from terrace.runtime.leases import Holding
from terrace.runtime.pool import Pool
from terrace.runtime.worker import StackWorker, Surroundings

HINT_DELAY = 0.01
BUSY_DELAY = 2.0
BUSY_LOOK = 0.2
OURS_FOR = 5.0
FIRST_RETRY = 1.0


class Hub:
    """Lists a provider at every resync and whenever a hint says so; tells every stack; finds ghosts."""

    def __init__(
        self,
        around: Surroundings,
        pool: Pool,
        workers: Callable[[], Iterable[StackWorker]],
        *,
        resync: float,
        grace: float,
    ) -> None:
        self.name = pool.name
        self._around = around
        self._pool = pool
        self._driver: Driver = pool.driver
        self._workers = workers
        self._resync = resync
        self._grace = grace
        self._hint = asyncio.Event()
        self._hints: dict[str, float] = {}  # when each first came
        self._holding = Holding(
            around.store, around.clock, f"provider:{self.name}/", around.holder, around.lease
        )
        self.ghosts: dict[str, Ghost] = {}
        self.listed_at = 0.0
        self.listings = 0
        self.trouble: NotSeen | None = None
        self._restored = False
        self._asking: list[asyncio.Future[Listing]] = []

    def look(self, hint: str = "") -> None:
        """Asks for a listing soon: of everything, or because something happened to one thing."""
        self._hints.setdefault(hint, self._around.clock.now())
        self._hint.set()

    async def fresh(self) -> Listing:
        """A listing that begins after this call; TransientError when the provider cannot be listed."""
        asked: asyncio.Future[Listing] = asyncio.get_running_loop().create_future()
        self._asking.append(asked)
        self.look()
        return await asked

    async def run(self) -> None:
        """Lists until cancelled."""
        wait = 0.0
        while True:
            await self._pause(wait)
            wait = (
                self._resync
                if await self._list()
                else min(self._resync, max(FIRST_RETRY, wait * 2 if self.trouble else 0))
            )

    async def watch(self) -> None:
        """Follows the provider's hints until cancelled; a broken stream is followed again."""
        wait = FIRST_RETRY
        while True:
            try:
                async for hint in self._driver.watch():
                    wait = FIRST_RETRY
                    if not self._own_doing(hint):
                        self.look(hint)
            except TerraceError as error:
                self._around.telemetry.log("debug", "watch.broken", provider=self.name, message=error.message)
            self.look()
            await self._around.clock.sleep(wait)
            wait = min(wait * 2, self._resync)

    def _own_doing(self, hint: str) -> bool:
        """Whether a hint only echoes a step of ours that has come back, whose receipt says more."""
        at = self._pool.touched.get(hint)
        return at is not None and self._around.clock.now() - at < OURS_FOR and bool(self._pool.busy)

    async def _pause(self, wait: float) -> None:
        """Until the next resync, or a moment after a hint; longer while our own steps make hints."""
        until = self._around.clock.now() + wait
        while (left := until - self._around.clock.now()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._hint.wait()
            except TimeoutError:
                return
            await self._around.clock.sleep(HINT_DELAY)
            calm = self._around.clock.now() + BUSY_DELAY
            while self._pool.busy and self._around.clock.now() < calm:
                await self._around.clock.sleep(BUSY_LOOK)
            if self._worth_a_look():
                return

    def _worth_a_look(self) -> bool:
        """Whether a hint is not of our own doing. One may come before the step that it echoes has come back, so while
        steps run a hint is given time for that."""
        now = self._around.clock.now()
        self._hints = {hint: at for hint, at in self._hints.items() if not self._own_doing(hint)}
        if not self._hints:
            self._hint.clear()
        return any(
            not hint or not self._pool.busy or now >= at + BUSY_DELAY for hint, at in self._hints.items()
        )

    async def _list(self) -> bool:
        self._hint.clear()
        self._hints.clear()
        asking, self._asking = self._asking, []
        try:
            listing = await self._ask()
        except BaseException:
            for asked in asking:
                asked.cancel()
            raise
        for asked in asking:
            if not asked.done() and listing is not None:
                asked.set_result(listing)
            elif not asked.done():
                asked.set_exception(
                    TransientError(self.trouble.why if self.trouble else "it cannot be listed")
                )
        return listing is not None

    async def _ask(self) -> Listing | None:
        """One listing, told to everybody; None when the provider could not be listed."""
        rulings = await self._around.store.rulings(self.name)
        adopted = {r.provider_id: (r.uid, r.incarnation) for r in rulings if r.what == ADOPTED}
        started = self._around.clock.now()
        cut = started - OURS_FOR
        self._pool.touched = {key: at for key, at in self._pool.touched.items() if at > cut}
        try:
            observation = await self._driver.observe(self._around.installation, tuple(adopted))
        except ProviderError as error:
            self._around.telemetry.count(CALL_FAILURES, self.name, "observe")
            self._silent(started, error)
            return None
        except Exception as error:
            self._around.telemetry.count(CALL_FAILURES, self.name, "observe")
            self._around.telemetry.log("error", "observe.crashed", provider=self.name, error=repr(error))
            self._silent(started, ProviderError(f"{type(error).__name__}: {error}"))
            return None
        self._around.telemetry.took(CALLS, self._around.clock.now() - started, self.name, "observe")
        self.listings += 1
        self.listed_at = started
        if self.trouble is not None:
            self.trouble = None
            await self._say("provider.back", f"provider {self.name} answers again")
        items = by_key(observation.items, self._around.installation, adopted)
        self._restored = any(ruling.what == RESTORED for ruling in rulings)
        newest: dict[str, int] = {}
        for uid, incarnation in items:
            newest[uid] = max(newest.get(uid, 0), incarnation)
        listing = Listing(started, items, frozenset(adopted), newest, self._restored)
        for worker in list(self._workers()):
            worker.observed(self.name, listing)
        await self._find_ghosts(items, started)
        return listing

    def _silent(self, started: float, error: ProviderError) -> None:
        why = f"provider {self.name} cannot be reached: {error.message}"
        if self.trouble is None:
            self._around.telemetry.log(
                "warning", "provider.silent", provider=self.name, message=error.message
            )
        self.trouble = NotSeen(self.trouble.since if self.trouble else started, why)
        for worker in list(self._workers()):
            worker.silent(self.name, self.trouble)

    async def _say(self, kind: str, message: str) -> None:
        await self._around.store.publish([Event(kind=kind, at=self._around.clock.now(), message=message)])
        self._around.bell.ring()

    # ---- ghosts

    async def _find_ghosts(self, items: Mapping[Key, Sequence[Seen]], started: float) -> None:
        candidates = await self._candidates(items)
        if not candidates and not self.ghosts:
            return
        now = self._around.clock.now()
        before = self.ghosts
        data = self._driver.capabilities.data
        self.ghosts = ghosts.judge(self.name, candidates, before, data, now, self._restored)
        for provider_id, ghost in self.ghosts.items():
            if provider_id not in before:
                kept = f"; kept: {ghost.kept}" if ghost.kept else ""
                await self._say(
                    "ghost.found",
                    f"{ghost.seen.kind} {ghost.seen.name or provider_id} on {self.name} is wanted by nothing{kept}",
                )
        reapable = ghosts.to_reap(self.ghosts, before, self._grace, started)
        if not reapable or not await self._holding.take():
            return
        for ghost in reapable:
            await self._reap(ghost)

    async def _candidates(self, items: Mapping[Key, Sequence[Seen]]) -> list[Seen]:
        """Things with our label that no record knows, and doubles of those that one does. Read after the listing."""
        strange = [seen for key, found in items.items() if not self._known_here(key) for seen in found]
        owners = [seen.owner for seen in strange if seen.owner is not None]
        known = await self._around.store.known(owners) if owners else set()
        ruled = {r.provider_id for r in await self._around.store.rulings(self.name)} if strange else set()
        candidates = [
            seen
            for seen in strange
            if seen.owner is not None
            and (seen.owner.uid, seen.owner.incarnation) not in known
            and seen.provider_id not in ruled
        ]
        for key, found in items.items():
            if len(found) > 1:
                candidates += self._doubles(key, found)
        return candidates

    def _known_here(self, key: Key) -> bool:
        return any(worker.state.record(key) is not None for worker in self._workers())

    async def accept_restore(self) -> bool:
        """A person has said yes: what the database wants is right. Whether there was anything to say yes to."""
        was, self._restored = self._restored, False
        await self._around.store.rule([], [(self.name, "")])
        for worker in list(self._workers()):
            worker.accepted(self.name)
        self.look()
        return was

    def _doubles(self, key: Key, found: Sequence[Seen]) -> list[Seen]:
        """All but the one whose id is committed; none while that is not known."""
        for worker in self._workers():
            known = worker.state.record(key)
            if known is not None and known[1].provider_id and known[1].intent is None:
                return [seen for seen in found if seen.provider_id != known[1].provider_id]
        return []

    async def _reap(self, ghost: Ghost) -> None:
        try:
            await self._remove(ghost)
        except TerraceError as error:
            self._around.telemetry.log("warning", "ghost.stays", provider=self.name, message=error.message)

    async def _remove(self, ghost: Ghost) -> None:
        owner = ghost.seen.owner
        if owner is None:
            return
        step = Step(
            verb=Verb.DELETE,
            kind=ghost.seen.kind,
            owner=owner,
            names=Names(path=ghost.seen.name),
            provider_id=ghost.seen.provider_id,
            attributes=ghost.seen.attributes,
        )
        receipt = await self._driver.apply(step, self._holding)
        if receipt.note and not receipt.handle:
            raise TransientError(receipt.note)
        if receipt.seen is None and not receipt.handle:
            self.ghosts.pop(ghost.seen.provider_id, None)
            await self._say(
                "ghost.reaped",
                f"{ghost.seen.kind} {ghost.seen.name or ghost.seen.provider_id} on {self.name} is gone",
            )

    async def reap(self, provider_id: str) -> None:
        """Reaps one ghost at a person's word, data or not. NotFoundError when it is no ghost; what the provider
        says when it cannot be."""
        ghost = self.ghosts.get(provider_id)
        if ghost is None:
            raise NotFoundError(f"{provider_id} is not a ghost on {self.name}", hint="terrace ghost list")
        await self._holding.take()
        await self._remove(ghost)

    async def close(self) -> None:
        """Gives the provider's lease back."""
        await self._holding.release()


def by_key(
    items: Iterable[Seen], installation: str, adopted: Mapping[str, Key] | None = None
) -> dict[Key, list[Seen]]:
    """What is ours of a listing, by (uid, incarnation). `adopted` are provider ids that are ours whatever their labels
    say."""
    found: dict[Key, list[Seen]] = {}
    for seen in items:
        key = adopted.get(seen.provider_id) if adopted else None
        if key is not None:
            found.setdefault(key, []).append(seen)
        elif seen.owner is not None and seen.owner.installation == installation:
            found.setdefault((seen.owner.uid, seen.owner.incarnation), []).append(seen)
    return found
