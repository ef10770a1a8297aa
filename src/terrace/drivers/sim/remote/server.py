"""The end of the socket at which the world is: any number of servers speak to it, and tests that make its weather."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.outside import Outside
from terrace.drivers.sim.remote.frames import packed, raised, receive, told
from terrace.drivers.sim.settings import SimSettings
from terrace.drivers.sim.world import World
from terrace.errors import InvariantError, TerraceError, TransientError
from terrace.ports.clock import Clock
from terrace.ports.driver import CreateOnce

OUTSIDE = frozenset({"stop", "pause", "alter", "sicken", "remove", "reboot", "plant"})
"""What somebody else can do there, without Terrace."""
TOLD = ("diary", "requests", "violations", "duplicates")


class RemoteFence:
    """The fence of a step whose lease is held at the other end: it is asked before every request."""

    def __init__(self, connection: Connection, number: int, epoch: int) -> None:
        self._connection = connection
        self._number = number
        self.epoch = epoch

    def check(self, timeout: float) -> None:
        """Never called: requests wait for an answer, see `ask`."""
        raise InvariantError("the fence of a remote step is asked, not called")

    async def ask(self, timeout: float) -> None:
        """As Fence.check, by whoever holds the lease. LeaseLostError."""
        await self._connection.fenced(self._number, timeout)


class WorldServer:
    """One world behind a socket."""

    def __init__(self, settings: SimSettings, clock: Clock) -> None:
        self.world = World(settings.seed, CreateOnce(settings.create_once))
        self.world.faults = settings.faults()
        self.outside = Outside(self.world, clock)
        self.settings = settings
        self.clock = clock

    async def serve(self, path: str, ready: Callable[[], None] = lambda: None) -> None:
        """Serves at the Unix socket `path`, which only its owner may use, until cancelled."""
        with suppress(FileNotFoundError):
            os.unlink(path)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._meet, path)
        finally:
            os.umask(before)
        async with server:
            ready()
            await server.serve_forever()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the world ends
            await Connection(self, reader, writer).run()


class Connection:
    """One that speaks to the world: numbered questions, answered as they are done."""

    def __init__(
        self, server: WorldServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._driver = SimDriver(server.world, server.clock, server.settings)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._asked: dict[int, asyncio.Future[None]] = {}

    async def run(self) -> None:
        """Until the other end is gone; what was begun for it goes no further."""
        try:
            while True:
                number, what, *more = await receive(self._reader)
                if what == "fence":
                    self._answered(number, *more)
                elif what == "stop":
                    self._stop(number)
                else:
                    task = asyncio.create_task(self._do(number, what, *more))
                    self._tasks[number] = task
                    task.add_done_callback(partial(self._ended, number))
        except TransientError:
            pass
        finally:
            for task in list(self._tasks.values()):
                task.cancel()
            self._writer.close()

    async def fenced(self, number: int, timeout: float) -> None:
        """Asks the other end whether a request of `timeout` seconds may be sent."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked[number] = asked
        self._send(number, "fence", timeout)
        await asked

    def _answered(self, number: int, error: tuple[str, str, str, str] | None) -> None:
        asked = self._asked.pop(number, None)
        if asked is None or asked.done():
            return
        if error is None:
            asked.set_result(None)
        else:
            asked.set_exception(raised(*error))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        self._tasks.pop(number, None)

    def _stop(self, number: int) -> None:
        task = self._tasks.get(number)
        if task is not None:
            task.cancel()

    def _send(self, number: int, kind: str, value: Any) -> None:
        if not self._writer.is_closing():
            self._writer.write(packed((number, kind, value)))

    async def _do(self, number: int, what: str, *more: Any) -> None:
        try:
            if what in ("watch", "logs"):
                stream: AsyncIterator[Any] = (
                    self._driver.watch() if what == "watch" else self._driver.logs(more[0], **more[1])
                )
                async for item in stream:
                    self._send(number, "item", item)
                self._send(number, "end", None)
            else:
                self._send(number, "done", await self._call(number, what, *more))
        except TerraceError as error:
            self._send(number, "error", told(error))

    async def _call(self, number: int, what: str, *more: Any) -> Any:
        driver, server = self._driver, self._server
        match what:
            case "observe":
                return await driver.observe(*more)
            case "lookup":
                return await driver.lookup(*more)
            case "apply":
                step, epoch = more
                return await driver.apply(step, RemoteFence(self, number, epoch))
            case "exec":
                session = await driver.exec(more[0], more[1], **more[2])
                return session.told
            case "probe":
                return await driver.probe(*more)
            case "faults":
                server.world.faults = more[0]
            case "down":
                server.world.weather.go_down(server.clock.now() + more[0])
            case "outside" if more[0] in OUTSIDE:
                thing = getattr(server.outside, more[0])(*more[1], **more[2])
                return thing.provider_id if thing is not None else None
            case "look":
                world = server.world
                found = {name: getattr(world, name) for name in TOLD}
                return {**found, "things": [thing.seen for thing in world.things.values()]}
            case _:
                raise InvariantError(f"a simulated provider cannot {what}")
        return None
