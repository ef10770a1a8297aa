"""Group commit: what many stacks want to write at one moment goes into one transaction."""

from __future__ import annotations

import asyncio

from terrace.errors import ProviderError, TerraceError
from terrace.ports.clock import Clock
from terrace.ports.store import Commit, Store
from terrace.ports.telemetry import COMMITS, Telemetry
from terrace.runtime.bell import Bell


class Committer:
    """Serialises commits. A store that cannot be written to (a full disk) is tried again until it can."""

    def __init__(self, store: Store, bell: Bell, clock: Clock, telemetry: Telemetry) -> None:
        self._store = store
        self._bell = bell
        self._clock = clock
        self._telemetry = telemetry
        self._queue: list[tuple[Commit, asyncio.Future[bool]]] = []
        self._busy = False
        self.trouble = ""

    async def commit(self, commit: Commit) -> bool:
        """Writes; False when the stack's lease has gone to another."""
        if self._busy:
            future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._queue.append((commit, future))
            return await future
        self._busy = True
        try:
            return (await self._write([commit]))[0]
        finally:
            if self._queue:
                task = asyncio.create_task(self._drain())
                self._task = task
            else:
                self._busy = False

    async def _drain(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            try:
                results = await self._write([commit for commit, _ in batch])
            except TerraceError as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), accepted in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(accepted)
        self._busy = False

    async def _write(self, commits: list[Commit]) -> list[bool]:
        wait = 0.5
        while True:
            began = self._clock.now()
            try:
                results = await self._store.commit(commits)
            except ProviderError as error:
                if error.message != self.trouble:
                    self._telemetry.log("error", "store.trouble", message=error.message)
                self.trouble = error.message
                await self._clock.sleep(wait)
                wait = min(wait * 2, 10.0)
                continue
            self.trouble = ""
            self._telemetry.took(COMMITS, self._clock.now() - began)
            for commit, accepted in zip(commits, results, strict=True):
                if not accepted:
                    self._telemetry.log("warning", "commit.refused", stack=commit.stack, epoch=commit.epoch)
            if any(commit.events for commit in commits):
                self._bell.ring()
            return results
