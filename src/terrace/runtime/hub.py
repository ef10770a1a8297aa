"""One provider as everybody sees it: its listings, its hints, its ghosts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from terrace.engine import ghosts
from terrace.engine.ghosts import Ghost
from terrace.engine.stack.state import Key
from terrace.engine.turn.absorb import Listing
from terrace.engine.turn.adopt import ADOPTED
from terrace.engine.turn.restores import RESTORED
from terrace.errors import ProviderError, TerraceError, TransientError
from terrace.model.event import Event
from terrace.model.record import Record
from terrace.model.seen import Names, NotSeen, Seen
from terrace.model.step import Step, Verb
from terrace.ports.driver import Driver, Fence
from terrace.ports.engines import Published
from terrace.ports.store import Ruling
from terrace.ports.telemetry import CALL_FAILURES, CALLS
from terrace.runtime.engines.exchange import Exchange, Report
from terrace.runtime.leases import Holding
from terrace.runtime.pool import Pool
from terrace.runtime.worker import StackWorker, Surroundings

HINT_DELAY = 0.01
BUSY_DELAY = 2.0
BUSY_LOOK = 0.2
OURS_FOR = 5.0
FIRST_RETRY = 1.0
SPACING = 2.0
"""How many times as long as a listing took it is waited before the next, where many engines make hints."""


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
        exchange: Exchange | None = None,
    ) -> None:
        """`exchange`: with those who may list it as well; without it we are the only ones."""
        self.name = pool.name
        self._around = around
        self._pool = pool
        self._driver: Driver = pool.driver
        self._workers = workers
        self._resync = resync
        self._grace = grace
        self._hint = asyncio.Event()
        self._hints: dict[str, float] = {}  # when each first came
        self._holding = Holding(around.leases, f"provider:{self.name}/")
        self._exchange = exchange
        self._lists = exchange is None
        self._news = asyncio.Event()
        self._followed: set[StackWorker] = set()
        self._promised: list[tuple[int, asyncio.Future[Listing]]] = []
        self._spent = 0.0  # how long the last listing took
        self.ghosts: dict[str, Ghost] = {}
        self.listed_at = 0.0
        self.listings = 0
        self.trouble: NotSeen | None = None
        self._restored = False
        self._asking: list[asyncio.Future[Listing]] = []

    @property
    def lists(self) -> bool:
        """Whether it is we who list the provider."""
        return self._lists

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

    def said(self, listing: Published) -> None:
        """What the store tells of the last listing, or of somebody who wants a newer one."""
        if self._exchange is not None:
            self._exchange.said = listing
            if self._lists and self._exchange.wanted:
                self.look()
            self._news.set()

    def strangers(self) -> None:
        """There are stacks here of whose things nothing is known yet."""
        if self._exchange is not None:
            self._exchange.forget()
        self.look()

    async def run(self) -> None:
        """Lists until cancelled, or has it listed by the one engine that does."""
        wait = 0.0
        while True:
            await self._pause(wait)
            if self._exchange is not None:
                self._lists = await self._holding.take()
                if not self._lists:
                    wait = await self._defer(self._exchange)
                    continue
            wait = (
                self._resync
                if await self._list()
                else min(self._resync, max(FIRST_RETRY, wait * 2 if self.trouble else 0))
            )

    async def _defer(self, exchange: Exchange) -> float:
        """Asks whoever lists; how long until we look again whether it is still there."""
        asking, self._asking = self._asking, []
        wanted = bool(asking or self._hints) or not self.listed_at
        self._hint.clear()
        self._hints.clear()
        try:
            number = await exchange.ask() if wanted else 0
        except TransientError as error:
            for asked in asking:
                asked.set_exception(error)
            self.look()
            return FIRST_RETRY
        self._promised += [(number, asked) for asked in asking]
        return self._resync

    async def follow(self) -> None:
        """Takes in what others saw, until cancelled."""
        exchange = self._exchange
        while exchange is not None:
            await self._news.wait()
            self._news.clear()
            if self._lists:
                continue
            try:
                await self._read(exchange)
            except TransientError:
                await self._around.clock.sleep(FIRST_RETRY)
                self._news.set()

    async def _read(self, exchange: Exchange) -> None:
        workers = [worker for worker in self._workers() if worker.state.by_uid]
        if not self._followed.issuperset(workers):
            exchange.forget()  # nothing was kept of the things of a stack that was still being loaded
        self._followed = set(workers)
        uids = {uid for worker in workers for uid in worker.state.by_uid}
        report = await exchange.read(uids)
        if report is None or self._lists:
            return
        listing: Listing | None = None
        self.trouble = report.trouble
        if report.trouble is not None:
            for worker in list(self._workers()):
                worker.silent(self.name, report.trouble)
        else:
            self.listed_at = report.started
            rulings = await self._around.store.rulings(self.name)
            adopted = {
                r.provider_id: (r.uid, r.incarnation)
                for r in rulings
                if r.what == ADOPTED and r.provider_id in report.adopted
            }
            items = by_key(report.items, self._around.installation, adopted)
            # A stack that was loaded meanwhile: its things were not asked about, so that they are not in it.
            early = [worker for worker in workers if uids >= worker.state.by_uid.keys()]
            listing = self._tell(report, items, early)
            if len(early) < len(workers):
                exchange.forget()
                self._news.set()
        self._answer(exchange, listing)

    def _answer(self, exchange: Exchange, listing: Listing | None) -> None:
        due = [asked for number, asked in self._promised if number <= exchange.said.answered]
        self._promised = [one for one in self._promised if one[0] > exchange.said.answered]
        self._resolve(due, listing)

    async def watch(self) -> None:
        """Follows the provider's hints until cancelled; a broken stream is followed again."""
        wait = FIRST_RETRY
        while True:
            try:
                async for hint in self._driver.watch():
                    wait = FIRST_RETRY
                    if self._lists and not self._own_doing(hint):
                        self.look(hint)
            except TerraceError as error:
                self._around.telemetry.log("debug", "watch.broken", provider=self.name, message=error.message)
            if self._lists:
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
            # Steps of other engines make hints as well, and which those are is not known here.
            await self._around.clock.sleep(max(HINT_DELAY, SPACING * self._spent if self._exchange else 0.0))
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
        answers = self._exchange.said.asked if self._exchange is not None else 0
        try:
            listing = await self._ask(answers)
        except BaseException:
            for asked in asking:
                asked.cancel()
            raise
        self._resolve(asking, listing)
        return listing is not None

    def _resolve(self, asking: Iterable[asyncio.Future[Listing]], listing: Listing | None) -> None:
        for asked in asking:
            if not asked.done() and listing is not None:
                asked.set_result(listing)
            elif not asked.done():
                asked.set_exception(
                    TransientError(self.trouble.why if self.trouble else "it cannot be listed")
                )

    async def _ask(self, answers: int) -> Listing | None:
        """One listing, told to everybody; None when the provider could not be listed. `answers` is how many asked for
        it in other processes."""
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
            await self._publish(Report(started, trouble=self.trouble), answers)
            return None
        except Exception as error:
            self._around.telemetry.count(CALL_FAILURES, self.name, "observe")
            self._around.telemetry.log("error", "observe.crashed", provider=self.name, error=repr(error))
            self._silent(started, ProviderError(f"{type(error).__name__}: {error}"))
            await self._publish(Report(started, trouble=self.trouble), answers)
            return None
        self._around.telemetry.took(CALLS, self._around.clock.now() - started, self.name, "observe")
        self.listings += 1
        self.listed_at = started
        if self.trouble is not None:
            self.trouble = None
            await self._say("provider.back", f"provider {self.name} answers again")
        items = by_key(observation.items, self._around.installation, adopted)
        restored = any(ruling.what == RESTORED for ruling in rulings)
        report = Report(started, observation.items, tuple(adopted), restored)
        self._spent = self._around.clock.now() - started
        listing = self._tell(report, items)
        reapable = await self._find_ghosts(items, started)
        await self._publish(replace(report, ghosts=tuple(self.ghosts.values())), answers)
        if reapable and await self._holding.take():
            for ghost in reapable:
                await self._reap(ghost)
        return listing

    def _tell(
        self,
        report: Report,
        items: Mapping[Key, Sequence[Seen]],
        workers: Iterable[StackWorker] | None = None,
    ) -> Listing:
        """Every stack here hears what was seen, or those of `workers`: of others' things nothing is in it, which does
        not mean that they are gone."""
        accepted = self._restored and not report.restored
        self._restored = report.restored
        listing = Listing(report.started, items, frozenset(report.adopted), newest(items), report.restored)
        for worker in list(self._workers() if workers is None else workers):
            if accepted:  # by a person, in another process
                worker.accepted(self.name)
            worker.observed(self.name, listing)
        return listing

    async def _publish(self, report: Report, answers: int) -> None:
        """Tells the other engines; who lists by now tells them better."""
        if self._exchange is None:
            return
        try:
            self._lists = await self._exchange.publish(self._holding, report, answers)
        except TransientError:
            self.look()

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

    async def _find_ghosts(self, items: Mapping[Key, Sequence[Seen]], started: float) -> list[Ghost]:
        """Looks for them; those that are to go."""
        candidates = await self._candidates(items)
        if not candidates and not self.ghosts:
            return []
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
        return ghosts.to_reap(self.ghosts, before, self._grace, started)

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
                candidates += await self._doubles(key, found)
        return candidates

    def _known_here(self, key: Key) -> bool:
        return any(worker.state.record(key) is not None for worker in self._workers())

    def accepted(self) -> None:
        """A person has said yes: what the database wants is right."""
        self._restored = False
        for worker in list(self._workers()):
            worker.accepted(self.name)
        self.look()

    async def _doubles(self, key: Key, found: Sequence[Seen]) -> list[Seen]:
        """All but the one whose id is committed; none while that is not known."""
        for worker in self._workers():
            known = worker.state.record(key)
            if known is not None:
                return _but(known[1], found)
        if self._exchange is not None:
            for record in await self._exchange.records(self._around.store, key[0]):
                if record.key == key:
                    return _but(record, found)
        return []

    async def _reap(self, ghost: Ghost) -> None:
        try:
            await self._remove(ghost)
        except TerraceError as error:
            self._around.telemetry.log("warning", "ghost.stays", provider=self.name, message=error.message)

    async def _remove(self, ghost: Ghost) -> None:
        event = await remove(ghost, self._driver, self._holding, self._around.clock.now())
        if event is not None:
            self.ghosts.pop(ghost.seen.provider_id, None)
            await self._around.store.publish([event])
            self._around.bell.ring()

    async def close(self) -> None:
        """Gives the provider's lease back."""
        await self._holding.release()


