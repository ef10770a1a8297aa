"""A Docker engine under the driver's contract, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from terrace.drivers.docker.driver import DockerDriver
from terrace.drivers.docker.settings import DockerSettings
from terrace.model.seen import Seen
from terrace.model.spec.simple import ImageSpec
from terrace.model.step import Step, Verb
from terrace.runtime.system import SystemClock
from tests.contracts.rig import Rig
from tests.real.engine import Engine

PATIENCE = 60


class DockerRig(Rig):
    """A private engine, and the docker command to act behind the driver's back."""

    def __init__(self, engine: Engine, image: str, settings: DockerSettings | None = None) -> None:
        super().__init__()
        self.engine = engine
        self.image = image
        self.clock = SystemClock()
        self.driver: DockerDriver = DockerDriver(
            settings or DockerSettings(host=engine.docker_host, floating_pool="127.0.8.0/24"),
            clock=self.clock,
        )

    async def stop(self, provider_id: str) -> None:
        self.engine.cli("kill", provider_id)

    async def pause(self, provider_id: str) -> None:
        self.engine.cli("pause", provider_id)

    async def remove(self, provider_id: str) -> None:
        self.engine.cli("rm", "--force", provider_id)

    async def foreign(self) -> str:
        return self.engine.cli("run", "--detach", self.image, "sleep", "1000")

    def refused(self) -> Step:
        return self.step(Verb.CREATE, "Image", self.owner(), ImageSpec("nowhere/never:1", pull="never"))

    async def until(self, fits: Callable[[Seen], bool], seen: Seen) -> Seen:
        """What observe shows of a machine as soon as it fits."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for one in await self.ours():
                    if one.provider_id == seen.provider_id and fits(one):
                        return one
                await self.clock.sleep(0.1)


class Watching:
    """Follows the driver's hints meanwhile."""

    def __init__(self, driver: DockerDriver) -> None:
        self.hints: asyncio.Queue[str] = asyncio.Queue()
        self._driver = driver

    async def _follow(self) -> None:
        async for hint in self._driver.watch():
            self.hints.put_nowait(hint)

    async def __aenter__(self) -> Watching:
        self._task = asyncio.create_task(self._follow())
        assert await self.next() == ""
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def next(self) -> str:
        async with asyncio.timeout(10):
            return await self.hints.get()

    async def hear(self, provider_id: str) -> None:
        while await self.next() != provider_id:
            pass
