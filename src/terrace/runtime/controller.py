"""The control plane of one process: a worker per stack, a hub and a pool per provider, one committer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from terrace.engine.ghosts import Ghost
from terrace.engine.stack.state import Live, Rules, StackState
from terrace.engine.turn.restores import RESTORED
from terrace.errors import NotFoundError
from terrace.model.graph import Graph
from terrace.model.plan import Plan
from terrace.model.stack import Stack
from terrace.ports.clock import Clock, Entropy
from terrace.ports.driver import Driver
from terrace.ports.engines import ENGINE, ROLES, Engines, Member
from terrace.ports.kind import Kind
from terrace.ports.secrets import Secrets
from terrace.ports.store import Store
from terrace.ports.telemetry import QUEUE, STACKS, Telemetry
from terrace.runtime.adoption import Adoptions
from terrace.runtime.bell import Bell
from terrace.runtime.commits import Committer
from terrace.runtime.engines.membership import Membership
from terrace.runtime.hub import Hub, PersonsWord, remove
from terrace.runtime.leases import Alone, Leases
from terrace.runtime.patience import PatientStore
from terrace.runtime.pool import Pool
from terrace.runtime.worker import Surroundings
from terrace.runtime.working.crew import Crew
from terrace.runtime.working.picture import Pictures
from terrace.runtime.working.shared import Bystander, Shared

DAY = 86_400.0
MOMENT, LONGEST_MOMENT = 0.02, 0.2
"""Seconds between looks whether another process took in what was rung for: the first, and at most."""


class Tuning(msgspec.Struct, frozen=True):
    """Times in seconds. `resync`: between listings of a provider; `grace`: before a ghost is reaped; `lease`: how
    long a lease lasts. `events_age` and `events_kept`, `generations_kept` bound what is remembered. `holder` names
    this process, `roles` (ports.engines) say what it does, `version` which tables it knows. `parting`: how long a
    stop waits for steps that run, when others can go on with the rest. `poll`: how often it is asked what other
    processes changed, where nobody hints at it."""

    resync: float = 30.0
    grace: float = 60.0
    lease: float = 10.0
    events_age: float = 30 * DAY
    events_kept: int = 100_000
    generations_kept: int = 20
    holder: str = "local"
    roles: tuple[str, ...] = ROLES
    version: int = 0
    parting: float = 3.0
    poll: float = 0.25
    default_provider: str = "local"


@dataclass(frozen=True, slots=True)
class Means:
    """What every part of the control plane is given and may not take for itself."""

    clock: Clock
    entropy: Entropy
    secrets: Secrets
    telemetry: Telemetry


class ProviderStatus(msgspec.Struct, frozen=True):
    """How a provider stands: `why` it cannot be reached ("" when it can), when it was last listed (epoch seconds)."""

    name: str
    reachable: bool
    why: str = ""
    listed: float = 0.0
    listings: int = 0
    ghosts: int = 0
    busy: int = 0


class Controller:
    """Brings stacks to what is desired and keeps them so, until stopped. With `engines` it is one of several processes
    on the store, and works on its share of the stacks, or on none when it only answers people; without, the store is
    its own."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        kinds: Mapping[str, Kind],
        means: Means,
        tuning: Tuning | None = None,
        engines: Engines | None = None,
    ) -> None:
        self.bell = Bell()
        self.drivers = dict(drivers)
        self.tuning = tuning or Tuning()
        self.engines = engines
        self._store = store
        self._patient = PatientStore(store, means.clock)
        self._clock = means.clock
        self._entropy = means.entropy
        self.secrets = means.secrets
        self._telemetry = means.telemetry
        self._committer = Committer(store, self.bell, means.clock, means.telemetry)
        self._kinds = kinds
        self._pools = {
            name: Pool(name, driver, means.clock, means.telemetry) for name, driver in drivers.items()
        }
        self.started = 0.0
        self._hubs: dict[str, Hub] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pictures = Pictures(store, lambda: self._rules, (means.clock, means.entropy), self.drivers)
        self.crew: Crew | None = None
        self._shared: Shared | None = None
        if engines is not None:
            me = Member("", self.tuning.holder, self.tuning.roles, self.tuning.version)
            self._shared = Shared(
                Membership(engines, me, self.tuning.lease, means.clock, (means.entropy, means.telemetry)),
                store,
                self.bell,
                (means.clock, means.telemetry),
                self.tuning.poll,
            )

    @property
    def _rules(self) -> Rules:
        """What decisions are made with."""
        return Rules(
            self._kinds,
            {name: driver.capabilities for name, driver in self.drivers.items()},
            self.secrets.digest,
            default_provider=self.tuning.default_provider,
            lease=self.tuning.lease,
        )

    async def start(self) -> None:
        """Takes up every stack there is, or those that become ours."""
        self.started = self._clock.now()
        shared = self._shared
        if shared is not None:
            await shared.enter()
        if ENGINE in self.tuning.roles:
            await self._man(await self._store.installation())
        if shared is not None:
            shared.begin(self.crew or Bystander(self._pictures.silent, shared.membership), self._spawn)
        elif self.crew is not None:
            for stack in await self._store.stacks():
                self.crew.take_up(stack)
        for hub in self._hubs.values():
            self._spawn(hub.run())
            self._spawn(hub.watch())
            if shared is not None:
                self._spawn(hub.follow())
        if self.crew is not None:
            self._spawn(self._prune())

    async def _man(self, installation: str) -> None:
        """Makes ready to work on stacks."""
        leases: Leases = Alone(self._patient, self.tuning.holder, self.tuning.lease)
        if self._shared is not None:
            leases = self._shared.membership
        around = Surroundings(
            store=self._patient,
            committer=self._committer,
            rules=self._rules,
            drivers=self.drivers,
            pools=self._pools,
            clock=self._clock,
            entropy=self._entropy,
            secrets=self.secrets,
            telemetry=self._telemetry,
            bell=self.bell,
            installation=installation,
            leases=leases,
            lease=self.tuning.lease,
            look=self._look,
            wake=self.wake,
        )
        crew = self.crew = Crew(around, self._hubs, self._spawn, shared=self._shared is not None)
        self._pictures.crew, self._pictures.hubs = crew, self._hubs
        for name, pool in self._pools.items():
            pool.take_on = Adoptions(name, around).take_on
            if len(pool.driver.capabilities.kinds - pool.driver.capabilities.recorded):
                self._hubs[name] = Hub(
                    around,
                    pool,
                    crew.workers.values,
                    resync=self.tuning.resync,
                    grace=self.tuning.grace,
                    exchange=self._shared.exchange(name) if self._shared is not None else None,
                )
        self._telemetry.gauge(QUEUE, lambda: {(name,): pool.busy for name, pool in self._pools.items()})
        self._telemetry.gauge(STACKS, self._phases)

    def _phases(self) -> dict[tuple[str, ...], float]:
        workers = self.crew.workers.values() if self.crew is not None else ()
        return dict(Counter((worker.state.stack.phase.value,) for worker in workers))

    async def stop(self) -> None:
        """Stops working. Where others can go on, steps that run come to their end first, within `parting` seconds; the
        rest is dropped with its intents open, and leases are given back."""
        if self._shared is not None and self.crew is not None:
            await self._shared.part(self.tuning.parting)
        for pool in self._pools.values():
            await pool.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shared is not None:
            await self._shared.membership.leave()
            return
        if self.crew is not None:
            await self.crew.stop()
        for hub in self._hubs.values():
            await hub.close()

    def wake(self, stack_id: str, *, rung: bool = True) -> None:
        """What is desired of a stack may have changed (or the stack is new). `rung` False: what changed is not the
        stack's own, so nothing that was written says so to an engine elsewhere."""
        worker = self.crew.here(stack_id) if self.crew is not None else None
        if worker is not None:
            worker.wake()
        elif self._shared is not None and not rung:
            self._spawn(self._shared.ring(stack_id))
        elif self._shared is not None:
            self._shared.look()
        elif self.crew is not None:
            self._spawn(self.crew.adopt(stack_id))

    async def heed(self, stack_id: str, patience: float = 2.0) -> None:
        """Like `wake`, and comes back when the engine has begun with it, so that the stack's head tells of it; at the
        latest after `patience` seconds."""
        worker = self.crew.here(stack_id) if self.crew is not None else None
        if worker is not None:
            await worker.heed(patience)
            return
        self.wake(stack_id)
        if self.engines is None:
            return
        end, wait = self._clock.now() + patience, MOMENT
        mark = await self.engines.waiting(stack_id)
        while mark and await self.engines.waiting(stack_id, mark) and self._clock.now() < end:
            await self._clock.sleep(wait)
            wait = min(wait * 1.5, LONGEST_MOMENT)

    def _look(self, provider: str) -> None:
        """Asks for a listing of a provider soon."""
        hub = self._hubs.get(provider)
        if hub is not None:
            hub.look()

    # ---- asking

    async def plan(self, stack: Stack, graph: Graph, *, deleting: bool = False, fresh: bool = False) -> Plan:
        """What `graph` would change in a stack (at generation 0: a new one): the engine's own decisions, with nothing
        done. `fresh`: from what every provider of it shows now (TransientError when one does not answer)."""
        return await self._pictures.plan(stack, graph, deleting=deleting, fresh=fresh)

    async def outputs(self, stack_id: str) -> dict[str, Any]:
        """The outputs of a stack, evaluated: Secret where secret, None where not known yet. NotFoundError."""
        return await self._pictures.outputs(stack_id)

    async def locate(self, uid: str) -> tuple[StackState, Live] | None:
        """The stack and the life of a uid: those of the worker if it is here, else as they are stored. To look at, and
        never to change."""
        for worker in self.crew.workers.values() if self.crew is not None else ():
            live = None if worker.finished else worker.state.by_uid.get(uid)
            if live is not None:
                return worker.state, live
        if self.engines is None:
            return None
        return await self._pictures.find(uid, await self.engines.whose(uid))

    async def ghosts(self) -> list[Ghost]:
        """Things with our label that nothing wants, on every provider."""
        found: list[Ghost] = []
        for name in self.drivers:
            hub = self._hubs.get(name)
            if hub is not None and hub.lists:
                found += hub.ghosts.values()
            elif self.engines is not None:
                found += await self.engines.ghosts(name)
        return found

    async def reap(self, provider: str, provider_id: str) -> None:
        """Removes one ghost at a person's word, data or not. NotFoundError when it is none."""
        driver = self.drivers.get(provider)
        if driver is None:
            raise NotFoundError(f"there is no provider {provider!r}", hint="terrace provider list")
        for ghost in await self.ghosts():
            if (ghost.provider, ghost.seen.provider_id) == (provider, provider_id):
                event = await remove(ghost, driver, PersonsWord(), self._clock.now())
                if event is not None:
                    await self._store.publish([event])
                    self.bell.ring()
                if event is not None and provider in self._hubs:
                    self._hubs[provider].ghosts.pop(provider_id, None)
                return
        raise NotFoundError(f"{provider_id} is not a ghost on {provider}", hint="terrace ghost list")

    async def accept_restore(self) -> list[str]:
        """A person has said that what the database wants is right. The providers on which that had been in doubt."""
        doubted = [
            name
            for name in self.drivers
            if any(ruling.what == RESTORED for ruling in await self._store.rulings(name))
        ]
        await self._store.rule([], [(name, "") for name in self.drivers])
        for name in doubted:
            if name in self._hubs:
                self._hubs[name].accepted()
            elif self.engines is not None:
                await self.engines.ask(name)
        return doubted

    def provider_status(self) -> list[ProviderStatus]:
        """How every provider stands."""
        return [self._status(name) for name in self.drivers]

    def _status(self, name: str) -> ProviderStatus:
        hub = self._hubs.get(name)
        trouble = hub.trouble if hub else self._pictures.silent.get(name)
        listed = hub.listed_at if hub else self._shared.listed(name) if self._shared is not None else 0.0
        return ProviderStatus(
            name=name,
            reachable=trouble is None,
            why=trouble.why if trouble else "",
            listed=listed,
            listings=hub.listings if hub else 0,
            ghosts=len(hub.ghosts) if hub else 0,
            busy=self._pools[name].busy,
        )

    @property
    def trouble(self) -> str:
        """Why nothing can be written at the moment; "" when all is well."""
        return self._committer.trouble

    # ---- tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._telemetry.log("error", "task.crashed", error=repr(task.exception()))

    async def _prune(self) -> None:
        while True:
            await self._clock.sleep(600.0)
            await self._patient.prune(
                events_before=self._clock.now() - self.tuning.events_age,
                events_kept=self.tuning.events_kept,
                generations_kept=self.tuning.generations_kept,
            )
