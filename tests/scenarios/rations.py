"""Histories of a project with limits, which people set, raise and lower while engines die, are robbed and come back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from terrace.errors import TerraceError
from terrace.model.graph import Graph
from terrace.model.record import Record
from terrace.model.spec.quota import Amounts, Shortage, shortages
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.store import Commit
from terrace.services.gate import Actor, Gate, Surface
from terrace.services.quotas import QuotaKeeping
from terrace.services.quotas.counting import counted
from terrace.stores.in_memory.quotas import MemoryQuotas
from terrace.stores.memory import MemoryStore
from tests.scenarios.harness import BrokenPromise, Simulation
from tests.scenarios.history import Act, History
from tests.scenarios.process import Process

OWNER = Actor("ann", owner=True)
PROJECT = "p"
SOME = {"machines": (0, 9), "memory": (0, 4096), "volumes": (0, 4), "storage": (0, 12), "stacks": (1, 2)}
"""Between what a limit is chosen."""
ROOM = {"machines": 60, "memory": 60 * 512, "volumes": 40, "storage": 900, "stacks": 2}
"""More than any design takes."""


class Refused(Exception):
    """A wish that was not taken: too much, or nobody there who could say."""


class WatchedStore(MemoryStore):
    """Judges each grant at the moment it is given: nothing lies between a question and its answer in one process, so
    what stands in the tables then is what every other engine was given, too."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.said: Counter[str] = Counter()

    async def reserve(self, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
        """Counts what came of it."""
        short: tuple[Shortage, ...] = await self._judged(super().reserve(stack, wanted))
        self.said["too little" if short else "grown"] += 1
        return short

    async def save_generation(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        work = super().save_generation(stack, generation, expected, records, force=force)
        return await self._judged(work)

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        done = await super().commit(commits)
        stacks = self._tables.stacks
        if lost := [stack for stack in self._tables.usage if stack not in stacks]:
            raise BrokenPromise(f"something is held for stacks that are gone: {lost}")
        return done

    async def _judged(self, work: Coroutine[Any, Any, Any]) -> Any:
        before = self.together()
        result = await work
        after = self.together()
        limits = {name: most for (_, name), most in self._tables.quotas.items()}
        if short := shortages(limits, before, before, after):
            raise BrokenPromise(f"more was given than there was: {short}")
        self.said["given"] += after != before
        return result

    def together(self) -> Amounts:
        """What all stacks hold, added up here and not by the store."""
        found = {"stacks": len(self._tables.stacks)}
        for held in self._tables.usage.values():
            for name, amount in held.items():
                found[name] = found.get(name, 0) + amount
        return found


class RationedSimulation(Simulation):
    """A simulation whose wishes are counted, as the server counts them."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.store: WatchedStore = WatchedStore(self.secrets, self.clock, installation="home")
        self.quotas = MemoryQuotas(self.store)

    async def limit(self, **limits: int | None) -> None:
        """What `terrace quota set` does. Refused when no server can answer now."""
        texts = {name: "none" if most is None else str(most) for name, most in limits.items()}
        self.note(f"limits: {texts}")
        await self._asked(lambda surface: QuotaKeeping(surface).set(OWNER, PROJECT, texts))

    def refused(self, why: Refused) -> None:
        """A wish was not taken."""
        self.store.said["refused"] += 1
        self.note(f"  refused: {why}")

    async def covered(self) -> None:
        """What stands at its place is held by its stack, of whatever is limited."""
        limits = await self.quotas.limits(PROJECT)
        for stack in await self.store.stacks():
            standing = {
                (record.kind, record.path)
                for record in await self.store.records(stack.id)
                if record.kind in ("Machine", "Volume")
                and not record.departing
                and record.provider_id in self.world.things
            }
            held = (await self.quotas.held(PROJECT)).get(stack.id, {})
            for kind, name in (("Machine", "machines"), ("Volume", "volumes")):
                there = sum(one == kind for one, _ in standing)
                if name in limits and held.get(name, 0) < there:
                    raise BrokenPromise(f"{stack.name} has {there} {name}, and holds {held}")

    async def _save(self, name: str, graph: Graph, *, force: bool = False, **more: Any) -> Stack:
        stack = await self.find(name) or Stack("new", PROJECT, name, 0)
        wish = Generation(stack.generation + 1, graph, Source(""), 0.0, **more)
        wish = await self._asked(lambda surface: counted(surface, stack, wish))
        try:
            return await super()._save(name, graph, force=force, usage=wish.usage, **more)
        except TerraceError as error:
            raise Refused(str(error)) from error

    async def _asked(self, work: Callable[[Surface], Coroutine[Any, Any, Any]]) -> Any:
        """What a server that can answer now says. Refused."""
        able = [one for one in self.processes if one.alive and not one.cut_off and one.controller is not None]
        able = [one for one in able if one._thaw.is_set()]
        if not able:
            raise Refused("no server answers")
        process = able[0]
        try:
            return await process.run(work(self._surface(process)))
        except TerraceError as error:
            raise Refused(str(error)) from error
        except asyncio.CancelledError:
            if process.alive:
                raise
            raise Refused("the server died") from None

    def _surface(self, process: Process) -> Surface:
        parts: dict[str, Any] = {
            "gate": Gate(self.store, process, process),
            "store": self.store,
            "controller": process.controller,
            "clock": process,
            "entropy": self.entropy,
            "telemetry": process,
            "vault": None,
            "quotas": self.quotas,
        }
        return Surface(**parts)


class Rationed(History):
    """One seed's history with limits."""

    simulates = RationedSimulation
    simulation: RationedSimulation

    def acts(self) -> list[Act]:
        """What may come next, and how often: limits come and go, too."""
        return [*super().acts(), (self._limit, 6), (self._alarm, 8)]

    async def _step(self) -> None:
        try:
            await super()._step()
        except Refused as error:
            self.simulation.refused(error)
            self._as_before()
        await self.simulation.covered()

    async def _apply(self) -> None:
        """The first wish may be refused, too."""
        try:
            await super()._apply()
        except Refused as error:
            self.simulation.refused(error)
            self._as_before()

    def _as_before(self) -> None:
        """Designs are what was last taken."""
        for name in list(self.designs):
            graph = self.simulation.wanted.get(name)
            if graph is not None:
                self.designs[name].nodes = {node.path: node for node in graph.nodes}
            elif name not in self.simulation.wanted:
                del self.designs[name]

    async def _limit(self) -> None:
        """Some limits come, go, rise or fall."""
        random = self.random
        names = random.sample(sorted(SOME), random.randint(1, 3))
        limits = {name: random.randint(*SOME[name]) if random.random() < 0.8 else None for name in names}
        await self.simulation.limit(**limits)

    async def _end(self) -> None:
        """First limits may be in the way, and what waits says so; then there is room, and it comes."""
        simulation = self.simulation
        simulation.calm()
        await self._revive()
        await asyncio.sleep(120.0)
        await simulation.covered()
        left = {name: ROOM[name] if self.random.random() < 0.7 else None for name in ROOM}
        await simulation.limit(**left)
        await super()._end()
        await self._as_counted()

    async def _as_counted(self) -> None:
        """What is held is what the stacks take, when all is still."""
        simulation = self.simulation
        wrong = await simulation._asked(lambda surface: QuotaKeeping(surface).check(OWNER))
        if await simulation.quotas.limits(PROJECT) and wrong:
            raise BrokenPromise(f"held is something else than taken: {wrong}")
