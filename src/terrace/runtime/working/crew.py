"""The workers of one process: one for each stack that it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from terrace.engine.stack.summary import STANDING
from terrace.errors import TerraceError
from terrace.model.event import Event
from terrace.model.stack import Lease, Stack
from terrace.ports.engines import Published
from terrace.runtime.hub import Hub
from terrace.runtime.worker import StackWorker, Surroundings

Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Crew:
    """Begins workers and ends them. `shared`: other engines work on stacks as well, so one is begun only under a lease
    that was given to us; alone every stack is ours. `on_change` is called when a stack is no longer held here."""

    def __init__(self, around: Surroundings, hubs: Mapping[str, Hub], spawn: Spawn, *, shared: bool) -> None:
        self.workers: dict[str, StackWorker] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._around = around
        self._hubs = hubs
        self._spawn = spawn
        self._shared = shared

    # ---- engines.keeper.Stacks

    def held(self) -> int:
        """How many stacks are at work here and stay so."""
        return sum(1 for worker in self.workers.values() if not worker.leaving)

    async def begin(self, lease: Lease) -> None:
        """Works on the stack of a lease of ours."""
        stack = await self._around.store.stack(lease.scope.removeprefix("stack:"))
        if stack is None:
            await self._around.leases.give(lease)
        else:
            self._begin(stack, lease)

    def part(self, count: int) -> None:
        """Gives that many away: those first on which nothing is done, then those of which no step runs."""
        staying = [worker for worker in self.workers.values() if not worker.leaving]
        for worker in sorted(staying, key=_busy)[:count]:
            worker.part()

    def changed(self) -> None:
        """Who is alive is not what it was: somebody may be needed to list providers, or want to know."""
        for hub in self._hubs.values():
            hub.look()

    # ---- engines.follower.Ears

    async def rung(self, stack: str, mark: int, patience: float) -> bool:
        """Somebody rang for a stack; whether it was here and took in what is desired. What was asked of this process
        has long been taken in."""
        worker = self.here(stack)
        if worker is None or worker.leaving:
            return False
        return worker.read >= mark or await worker.heed(patience)

    def listed(self, listing: Published) -> None:
        """A provider was listed, or somebody asks for that."""
        hub = self._hubs.get(listing.provider)
        if hub is not None:
            hub.said(listing)

    # ---- workers

    def here(self, stack: str) -> StackWorker | None:
        """The worker of a stack, if it is at work here."""
        worker = self.workers.get(stack)
        return None if worker is None or worker.finished else worker

    async def adopt(self, stack_id: str) -> None:
        """Works on a stack that is new, if it is there."""
        stack = await self._around.store.stack(stack_id)
        if stack is not None and self.here(stack_id) is None:
            self._begin(stack)

    def take_up(self, stack: Stack) -> None:
        """Works on a stack, as soon as its lease is to be had."""
        self._begin(stack)

    def lose(self) -> None:
        """Others took us for dead: whatever was held is theirs."""
        for worker in self.workers.values():
            worker.lost()

    async def stop(self) -> None:
        """Gives every lease back."""
        for worker in self.workers.values():
            await worker.stop()

    def _begin(self, stack: Stack, lease: Lease | None = None) -> None:
        worker = StackWorker(self._around, stack, lease)
        self.workers[stack.id] = worker
        for name, hub in self._hubs.items():
            if hub.trouble is not None:
                worker.silent(name, hub.trouble)
            if self._shared and stack.settled + stack.total:
                hub.strangers()
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
        if self._shared and (worker.leaving or worker.lease is None):
            return await self._end(stack_id, worker)
        stack = await self._around.store.stack(stack_id)
        if stack is not None:
            await self._around.clock.sleep(self._around.lease / 4)
        elif self._shared:
            return await self._end(stack_id, worker)
        if self.workers.get(stack_id) is not worker:
            return None
        del self.workers[stack_id]
        if not self._shared:
            await self.adopt(stack_id)
        elif stack is not None and worker.lease is not None:
            self._begin(stack, worker.lease)
        return None

    async def _end(self, stack_id: str, worker: StackWorker) -> None:
        """It is no longer held here. It counts as ours until others can have it."""
        await worker.stop()
        if self.workers.get(stack_id) is worker:
            del self.workers[stack_id]
        self.on_change()

    async def _stumbled(self, stack: Stack, error: Exception) -> None:
        """A bug of ours is told where people look: among the stack's events, with the rest in the log."""
        self._around.telemetry.log("error", "worker.crashed", stack=stack.name, error=repr(error))
        message = (
            f"an error inside Terrace interrupted the work ({type(error).__name__}); it goes on in a moment"
        )
        now = self._around.clock.now()
        event = Event("stack.stumbled", now, stack=stack.id, message=message, project=stack.project)
        with suppress(TerraceError):
            await self._around.store.publish([event])
            self._around.bell.ring()


def _busy(worker: StackWorker) -> int:
    """0: nothing is left to do; 1: no step runs just now; 2: some do."""
    if worker.state.running:
        return 2
    return 0 if worker.state.stack.phase in STANDING else 1