class PersonsWord:
    """The fence of what a person asked for and what belongs to no stack, so that no lease guards it."""

    def check(self, timeout: float) -> None:
        """Lets everything pass."""


async def remove(ghost: Ghost, driver: Driver, fence: Fence, now: float) -> Event | None:
    """Deletes a ghost; what there is to tell when it is gone at once. What the provider says when it cannot be."""
    owner = ghost.seen.owner
    if owner is None:
        return None
    step = Step(
        verb=Verb.DELETE,
        kind=ghost.seen.kind,
        owner=owner,
        names=Names(path=ghost.seen.name),
        provider_id=ghost.seen.provider_id,
        attributes=ghost.seen.attributes,
    )
    receipt = await driver.apply(step, fence)
    if receipt.note and not receipt.handle:
        raise TransientError(receipt.note)
    if receipt.seen is not None or receipt.handle:
        return None
    name = ghost.seen.name or ghost.seen.provider_id
    return Event("ghost.reaped", now, message=f"{ghost.seen.kind} {name} on {ghost.provider} is gone")


async def listing_of(driver: Driver, installation: str, rulings: Sequence[Ruling], started: float) -> Listing:
    """A listing by whoever wants to know, for nobody else. ProviderError."""
    adopted = {r.provider_id: (r.uid, r.incarnation) for r in rulings if r.what == ADOPTED}
    observation = await driver.observe(installation, tuple(adopted))
    items = by_key(observation.items, installation, adopted)
    restored = any(ruling.what == RESTORED for ruling in rulings)
    return Listing(started, items, frozenset(adopted), newest(items), restored)


def newest(items: Iterable[Key]) -> dict[str, int]:
    """The last incarnation shown, by uid."""
    found: dict[str, int] = {}
    for uid, incarnation in items:
        found[uid] = max(found.get(uid, 0), incarnation)
    return found


def _but(record: Record, found: Sequence[Seen]) -> list[Seen]:
    if not record.provider_id or record.intent is not None:
        return []
    return [seen for seen in found if seen.provider_id != record.provider_id]


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
