"""Runs steps against one provider, so many at once and so many a second as its settings allow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from terrace.engine.stack.state import StackState
from terrace.errors import InvariantError, PermanentError, TerraceError, TransientError
from terrace.model.seen import Seen
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.clock import Clock
from terrace.ports.driver import Driver, Fence
from terrace.ports.telemetry import CALL_FAILURES, CALLS, STEPS, Telemetry
from terrace.runtime.outside.named import NAMED
from terrace.runtime.outside.reach import Reach, held_by

APPLY_LIMIT = 60.0


class Taker(Protocol):
    """Who gets the outcome of a step, for a stack."""

    state: StackState

    def receipt(self, provider: str, step: Step, receipt: Receipt) -> None:
        """It came back."""

    def failure(self, step: Step, error: TerraceError) -> None:
        """It failed."""


class Pool:
    """A provider's workers. Steps wait in order; a worker takes the next as soon as it is free."""

    def __init__(self, name: str, driver: Driver, clock: Clock, telemetry: Telemetry) -> None:
        self.name = name
        self.driver = driver
        self._clock = clock
        self._telemetry = telemetry
        self._queue: deque[tuple[Step, Fence, Taker]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._next = 0.0
        self._fresh = 0  # workers that were begun and have not run yet
        self.touched: dict[str, float] = {}
        self.on_idle: Callable[[], None] = lambda: None
        self.take_on: Callable[[Step], Awaitable[Seen]] = self._refuse
        self.reach: Reach | None = None

    @property
    def busy(self) -> int:
        """How many steps run or wait."""
        return len(self._workers) + len(self._queue)

    def submit(self, step: Step, fence: Fence, taker: Taker) -> None:
        """Runs a step as soon as there is room."""
        self._queue.append((step, fence, taker))
        room = len(self._workers) < max(1, self.driver.capabilities.concurrency)
        if room and self._fresh < len(self._queue):
            self._begin()

    def withdraw(self, taker: Taker) -> list[Step]:
        """Takes back the steps of one that have not begun."""
        taken = [step for step, _, one in self._queue if one is taker]
        if taken:
            self._queue = deque(entry for entry in self._queue if entry[2] is not taker)
        return taken

    async def _refuse(self, step: Step) -> Seen:
        raise InvariantError(f"nobody said who takes on {step.provider_id}")

    def _begin(self) -> None:
        self._fresh += 1
        worker = asyncio.create_task(self._work())
        self._workers.add(worker)
        worker.add_done_callback(self._gone)

    def _gone(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if self._queue and not self._fresh and not worker.cancelled():
            # Submitted after this worker had found the queue empty, while it still counted as one.
            self._begin()
        elif not self._workers:
            self.on_idle()

    async def _work(self) -> None:
        self._fresh -= 1
        rate = self.driver.capabilities.rate
        while self._queue:
            step, fence, taker = self._queue.popleft()
            if rate:
                await self._pace(rate)
            began = self._clock.now()
            try:
                if step.verb is Verb.ADOPT:
                    receipt = Receipt.done(await self.take_on(step))
                else:
                    if self.reach is not None and step.kind in NAMED:
                        await self.reach.check(self.name, step, held_by(taker.state, step))
                    receipt = await self.driver.apply(step, fence)
            except TerraceError as error:
                self._tell(step, "refused" if isinstance(error, PermanentError) else "failed", began)
                taker.failure(step, error)
            except TimeoutError:
                self._tell(step, "failed", began)
                taker.failure(step, TransientError("the provider did not answer in time"))
            except Exception as error:
                self._tell(step, "failed", began)
                self._telemetry.log(
                    "error", "step.crashed", provider=self.name, kind=step.kind, error=repr(error)
                )
                taker.failure(
                    step, InvariantError(f"driver of {self.name!r} failed: {type(error).__name__}: {error}")
                )
            else:
                self._tell(step, "pending" if receipt.handle else "done", began)
                if receipt.seen is not None:
                    self.touched[receipt.seen.provider_id] = self._clock.now()
                elif step.provider_id:
                    self.touched[step.provider_id] = self._clock.now()
                taker.receipt(self.name, step, receipt)

    def _tell(self, step: Step, result: str, began: float) -> None:
        self._telemetry.count(STEPS, step.kind, step.verb.value, result)
        self._telemetry.took(CALLS, self._clock.now() - began, self.name, "apply")
        if result in ("refused", "failed"):
            self._telemetry.count(CALL_FAILURES, self.name, "apply")

    async def _pace(self, rate: float) -> None:
        now = self._clock.now()
        self._next = max(self._next, now) + 1.0 / rate
        if self._next - 1.0 / rate > now:
            await self._clock.sleep(self._next - 1.0 / rate - now)

    async def close(self) -> None:
        """Drops what waits and stops what runs."""
        self._queue.clear()
        for worker in list(self._workers):
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
