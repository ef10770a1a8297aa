"""What a process does when somebody rang for a stack that it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tests.unit.runtime.bench import Bench, PlainSecrets

from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.sim.loop import run_virtual
from terrace.kinds import KINDS
from terrace.model.graph import Graph, Node
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.store import Desired
from terrace.runtime.controller import Controller, Means, Tuning


class Among(Bench):
    """A control plane that shares its store, and what it asks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.heeded: list[list[str]] = []
        read, heed = self.store.desired, self.store.engines.heeded

        async def desired(project: str, stack: str) -> Desired | None:
            self.reads.append(stack)
            return await read(project, stack)

        async def heeded(marks: Sequence[tuple[str, int]]) -> None:
            self.heeded.append([stack for stack, _ in marks])
            await heed(marks)

        self.store.desired = desired  # type: ignore[method-assign]
        self.store.engines.heeded = heeded  # type: ignore[method-assign]

    def build(self) -> Controller:
        drivers = {"builtin": BuiltinDriver(self.clock, self.entropy)}
        means = Means(self.clock, self.entropy, PlainSecrets(), self.log)
        return Controller(self.store, drivers, KINDS, means, Tuning(), self.store.engines)

    async def wish(self, name: str) -> Stack:
        """A stack of that name is wanted, by somebody who tells no process."""
        graph = Graph((Node("v", "Value", {"value": 1}),))
        generation = Generation(0, graph, Source("t"), self.clock.now())
        return await self.store.save_generation(Stack(name, "default", name, 0), generation, None)

    async def heard(self, *stacks: str) -> None:
        """Until nobody has to be told of any of them."""

        async def done() -> bool:
            return not any([await self.store.engines.waiting(stack) for stack in stacks])

        await self.until(done)


def among(scene: Callable[[Among], Awaitable[None]]) -> None:
    """Plays a scene under virtual time."""

    async def run() -> None:
        bench = Among()
        await bench.store.open()
        await bench.controller.start()
        try:
            await scene(bench)
        finally:
            await bench.controller.stop()

    run_virtual(run())


def test_what_was_asked_of_this_process_is_worked_on_once() -> None:
    async def scene(bench: Among) -> None:
        await bench.wish("a")
        await bench.heard("a")
        bench.reads.clear()
        await bench.wish("a")
        bench.controller.wake("a")
        await bench.clock.sleep(0.001)
        assert bench.reads == ["a"]
        assert await bench.store.engines.waiting("a"), "the round that asks has not come yet"
        await bench.heard("a")
        assert bench.reads == ["a"]

    among(scene)


def test_what_another_process_was_asked_is_read_when_it_rings() -> None:
    async def scene(bench: Among) -> None:
        await bench.wish("a")
        await bench.heard("a")
        bench.reads.clear()
        await bench.wish("a")
        await bench.heard("a")
        assert bench.reads == ["a"]
        stack = await bench.store.stack("a")
        assert stack is not None
        assert stack.settled == 2

    among(scene)


def test_what_many_took_in_is_said_at_once() -> None:
    names = [f"s{number}" for number in range(30)]

    async def scene(bench: Among) -> None:
        for name in names:
            await bench.wish(name)
        await bench.heard(*names)
        for name in names:
            await bench.wish(name)
            bench.controller.wake(name)
        bench.heeded.clear()
        await bench.heard(*names)
        assert len(bench.heeded) == 1, bench.heeded
        assert sorted(bench.heeded[0]) == sorted(names)

    among(scene)
