"""A whole control plane over a simulated provider, under virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.sim.clock import SimClock, SimEntropy
from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.loop import run_virtual
from terrace.drivers.sim.outside import Outside
from terrace.drivers.sim.world import World
from terrace.kinds import KINDS
from terrace.model.graph import Edge, Graph, Node
from terrace.model.record import Record
from terrace.model.stack import Generation, Source, Stack
from terrace.model.value import Ref
from terrace.ports.driver import Driver
from terrace.ports.telemetry import Telemetry
from terrace.runtime.controller import Controller, Means, Tuning
from terrace.stores.memory import MemoryStore

STACK = "s1"


class PlainSecrets:
    """Seals by turning bytes around, which is enough to see that it was done."""

    def seal(self, data: bytes) -> bytes:
        return data[::-1]

    def unseal(self, data: bytes) -> bytes:
        return data[::-1]

    def digest(self, data: bytes) -> str:
        return data.hex()


class Log(Telemetry):
    """Keeps log lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def log(self, level: str, event: str, **fields: Any) -> None:
        self.lines.append((level, event, fields))


class Bench:
    """One controller, one stack, one world; `outside` changes the world behind Terrace's back."""

    def __init__(self, tuning: Tuning | None = None) -> None:
        self.clock = SimClock()
        self.entropy = SimEntropy(1)
        self.store = MemoryStore(PlainSecrets(), self.clock)
        self.world = World(1)
        self.outside = Outside(self.world, self.clock)
        self.log = Log()
        self.writes = 0
        self.store.fault = self._count
        self.tuning = tuning or Tuning()
        self.controller = self.build()

    def _count(self, operation: str) -> None:
        self.writes += operation == "commit:before"

    def away(self) -> None:
        """The provider answers nobody."""
        self.world.weather.go_down(self.clock.now() + 1e9)

    def back(self) -> None:
        """The provider answers again."""
        self.world.weather.go_down(0)

    async def steal(self) -> None:
        """Another engine takes the stack's lease."""
        scope = f"stack:{STACK}"
        lease = await self.store.acquire(scope, self.tuning.holder, 1.0)
        assert lease is not None
        await self.store.release(lease)
        assert await self.store.acquire(scope, "other", 1000.0)

    def build(self) -> Controller:
        """A controller as a new process makes it."""
        drivers: dict[str, Driver] = {
            "builtin": BuiltinDriver(self.clock, self.entropy),
            "local": SimDriver(self.world, self.clock),
        }
        return Controller(
            self.store,
            drivers,
            KINDS,
            Means(self.clock, self.entropy, PlainSecrets(), self.log),
            self.tuning,
        )

    async def up(self, graph: Graph, **wishes: Any) -> Stack:
        """Wants a graph and waits until it is settled."""
        await self.want(graph, **wishes)
        return await self.settled()

    async def want(self, graph: Graph, **wishes: Any) -> Stack:
        """Wants a graph."""
        generation = Generation(0, graph, Source("t"), self.clock.now(), **wishes)
        stack = await self.store.save_generation(Stack(STACK, "default", "s", 0), generation, None)
        self.controller.wake(stack.id)
        return stack

    async def down(self) -> None:
        """Wants nothing and waits until the stack is gone."""
        await self.want(Graph(), deleting=True)
        await self.until(self._gone)

    async def _gone(self) -> bool:
        return await self.store.stack(STACK) is None

    async def settled(self, seconds: float = 600.0) -> Stack:
        """Waits until the stack is settled at its newest generation."""

        async def done() -> bool:
            stack = await self.store.stack(STACK)
            return stack is not None and stack.phase == "settled" and stack.settled == stack.generation

        await self.until(done, seconds)
        stack = await self.store.stack(STACK)
        assert stack is not None
        return stack

    async def until(self, done: Callable[[], Awaitable[bool]], seconds: float = 600.0) -> None:
        """Waits in virtual time until something holds."""
        end = self.clock.now() + seconds
        while not await done():
            if self.clock.now() > end:
                raise AssertionError(await self.story())
            await self.clock.sleep(0.25)

    async def records(self) -> dict[str, Record]:
        """The records by path (the newest incarnation of each)."""
        return {record.path: record for record in await self.store.records(STACK)}

    async def id(self, path: str) -> str:
        """The provider id of a resource."""
        return (await self.records())[path].provider_id

    async def events(self, *kinds: str) -> list[str]:
        """The paths or messages of events of some kinds, oldest first."""
        found = await self.store.events(limit=100_000)
        return [event.path or event.message for event in found if event.kind in kinds]

    async def story(self) -> str:
        """Where everything stands, for messages of failures."""
        rows = [
            f"{r.path}#{r.incarnation} {r.state}: {r.why} intent={r.intent and r.intent.verb} fault={r.fault}"
            for r in await self.store.records(STACK)
        ]
        events = [
            f"{e.at:.1f} {e.kind} {e.path} {e.message}"
            for e in await self.store.events(limit=40, newest=True)
        ]
        crashes = [line for line in self.log.lines if line[0] == "error"]
        return "\n".join([str(await self.store.stack(STACK)), *rows, *events, *map(str, crashes)])


def play(scene: Callable[[Bench], Awaitable[None]], tuning: Tuning | None = None) -> None:
    """Plays a scene on a fresh bench under virtual time; nothing may have crashed in it."""

    async def run() -> None:
        bench = Bench(tuning)
        await bench.store.open()
        await bench.controller.start()
        try:
            await scene(bench)
        finally:
            await bench.controller.stop()
        assert not [line for line in bench.log.lines if line[0] == "error"], bench.log.lines

    run_virtual(run())


def shop(web: int = 2, image: str = "one", memory: int = 64) -> Graph:
    """A network, a volume, a database on it, and web machines that know its address."""
    on_net = {"image": image, "memory": memory, "networks": [{"network": Ref("net")}]}
    nodes = [
        Node("net", "Network", {"cidr": "10.1.0.0/24"}),
        Node("data", "Volume", {"size": 1}),
        Node("db", "Machine", {**on_net, "volumes": [{"volume": Ref("data"), "path": "/data"}]}),
    ]
    for number in range(web):
        environment = {"DB": Ref("db", ("first_address",))}
        nodes.append(Node(f"web{number}", "Machine", {**on_net, "environment": environment}, (Edge("db"),)))
    return Graph(tuple(nodes))
