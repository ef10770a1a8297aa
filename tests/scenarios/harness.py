"""One simulated history: a world, a store, engines that live and die, people who change their minds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.sim.clock import SimClock, SimEntropy
from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.faults import CALM, Faults
from terrace.drivers.sim.outside import Outside
from terrace.drivers.sim.settings import SimSettings
from terrace.drivers.sim.world import Entry, World
from terrace.kinds import KINDS
from terrace.model.graph import Graph, Node
from terrace.model.plan import Plan
from terrace.model.stack import Directive, Generation, OnFailure, Phase, Source, Stack
from terrace.ports.driver import CreateOnce
from terrace.stores.memory import MemoryStore
from tests.scenarios.design import PROVIDER
from tests.scenarios.doors import Doors, NoStacks
from tests.scenarios.process import Process, follow_tasks
from tests.scenarios.sealing import PlainSecrets

HOUR = 3600.0
CHECK_EVERY = 1.0


def _shape(node: Node) -> Any:
    """What of a node cannot change without a replacement, roughly."""
    if node.kind == "AutoScalingGroup":
        return (node.kind, node.properties["resource_def"]["properties"]["image"])
    if node.kind == "Group":
        return (node.kind, node.properties["count"])
    return (node.kind, node.properties.get("image"))


class BrokenPromise(AssertionError):
    """An invariant did not hold."""


class Simulation:
    """Everything that one history needs. Make it inside a VirtualLoop."""

    def __init__(
        self, seed: int = 0, *, create_once: CreateOnce = CreateOnce.BY_NAME, lag: float = 0.0, **tuning: Any
    ) -> None:
        follow_tasks(asyncio.get_running_loop())
        self.random = Random(f"simulation {seed}")
        self.clock = SimClock()
        self.entropy = SimEntropy(seed)
        self.secrets = PlainSecrets()
        self.world = World(seed, create_once)
        self.outside = Outside(self.world, self.clock)
        self.store = MemoryStore(self.secrets, self.clock, installation="home")
        self.lag = lag
        self.tuning = {"resync": 30.0, "grace": 60.0, "lease": 10.0, "poll": 1.0, **tuning}
        self.processes: list[Process] = []
        self.strike: Callable[[Process, str], bool] = lambda process, name: False
        self.history: list[str] = []
        self.wanted: dict[str, Graph | None] = {}
        self.loose: set[str] = set()
        self._made_up: dict[tuple[str, int], Any] = {}
        self._saved: dict[str, int] = {}
        self._places: dict[str, str] = {}
        self._judged = 0
        self._epochs: dict[str, int] = {}

    # ---- engines

    async def start(self, name: str = "one", **tuning: Any) -> Process:
        """A new process of Terrace."""
        process = Process(name, self.random, self.clock)
        process.strike = lambda where: self.strike(process, where)

        def checkpoint(verb: str, kind: str, point: str) -> None:
            process.checkpoint(f"{verb}/{kind}/{point}")

        driver = SimDriver(
            self.world, process, SimSettings(lag=self.lag, concurrency=8), checkpoint=checkpoint
        )
        builtin = BuiltinDriver(process, self.entropy)
        builtin.offer(NoStacks(), Doors(process, self.store, self.entropy))
        drivers = {PROVIDER: driver, "builtin": builtin}
        self.processes.append(process)
        self.note(f"start {name}")
        try:
            await process.start(
                self.store,
                drivers,  # type: ignore[arg-type]
                KINDS,
                self.entropy,
                self.secrets,
                **{**self.tuning, **tuning},
            )
        except asyncio.CancelledError:
            if process.alive:
                raise
        return process

    async def kill(self, process: Process, power: bool = False) -> None:
        """kill -9, or the power goes: then what was not synced is lost as well."""
        self.note(f"kill {process.name}{' with the power' if power else ''}")
        process.die()
        if power:
            self.store.crash()
            await self._remembered_what_was_made()
        await process.bury()
        if process in self.processes:
            self.processes.remove(process)

    async def stop(self, process: Process) -> None:
        """It is told to end."""
        assert process.controller is not None
        self.note(f"stop {process.name}")
        await process.run(process.controller.stop())
        process.die()
        await process.bury()
        self.processes.remove(process)

    @property
    def engine(self) -> Process:
        """A live one."""
        return next(process for process in self.processes if process.alive)

    # ---- people

    async def apply(self, name: str, graph: Graph, **more: Any) -> Stack:
        """What `up` does once the text is compiled."""
        stack = await self._save(name, graph, why="up", **more)
        self.wanted[name] = graph
        return stack

    async def down(self, name: str, *, force: bool = False) -> Stack:
        """What `down` does."""
        stack = await self._save(name, Graph(), force=force, why="down", deleting=True)
        self.wanted[name] = None
        return stack

    async def rollback(self, name: str) -> Stack | None:
        """The content of the last settled generation is wanted again."""
        stack = await self.find(name)
        good = await self.store.generation(stack.id, stack.settled) if stack and stack.settled else None
        if good is None or good.deleting:
            return None
        self.wanted[name] = good.graph
        return await self._save(name, good.graph, why=f"rollback to {good.number}", restores=good.number)

    async def _save(self, name: str, graph: Graph, *, force: bool = False, **more: Any) -> Stack:
        now = self.clock.now()
        found = await self.find(name)
        await self._loosen(name, graph, found)
        stack = found or Stack(self.entropy.uid(), "p", name, 0, created=now)
        generation = Generation(stack.generation + 1, graph, Source(""), now, **more)
        saved = await self.store.save_generation(stack, generation, stack.generation, force=force)
        self._saved[name] = saved.generation
        self.note(f"{more.get('why')} {name}: generation {saved.generation}, {len(graph.nodes)} nodes")
        for process in self.processes:
            process.wake(saved.id)
        return saved

    async def find(self, name: str) -> Stack | None:
        """The stack of that name."""
        return await self.store.find_stack("p", name)

    async def plan(self, name: str, graph: Graph) -> Plan:
        """What a graph would change."""
        process = self.engine
        assert process.controller is not None
        stack = await self.find(name) or Stack("new", "p", name, 0)
        plan: Plan = await process.run(process.controller.plan(stack, graph))
        return plan

    # ---- looking

    def note(self, what: str) -> None:
        """A line of the history, printed when the seed fails."""
        self.history.append(f"{asyncio.get_running_loop().time():10.3f} {what}")

    async def settled(self, name: str) -> bool:
        """Whether a stack stands as it is wanted (or is gone, if that is what is wanted)."""
        stack = await self.find(name)
        if self.wanted[name] is None:
            return stack is None
        return stack is not None and stack.phase is Phase.SETTLED and stack.settled == stack.generation

    async def until_settled(self, *names: str, within: float = 2 * HOUR) -> float:
        """Lets time pass until the stacks (all, if none is named) are settled; how long that took, seconds."""
        started = self.clock.now()
        while not all([await self.settled(name) for name in names or self.wanted]):
            if self.clock.now() - started > within:
                raise BrokenPromise(await self.describe(names or tuple(self.wanted)))
            await asyncio.sleep(CHECK_EVERY)
            self.check()
        return self.clock.now() - started

    async def until(self, holds: Callable[[], Awaitable[bool]], within: float = 2 * HOUR) -> None:
        """Lets time pass until something holds."""
        end = self.clock.now() + within
        while not await holds():
            if self.clock.now() > end:
                raise BrokenPromise(await self.describe(tuple(self.wanted)))
            await asyncio.sleep(CHECK_EVERY)
            self.check()

    async def describe(self, names: tuple[str, ...]) -> str:
        """Why stacks are not settled."""
        lines = []
        for name in names:
            stack = await self.find(name)
            if stack is None or await self.settled(name):
                continue
            lines.append(f"{name} (generation {stack.generation}) is {stack.phase}: {stack.why}")
            for record in await self.store.records(stack.id):
                lines.append(
                    f"  {record.path} #{record.incarnation} {record.kind} {record.state} {record.provider_id!r}"
                    f" departing={record.departing} deleting={record.deleting} intent={record.intent}"
                    f" fault={record.fault} why={record.why!r} seen={record.seen and record.seen.state}"
                )
        return "not settled in time:\n" + "\n".join(lines)

    def check(self) -> None:
        """The invariants that hold at every moment."""
        if self.world.violations:
            raise BrokenPromise("ours only: " + "; ".join(self.world.violations))
        if self.world.duplicates and self.world.create_once is not CreateOnce.NONE:
            raise BrokenPromise(f"at most one: {self.world.duplicates}")
        for scope, lease in self.store._tables.leases.items():
            if lease.epoch < self._epochs.get(scope, 0):
                raise BrokenPromise(f"the epoch of {scope} fell from {self._epochs[scope]} to {lease.epoch}")
            self._epochs[scope] = lease.epoch
        for process in self.processes:
            if process.trouble:
                raise BrokenPromise(f"an engine stumbled: {process.trouble}")
        for entry in self.world.diary[self._judged :]:
            self._judge(entry)
        self._judged = len(self.world.diary)

    async def remember(self) -> None:
        """What was acknowledged or shown once must stay so, whatever dies."""
        for name, number in self._saved.items():
            stack = await self.find(name)
            if (stack is None and self.wanted[name] is not None) or (stack and stack.generation < number):
                raise BrokenPromise(f"generation {number} of {name} was acknowledged and is gone")
            for record in await self.store.records(stack.id) if stack else ():
                if record.kind == "RandomString" and record.seen is not None:
                    value = record.seen.attributes["value"]
                    if self._made_up.setdefault(record.key, value) != value:
                        raise BrokenPromise(f"{name}: {record.path} was shown and is another now")

    async def _remembered_what_was_made(self) -> None:
        """The intent behind everything that stands was on disk before it was made."""
        asked_to_go = self._beyond_control()
        owners = [
            thing.owner
            for thing in self.world.things.values()
            if thing.owner and thing.owner.installation == "home" and thing.provider_id not in asked_to_go
        ]
        kept = {ruling.uid for ruling in await self.store.rulings(PROVIDER)}
        known = await self.store.known(owners)
        lost = [o for o in owners if (o.uid, o.incarnation) not in known and o.uid not in kept]
        if lost:
            raise BrokenPromise(f"made, but forgotten with the power: {lost}")

    async def _loosen(self, name: str, graph: Graph, found: Stack | None) -> None:
        """Notes which places of a stack may lose what stands there, because somebody asked for it."""
        before = await self.store.generation(found.id, found.generation) if found else None
        now = {node.path: node for node in graph.nodes}
        for node in before.graph.nodes if before else ():
            new = now.get(node.path)
            if new is None or _shape(node) != _shape(new):
                self.loose.add(f"{name}:{node.path}")

    def _judge(self, entry: Entry) -> None:
        """Nothing is replaced, and no data deleted, unless somebody asked for that."""
        place = entry.place or self._places.get(entry.provider_id, "")
        self._places[entry.provider_id] = place
        if place.partition("/")[0] in self.loose or entry.owner is None:
            return
        if entry.what == "delete" and entry.kind == "Volume":
            raise BrokenPromise(
                f"the volume {entry.provider_id} of {place} was deleted, and nobody asked for it"
            )
        if entry.what != "create" or entry.owner.incarnation == 1:
            return
        if entry.kind == "Machine" and self._with_volumes(entry.provider_id):
            return
        for thing in self.world.things.values():
            own = thing.owner
            if own is None or own.uid != entry.owner.uid or own.incarnation >= entry.owner.incarnation:
                continue
            if own.digest == entry.owner.digest and thing.provider_id not in self._beyond_control():
                raise BrokenPromise(
                    f"{place}: {entry.provider_id} was made beside {thing.provider_id}, its like"
                )

    def _with_volumes(self, provider_id: str) -> bool:
        """Such a machine is replaced when its volume vanished."""
        thing = self.world.things.get(provider_id)
        return thing is None or bool(thing.spec.volumes)

    def _beyond_control(self) -> set[str]:
        """What came back from the dead, was asked to go, or was made when nobody expected it any more."""
        told = {entry.provider_id for entry in self.world.diary if entry.what in ("back", "delete")}
        return told | self.world.late

    def calm(self) -> None:
        """Nothing more goes wrong from here on."""
        self.world.faults = CALM
        self.world.weather.go_down(0.0)
        self.strike = lambda process, name: False
        for process in self.processes:
            process.cut_off = False
            process.thaw()
        self.note("calm")

    def storm(self, faults: Faults) -> None:
        """From now on this may go wrong."""
        self.world.faults = faults


async def order(simulation: Simulation, name: str, path: str, what: str, value: Any) -> None:
    """A directive, as the use cases write it."""
    stack = await simulation.find(name)
    if stack is None:
        return
    if what == "taint":
        simulation.loose.add(f"{name}:{path.partition('/')[0]}")
    await simulation.store.direct([Directive(stack.id, path, what, value)])
    simulation.note(f"{what} {path or name}: {value}")
    for process in simulation.processes:
        process.wake(stack.id)


__all__ = ["HOUR", "BrokenPromise", "OnFailure", "Simulation", "order"]
