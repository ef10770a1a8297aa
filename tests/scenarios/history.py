"""A history from a seed: people, faults and accidents first; then all faults stop, and everything must settle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from terrace.drivers.sim.faults import Faults
from terrace.drivers.sim.outside import Outside
from terrace.model.graph import Node
from terrace.model.seen import Owner
from terrace.model.spec import MachineSpec, VolumeSpec
from terrace.ports.driver import CreateOnce
from tests.scenarios import words
from tests.scenarios.design import Design
from tests.scenarios.harness import Simulation, order
from tests.scenarios.judge import judge
from tests.scenarios.process import Process
from tests.scenarios.weather import Pair, faults, targets

AIMS = 4
STEPS = 24
ENGINES = 3
PAUSES = (0.0, 0.05, 0.5, 2.0, 6.0, 20.0, 45.0)
MODES = (CreateOnce.BY_NAME, CreateOnce.BY_NAME, CreateOnce.BY_TOKEN, CreateOnce.NONE)
GHOSTS_GO_WITHIN = 400.0
Act = tuple[Callable[[], Coroutine[Any, Any, None]], int]


class History:
    """One seed's history, in what it `simulates`. `run` raises BrokenPromise when a promise was broken;
    `hits` are the pairs that struck."""

    simulates: type[Simulation] = Simulation

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(f"history {seed}")
        self.aims = targets(seed, AIMS)
        weather: Faults = faults(self.random, self.aims)
        mode = CreateOnce.BY_NAME if self._aims_at("find") else self.random.choice(MODES)
        self.simulation = self.simulates(seed, create_once=mode, lag=weather.lag)
        self.weather = weather
        self.designs: dict[str, Design] = {}
        self.foreign: set[str] = set()
        self.kill_chance = self.random.choice((0.0, 0.002, 0.01))
        self.kills_left = 6
        self.born = 0
        self.left = self.random.choice((1, 2))
        self.orders = 0

    @property
    def hits(self) -> set[Pair]:
        """What struck, kills included."""
        return set(self.simulation.world.hits)

    async def run(self) -> None:
        """Both phases."""
        simulation = self.simulation
        simulation.note(f"seed {self.seed}: {simulation.world.create_once}, aims {self.aims}, {self.weather}")
        self._plant()
        simulation.strike = self._strike
        simulation.storm(self.weather)
        await self._engine()
        await self._apply()
        for _ in range(STEPS):
            await asyncio.sleep(self.random.choice(PAUSES))
            await self._step()
            await simulation.remember()
            simulation.check()
        await self._end()

    # ---- phase one

    async def _step(self) -> None:
        acts = self.acts()
        await self._revive()
        (act,) = self.random.choices([act for act, _ in acts], [weight for _, weight in acts])
        await act()

    def acts(self) -> list[Act]:
        """What may come next, and how often."""
        acts: list[Act] = [
            (self._apply, 8),
            (self._down, 1),
            (self._rollback, 1),
            (self._accident, 3),
            (self._reboot, 1),
            (self._outage, 1),
            (self._kill, 2),
            (self._power, 1),
            (self._freeze, 1),
            (self._cut_off, 1),
            (self._second, 2),
            (self._steal, 1),
            (self._drain, 1),
            (self._order, 2),
            (self._alarm, 4),
            (self._knock, 1),
        ]
        if self._aims_at("update/Machine"):
            acts.append((self._drift, 6))
        if self._aims_at("unpause/Machine"):
            acts.append((self._pause, 6))
        if self._aims_at("stop/Machine"):
            acts.append((self._suspend, 8))
        if self._aims_at("delete"):
            acts += [(self._shrink, 4), (self._clear, 4)]
        if any(step == "list/*" and fault == "down" for step, fault, _ in self.aims):
            acts.append((self._outage, 6))
        return acts

    async def _apply(self) -> None:
        name = self.random.choice(("a", "a", "b"))
        design = self.designs.get(name)
        if design is None:
            design = self.designs[name] = Design(self.random)
            if self._aims_at("delete/Volume"):  # else there is often none that may go
                design.nodes["spare"] = Node("spare", "Volume", {"size": 1}, type_name="Terrace::Volume")
        for _ in range(self.random.randint(0, 3)):
            self.simulation.note(f"  {name}: {design.edit()}")
        await self.simulation.apply(name, design.graph)

    async def _shrink(self) -> None:
        for name, design in self.designs.items():
            if self.simulation.wanted.get(name) is not None:
                self.simulation.note(f"  {name}: {design.drop()}")
                await self.simulation.apply(name, design.graph)

    async def _clear(self) -> None:
        """Every stack goes, while things may still go wrong."""
        for name in self.designs:
            if self.simulation.wanted.get(name) is not None:
                await self.simulation.down(name)
        for _ in range(10):
            await asyncio.sleep(3.0)
            await self._revive()

    async def _down(self) -> None:
        for name in self.designs:
            if self.simulation.wanted.get(name) is not None and self.random.random() < 0.5:
                await self.simulation.down(name)
                return

    async def _rollback(self) -> None:
        for name, design in self.designs.items():
            if self.simulation.wanted.get(name) is None or await self._would_shrink(name, design):
                continue
            if await self.simulation.rollback(name) is not None:
                graph = self.simulation.wanted[name]
                assert graph is not None
                design.nodes = {node.path: node for node in graph.nodes}
                return

    async def _order(self) -> None:
        """A person taints or restarts a machine, or suspends or resumes a stack."""
        names = [name for name, graph in self.simulation.wanted.items() if graph is not None]
        if not names:
            return
        name, what = (
            self.random.choice(names),
            self.random.choice(("taint", "restart", "suspended", "suspended")),
        )
        if what == "suspended":
            await order(self.simulation, name, "", what, self.random.choice((True, None)))
            return
        leaves = self.designs[name].leaves().items()
        machines = [path for path, node in leaves if node.kind == "Machine"]
        if machines:
            self.orders += 1
            await order(self.simulation, name, self.random.choice(machines), what, self.orders)

    async def _alarm(self) -> None:
        await words.alarm(self.simulation, self.random)

    async def _knock(self) -> None:
        await words.knock(self.simulation, self.random)

    async def _suspend(self) -> None:
        """Every stack stands still for a while."""
        for value in (True, None):
            for name, graph in self.simulation.wanted.items():
                if graph is not None:
                    await order(self.simulation, name, "", "suspended", value)
            await asyncio.sleep(self.random.choice(PAUSES))
            await self._revive()

    async def _would_shrink(self, name: str, design: Design) -> bool:
        """Whether the rollback asks for a smaller volume, which is refused for good."""
        stack = await self.simulation.find(name)
        good = await self.simulation.store.generation(stack.id, stack.settled) if stack else None
        sizes = (
            {node.path: node.properties["size"] for node in good.graph.nodes if node.kind == "Volume"}
            if good
            else {}
        )
        return any(
            node.properties["size"] > sizes.get(path, node.properties["size"])
            for path, node in design.nodes.items()
            if node.kind == "Volume"
        )

    async def _accident(self) -> None:
        """Something happens to one of our things."""
        outside, random = self.simulation.outside, self.random
        ours = [
            t for t in self.simulation.world.things.values() if t.owner and t.owner.installation == "home"
        ]
        if not ours:
            return
        thing = random.choice(ours)
        if thing.kind != "Machine" or random.random() < 0.3:
            outside.remove(thing.provider_id)
        elif random.random() < 0.5:
            outside.stop(thing.provider_id, random.choice((0, 1, 137)))
        else:
            await random.choice((self._pause, self._drift))()
        self.simulation.note(f"  accident with {thing.provider_id}")

    async def _pause(self) -> None:
        for thing in self._machines("running"):
            self.simulation.outside.pause(thing)

    async def _drift(self) -> None:
        for thing in self._machines("running"):
            self.simulation.outside.alter(thing, memory=7)

    async def _reboot(self) -> None:
        self.simulation.outside.reboot()
        self.simulation.note("  reboot")

    async def _outage(self) -> None:
        seconds = self.random.choice((3.0, 40.0, 600.0))
        self.simulation.world.weather.go_down(self.simulation.clock.now() + seconds)
        self.simulation.note(f"  provider down for {seconds} s")

    async def _kill(self) -> None:
        await self.simulation.kill(self.simulation.engine)

    async def _power(self) -> None:
        for process in list(self.simulation.processes):
            await self.simulation.kill(process, power=True)

    async def _freeze(self) -> None:
        process = self.simulation.engine
        self.simulation.note(f"  freeze {process.name}")
        self.simulation.world.hits["lease", "freeze", "any"] += 1
        process.freeze()
        await self._engine()
        await asyncio.sleep(self.random.choice((1.0, 15.0, 60.0)))
        process.thaw()

    async def _cut_off(self) -> None:
        process = self.simulation.engine
        seconds = self.random.choice((2.0, 30.0))
        self.simulation.note(f"  {process.name} loses the database for {seconds} s")
        self.simulation.world.hits["lease", "cut off", "any"] += 1
        process.cut_off = True
        await asyncio.sleep(seconds)
        process.cut_off = False

    async def _second(self) -> None:
        if len(self.simulation.processes) < ENGINES:
            await self._engine()

    async def _steal(self) -> None:
        """Another engine takes what one holds, as if its time had been up, and it need not know."""
        store = self.simulation.store
        members = [member for member in await store.engines.members() if member.works]
        if members:
            victim = self.random.choice(members)
            self.simulation.note(f"  {victim.name} is taken for dead")
            self.simulation.world.hits["lease", "steal", "any"] += 1
            store.bury(victim.id)

    async def _drain(self) -> None:
        """One gives its stacks away for a while, if there is another."""
        engines = self.simulation.store.engines
        members = [member for member in await engines.members() if member.works]
        if len(members) < 2:
            return
        victim = self.random.choice(members)
        self.simulation.note(f"  drain {victim.name}")
        self.simulation.world.hits["lease", "drain", "any"] += 1
        await engines.drain(victim.id, True)
        await asyncio.sleep(self.random.choice((1.0, 15.0)))
        await self._revive()
        await engines.drain(victim.id, False)

    # ---- engines

    def _strike(self, process: Process, where: str) -> bool:
        """Whether the process dies here."""
        step, _, point = where.rpartition("/")
        aimed = (step, "kill", point) in self.aims and (step, "kill", point) not in self.hits
        chance = 0.5 if aimed else self.kill_chance
        if not self.kills_left or self.random.random() >= chance:
            return False
        self.kills_left -= not aimed
        self.simulation.world.hits[step, "kill", point] += 1
        self.simulation.note(f"  {process.name} dies at {where}")
        return True

    async def _engine(self) -> None:
        self.born += 1
        await self.simulation.start(f"engine-{self.born}")

    async def _revive(self) -> None:
        """There is always an engine, in the end."""
        simulation = self.simulation
        for process in list(simulation.processes):
            if not process.alive:
                await simulation.kill(
                    process, power=self.random.random() < 0.3 and len(simulation.processes) == 1
                )
        while not any(process.alive for process in simulation.processes):
            await asyncio.sleep(self.random.choice((0.0, 1.0, 12.0)))
            await self._engine()
            simulation.processes = [process for process in simulation.processes if process.alive]

    # ---- the provider

    def _plant(self) -> None:
        outside: Outside = self.simulation.outside
        theirs = Owner("somebody-else", "u" * 20, 1)
        self.foreign = {
            outside.plant("Machine", MachineSpec("stray", "i")).provider_id,
            outside.plant("Machine", MachineSpec("theirs", "i"), theirs).provider_id,
            outside.plant("Volume", VolumeSpec("stray")).provider_id,
        }

    def _machines(self, state: str) -> list[str]:
        return [
            thing.provider_id
            for thing in self.simulation.world.things.values()
            if thing.kind == "Machine" and thing.state == state and thing.provider_id not in self.foreign
        ][:3]

    def _aims_at(self, step: str) -> bool:
        return any(aim.startswith(step) for aim, _, _ in self.aims)

    # ---- phase two

    async def _end(self) -> None:
        simulation = self.simulation
        simulation.calm()
        await self._revive()
        for member in await simulation.store.engines.members():
            await simulation.store.engines.drain(member.id, False)
        while len(simulation.processes) > self.left:
            await simulation.kill(simulation.processes[0])
        for name, graph in simulation.wanted.items():
            await order(simulation, name, "", "suspended", None)
            if graph is not None and self.random.random() < 0.3:
                await simulation.down(name)
        knocking = asyncio.create_task(words.knocking(simulation))
        await simulation.until_settled()
        knocking.cancel()
        await asyncio.sleep(GHOSTS_GO_WITHIN)
        await simulation.until_settled()
        simulation.check()
        await judge(simulation, self.designs, self.foreign)
