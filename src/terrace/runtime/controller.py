"""The control plane of one process: a worker per stack, a hub and a pool per provider, one committer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from terrace.engine.ghosts import Ghost
from terrace.engine.plan import make_plan
from terrace.engine.stack import read
from terrace.engine.stack.state import Live, Rules, StackState
from terrace.engine.turn import absorb, advance
from terrace.errors import NotFoundError, TerraceError
from terrace.model.event import Event
from terrace.model.graph import Found, Graph
from terrace.model.plan import Plan
from terrace.model.seen import NotSeen
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.clock import Clock, Entropy
from terrace.ports.driver import Driver
from terrace.ports.kind import Kind
from terrace.ports.secrets import Secrets
from terrace.ports.store import Store
from terrace.ports.telemetry import QUEUE, STACKS, Telemetry
from terrace.runtime.adoption import Adoptions
from terrace.runtime.bell import Bell
from terrace.runtime.commits import Committer
from terrace.runtime.hub import Hub
from terrace.runtime.patience import PatientStore
from terrace.runtime.pool import Pool
from terrace.runtime.worker import StackWorker, Surroundings

DAY = 86_400.0
LOOKS = 10
"""How often a plan is begun anew to look up what other stacks export: names may hang on what was found before."""


class Tuning(msgspec.Struct, frozen=True):
    """Times in seconds. `resync`: between listings of a provider; `grace`: before a ghost is reaped; `lease`: how
    long a lease lasts. `events_age` and `events_kept`, `generations_kept` bound what is remembered. `holder` names
    this process in leases."""

    resync: float = 30.0
    grace: float = 60.0
    lease: float = 10.0
    events_age: float = 30 * DAY
    events_kept: int = 100_000
    generations_kept: int = 20
    holder: str = "local"
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
    """Brings stacks to what is desired and keeps them so, until stopped."""

    def __init__(
        self,
        store: Store,
        drivers: Mapping[str, Driver],
        kinds: Mapping[str, Kind],
        means: Means,
        tuning: Tuning | None = None,
    ) -> None:
        self.bell = Bell()
        self.drivers = dict(drivers)
        self.tuning = tuning or Tuning()
        self._store = store
        self._patient = PatientStore(store, means.clock)
        self._kinds = kinds
        self._clock = means.clock
        self._entropy = means.entropy
        self.secrets = means.secrets
        self._telemetry = means.telemetry
        self._committer = Committer(store, self.bell, means.clock, means.telemetry)
        self._pools = {
            name: Pool(name, driver, means.clock, means.telemetry) for name, driver in drivers.items()
        }
        self._workers: dict[str, StackWorker] = {}
        self._hubs: dict[str, Hub] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._around: Surroundings | None = None

    @property
    def _rules(self) -> Rules:
        """What decisions are made with."""
        capabilities = {name: driver.capabilities for name, driver in self.drivers.items()}
        return Rules(
            self._kinds,
            capabilities,
            self.secrets.digest,
            default_provider=self.tuning.default_provider,
            lease=self.tuning.lease,
        )

    async def start(self) -> None:
        """Takes up every stack there is."""
        self._around = Surroundings(
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
            installation=await self._store.installation(),
            holder=self.tuning.holder,
            lease=self.tuning.lease,
            look=self._look,
            wake=self.wake,
        )
        for name, pool in self._pools.items():
            pool.take_on = Adoptions(name, self._around).take_on
        for stack in await self._store.stacks():
            self._begin(stack)
        for name, pool in self._pools.items():
            if len(pool.driver.capabilities.kinds - pool.driver.capabilities.recorded):
                hub = Hub(
                    self._around,
                    pool,
                    self._workers.values,
                    resync=self.tuning.resync,
                    grace=self.tuning.grace,
                )
                self._hubs[name] = hub
                self._spawn(hub.run())
                self._spawn(hub.watch())
        self._telemetry.gauge(QUEUE, lambda: {(name,): pool.busy for name, pool in self._pools.items()})
        self._telemetry.gauge(STACKS, self._phases)
        self._spawn(self._renew())
        self._spawn(self._prune())

    def _phases(self) -> dict[tuple[str, ...], float]:
        return dict(Counter((worker.state.stack.phase.value,) for worker in self._workers.values()))

    async def stop(self) -> None:
        """Stops working; what runs is dropped with its intents open, leases are given back."""
        for pool in self._pools.values():
            await pool.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._workers.values():
            await worker.stop()
        for hub in self._hubs.values():
            await hub.close()

    def wake(self, stack_id: str) -> None:
        """What is desired of a stack may have changed (or the stack is new)."""
        worker = self._workers.get(stack_id)
        if worker is not None and not worker.finished:
            worker.wake()
        else:
            self._spawn(self._adopt(stack_id))

    async def heed(self, stack_id: str, patience: float = 2.0) -> None:
        """Like `wake`, and comes back when the engine has begun with it, so that the stack's head tells of it; at the
        latest after `patience` seconds."""
        worker = self._workers.get(stack_id)
        if worker is not None and not worker.finished:
            await worker.heed(patience)
        else:
            self.wake(stack_id)

    def _look(self, provider: str) -> None:
        """Asks for a listing of a provider soon."""
        hub = self._hubs.get(provider)
        if hub is not None:
            hub.look()

    # ---- asking

    async def plan(self, stack: Stack, graph: Graph, *, deleting: bool = False, fresh: bool = False) -> Plan:
        """What `graph` would change in a stack (at generation 0: a new one): the engine's own decisions, with nothing
        done. `fresh`: from what every provider of it shows now (TransientError when one does not answer)."""
        found: list[Found] = []
        for _ in range(LOOKS):
            state = await self._state_for_plan(stack, found, fresh=fresh)
            now = self._clock.now()
            generation = Generation(stack.generation + 1, graph, Source(""), now, deleting=deleting)
            plan = make_plan(state, generation, now)
            asked = list(state.imports.asked)
            if not asked:
                break
            found += await self._store.imports(stack.id, asked)
        return plan

    async def _state_for_plan(self, stack: Stack, found: Sequence[Found], *, fresh: bool) -> StackState:
        state = StackState(stack, self._rules, self._entropy.uid, await self._store.installation())
        if stack.generation:
            state.restore(await self._store.records(stack.id))
            state.imports.restore(await self._store.uses(stack.id))
            advance.direct(state, await self._store.directives(stack.id))
            self._lend_sightings(state, stack.id)
            if fresh:
                await self._look_now(state)
        state.imports.arrive(found)
        for name, hub in self._hubs.items():
            if hub.trouble is not None:
                state.silent[name] = hub.trouble
        return state

    async def _look_now(self, state: StackState) -> None:
        """Every provider that the stack's records name is listed, whatever was seen before."""
        used = {record.provider for live in state.lives.values() for record in live.records()}
        hubs = {name: hub for name, hub in self._hubs.items() if name in used}
        listings = await asyncio.gather(*(hub.fresh() for hub in hubs.values()))
        for name, listing in zip(hubs, listings, strict=True):
            absorb.observe(state, name, listing, self._clock.now())

    def _lend_sightings(self, state: StackState, stack_id: str) -> None:
        worker = self._workers.get(stack_id)
        if worker is not None:
            state.sightings.update(worker.state.sightings)
            for path, live in worker.state.lives.items():
                if path in state.lives:
                    state.lives[path].probe = live.probe

    async def outputs(self, stack_id: str) -> dict[str, Any]:
        """The outputs of a stack, evaluated: Secret where secret, None where not known yet."""
        worker = self._workers.get(stack_id)
        if worker is not None and worker.state.generation is not None and not worker.finished:
            return read.outputs(worker.state)
        raise NotFoundError("the stack is not being worked on here")

    def locate(self, uid: str) -> tuple[StackState, Live] | None:
        """The stack and the life of a uid, if it is worked on here. To look at, and never to change."""
        for worker in self._workers.values():
            live = None if worker.finished else worker.state.by_uid.get(uid)
            if live is not None:
                return worker.state, live
        return None

    def ghosts(self) -> list[Ghost]:
        """Things with our label that nothing wants, on every provider."""
        return [ghost for hub in self._hubs.values() for ghost in hub.ghosts.values()]

    async def reap(self, provider: str, provider_id: str) -> None:
        """Removes one ghost at a person's word. NotFoundError when it is none."""
        hub = self._hubs.get(provider)
        if hub is None:
            raise NotFoundError(f"there is no provider {provider!r}", hint="terrace provider list")
        await hub.reap(provider_id)

    async def accept_restore(self) -> list[str]:
        """A person has said that what the database wants is right. The providers on which that had been in doubt."""
        return [name for name, hub in self._hubs.items() if await hub.accept_restore()]

    def provider_status(self) -> list[ProviderStatus]:
        """How every provider stands."""
        return [self._status(name) for name in self.drivers]

    def _status(self, name: str) -> ProviderStatus:
        hub = self._hubs.get(name)
        trouble: NotSeen | None = hub.trouble if hub else None
        return ProviderStatus(
            name=name,
            reachable=trouble is None,
            why=trouble.why if trouble else "",
            listed=hub.listed_at if hub else 0.0,
            listings=hub.listings if hub else 0,
            ghosts=len(hub.ghosts) if hub else 0,
            busy=self._pools[name].busy,
        )

    @property
    def trouble(self) -> str:
        """Why nothing can be written at the moment; "" when all is well."""
        return self._committer.trouble

    # ---- tasks

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._telemetry.log("error", "task.crashed", error=repr(task.exception()))

    async def _adopt(self, stack_id: str) -> None:
        stack = await self._patient.stack(stack_id)
        known = self._workers.get(stack_id)
        if stack is not None and (known is None or known.finished):
            self._begin(stack)

    def _begin(self, stack: Stack) -> None:
        assert self._around is not None
        worker = StackWorker(self._around, stack)
        self._workers[stack.id] = worker
        for name, hub in self._hubs.items():
            if hub.trouble is not None:
                worker.silent(name, hub.trouble)
        self._spawn(self._work(stack.id, worker))

    async def _work(self, stack_id: str, worker: StackWorker) -> None:
        """Runs a worker. One that crashed (our bug) or lost its lease is begun anew from the store, after a moment."""
        try:
            await worker.run()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            worker.finished = True
            await self._stumbled(worker.state.stack, error)
        if await self._patient.stack(stack_id) is not None:
            await self._clock.sleep(self.tuning.lease / 4)
        if self._workers.get(stack_id) is worker:
            del self._workers[stack_id]
            await self._adopt(stack_id)

    async def _stumbled(self, stack: Stack, error: Exception) -> None:
        """A bug of ours is told where people look: among the stack's events, with the rest in the log."""
        self._telemetry.log("error", "worker.crashed", stack=stack.name, error=repr(error))
        message = (
            f"an error inside Terrace interrupted the work ({type(error).__name__}); it goes on in a moment"
        )
        now = self._clock.now()
        with suppress(TerraceError):
            await self._store.publish([Event("stack.stumbled", now, stack=stack.id, message=message)])
            self.bell.ring()

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep(self.tuning.lease / 4)
            for worker in list(self._workers.values()):
                await worker.renew()

    async def _prune(self) -> None:
        while True:
            await self._clock.sleep(600.0)
            await self._patient.prune(
                events_before=self._clock.now() - self.tuning.events_age,
                events_kept=self.tuning.events_kept,
                generations_kept=self.tuning.generations_kept,
            )
