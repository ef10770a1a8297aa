"""A process of Terrace that can be killed, frozen and cut off from its store, while the world and the store live on.

A killed process runs no further line that could have an effect: every port it holds refuses, and its tasks are
cancelled. A frozen one stands still at its next use of a port or of the clock.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from terrace.errors import TransientError
from terrace.ports.telemetry import Telemetry
from terrace.runtime.controller import Controller, Means, Tuning

if TYPE_CHECKING:
    from random import Random

    from terrace.ports.driver import Driver
    from terrace.ports.store import Commit
    from terrace.stores.in_memory.engines import MemoryEngines
    from terrace.stores.memory import MemoryStore

PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
GUARDED = frozenset({"observe", "lookup", "apply"})


def follow_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on every task is known to the process in whose context it was made."""

    def make(
        loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **more: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **more)
        context = more.get("context")
        process = context.get(PROCESS) if context is not None else PROCESS.get()
        if process is not None:
            process.tasks.add(task)
            task.add_done_callback(process.tasks.discard)
        return task

    loop.set_task_factory(make)  # type: ignore[arg-type]


class Process(Telemetry):
    """One engine. `strike(name)`, if set, is called before and after each commit and may kill."""

    def __init__(self, name: str, random: Random, clock: Any) -> None:
        self.name = name
        self.alive = True
        self.tasks: set[asyncio.Task[Any]] = set()
        self.trouble: list[str] = []
        self.strike: Callable[[str], bool] = lambda name: False
        self.cut_off = False
        self.store_calls: dict[str, int] = {}
        self._random = random
        self._clock = clock
        self._thaw = asyncio.Event()
        self._thaw.set()
        self._context = contextvars.copy_context()
        self._context.run(PROCESS.set, self)
        self.controller: Controller | None = None

    # ---- its clock and its log

    def now(self) -> float:
        """ports.Clock."""
        return float(self._clock.now())

    async def sleep(self, seconds: float) -> None:
        """ports.Clock; a frozen process oversleeps."""
        await asyncio.sleep(seconds)
        await self.breathe()

    def log(self, level: str, event: str, **fields: Any) -> None:
        """ports.Telemetry: crashes are remembered as trouble."""
        if event.endswith("crashed") and self.alive:
            self.trouble.append(f"{self.name}: {event} {fields}")

    # ---- life and death

    async def start(
        self,
        store: MemoryStore,
        drivers: dict[str, Driver],
        kinds: Any,
        entropy: Any,
        secrets: Any,
        **tuning: Any,
    ) -> None:
        """Brings a controller up inside this process."""
        self.controller = Controller(
            GuardedStore(store, self),  # type: ignore[arg-type]
            {name: GuardedDriver(driver, self) for name, driver in drivers.items()},  # type: ignore[dict-item]
            kinds,
            Means(self, entropy, secrets, self),
            Tuning(holder=self.name, **tuning),
            GuardedStore(store.engines, self),  # type: ignore[arg-type]
        )
        await self.run(self.controller.start())

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does `work` inside this process."""
        return await asyncio.get_running_loop().create_task(work, context=self._context)

    def wake(self, stack: str) -> None:
        """Tells the controller that a stack has changed."""
        if self.alive and self.controller is not None:
            self._context.run(self.controller.wake, stack)

    def die(self) -> None:
        """kill -9: from here on nothing that it does has an effect."""
        self.alive = False
        self._thaw.set()
        for task in list(self.tasks):
            task.cancel()

    async def bury(self) -> None:
        """Waits until its last task has ended."""
        while self.tasks:
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._thaw.clear()

    def thaw(self) -> None:
        """SIGCONT."""
        self._thaw.set()

    async def breathe(self) -> None:
        """Stands still while frozen; ends here when killed."""
        await self._thaw.wait()
        self.check()

    def check(self) -> None:
        """Ends here when killed."""
        if not self.alive:
            raise asyncio.CancelledError("killed")

    def checkpoint(self, name: str) -> None:
        """A place where it may be killed."""
        self.check()
        if self.strike(name):
            self.die()
            self.check()

    def judge(self, commits: Sequence[Commit], accepted: Sequence[bool], leases: dict[str, Any]) -> None:
        """Only what carried the epoch of the moment was written, and that came from whoever held the lease."""
        for commit, done in zip(commits, accepted, strict=True):
            lease = leases.get(f"stack:{commit.stack}")
            held = lease is not None and lease.holder.rpartition("-")[0] == self.name
            if done and (lease is None or not held or lease.epoch != commit.epoch):
                self.trouble.append(f"{self.name} wrote under epoch {commit.epoch}, and the lease is {lease}")

    async def hesitate(self) -> None:
        """Lets others go first, sometimes."""
        if self._random.random() < 0.3:
            await asyncio.sleep(self._random.choice((0.0, 0.001, 0.02)))


class GuardedStore:
    """A store, or what engines say to each other in it, as one process has it."""

    def __init__(self, store: MemoryStore | MemoryEngines, process: Process) -> None:
        self._store = store
        self._process = process

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method, process = getattr(self._store, name), self._process
        if name == "hints":  # there are none: what others changed is asked for
            return method  # type: ignore[no-any-return]

        async def call(*args: Any, **more: Any) -> Any:
            await process.breathe()
            process.store_calls[name] = process.store_calls.get(name, 0) + 1
            await process.hesitate()
            if process.cut_off:
                raise TransientError("the database does not answer")
            if name == "commit":
                process.checkpoint("commit/before")
            process.check()
            leases = self._leases() if name == "commit" else {}
            result = await method(*args, **more)
            if name == "commit":
                process.judge(args[0], result, leases)
                process.checkpoint("commit/after")
            await process.breathe()
            return result

        return call

    def _leases(self) -> dict[str, Any]:
        return dict(self._store._tables.leases)


class GuardedDriver:
    """A driver as one process has it."""

    def __init__(self, driver: Driver, process: Process) -> None:
        self._driver = driver
        self._process = process

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._driver, name)
        if name not in GUARDED:
            return found
        process = self._process

        async def call(*args: Any, **more: Any) -> Any:
            await process.breathe()
            result = await found(*args, **more)
            await process.breathe()
            return result

        return call
