"""The way into guests: programs, logs, health checks."""

from __future__ import annotations

import asyncio
import os
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence

from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, translate, translated
from terrace.drivers.docker.wire.frames import Frames
from terrace.drivers.docker.wire.hijack import hijack
from terrace.errors import ProviderError
from terrace.model.seen import Seen
from terrace.model.spec.machine import Health
from terrace.ports.clock import Clock
from terrace.ports.driver import Chunk

_PIECE = 65536
_SETTLING = 50  # looks at a program that has ended before its exit code is believed missing


class ExecSession:
    """ports.driver.Session for a program started by the engine."""

    def __init__(
        self, engine: Engine, number: str, ends: tuple[StreamReader, StreamWriter], tty: bool, clock: Clock
    ) -> None:
        self._engine = engine
        self._number = number
        self._reader, self._writer = ends
        self._frames = Frames(raw=tty)
        self._clock = clock
        self._reading = False
        self._ended = asyncio.Event()

    async def output(self) -> AsyncIterator[Chunk]:
        """What it writes, until it ends."""
        self._reading = True
        try:
            while piece := await self._reader.read(_PIECE):
                for chunk in self._frames.feed(piece):
                    yield chunk
        except ConnectionError:
            pass
        finally:
            self._writer.close()
            self._ended.set()

    async def write(self, data: bytes) -> None:
        """To its standard input; what it does not read any more is dropped."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            pass

    async def close_input(self) -> None:
        """End of its standard input. Over TLS the engine cannot be told: the program then sees no end."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    async def resize(self, rows: int, columns: int) -> None:
        """The size of its terminal."""
        with translated():
            await self._engine.post(f"/exec/{self._number}/resize", params={"h": rows, "w": columns})

    async def wait(self) -> int:
        """Its exit code; output that nobody reads is dropped. -1 when the engine lost it."""
        if not self._reading:
            async for _ in self.output():
                pass
        await self._ended.wait()
        with translated():
            for _ in range(_SETTLING):
                told = await self._engine.read(f"/exec/{self._number}/json")
                if not told.get("Running") and told.get("ExitCode") is not None:
                    return int(told["ExitCode"])
                await self._clock.sleep(0.02)
        return -1


async def start_program(
    engine: Engine,
    clock: Clock,
    container: str,
    command: Sequence[str],
    *,
    tty: bool = False,
    stdin: bool = False,
) -> ExecSession:
    """Starts `command` inside the container."""
    with translated():
        made = await engine.post(
            f"/containers/{container}/exec",
            {
                "Cmd": list(command),
                "Tty": tty,
                "AttachStdin": stdin,
                "AttachStdout": True,
                "AttachStderr": True,
            },
        )
        ends = await hijack(engine, f"/exec/{made['Id']}/start", {"Detach": False, "Tty": tty})
    return ExecSession(engine, made["Id"], ends, tty, clock)


async def read_logs(engine: Engine, container: str, tail: int | None, follow: bool) -> AsyncIterator[Chunk]:
    """What the container's main program wrote, with the engine's time stamps."""
    with translated():
        inspected = await engine.read(f"/containers/{container}/json")
    params: dict[str, str | int | list[str]] = {
        "stdout": 1,
        "stderr": 1,
        "timestamps": 1,
        "follow": int(follow),
        "tail": "all" if tail is None else str(tail),
    }
    frames = Frames(raw=bool(inspected["Config"].get("Tty")), stamped=True)
    try:
        async with engine.stream("GET", f"/containers/{container}/logs", params) as answer:
            async for piece in answer.content.iter_any():
                for chunk in frames.feed(piece):
                    yield chunk
    except Refusal as refusal:
        raise translate(refusal) from refusal


async def check(engine: Engine, clock: Clock, seen: Seen, health: Health) -> tuple[bool, str]:
    """One health check. Commands run in the guest; TCP and HTTP go from here straight to its address."""
    try:
        async with asyncio.timeout(health.timeout):
            match health.type:
                case "command":
                    return await _command(engine, clock, seen.provider_id, health)
                case "tcp":
                    return await _tcp(seen, health)
                case "http":
                    return await _http(seen, health)
                case other:
                    return False, f"there is no health check of type {other}"
    except TimeoutError:
        return False, f"no answer within {health.timeout:g} s"
    except ProviderError as error:
        return False, error.message
    except OSError as error:
        return False, os.strerror(error.errno).lower() if error.errno else str(error)


async def _command(engine: Engine, clock: Clock, container: str, health: Health) -> tuple[bool, str]:
    session = await start_program(engine, clock, container, health.command)
    said = b""
    async for chunk in session.output():
        said = (said + chunk.data)[-200:]
    code = await session.wait()
    lines = said.decode(errors="replace").strip().splitlines()
    return code == 0, f"exit code {code}" + (f": {lines[-1]}" if lines and code else "")


async def _tcp(seen: Seen, health: Health) -> tuple[bool, str]:
    _, writer = await asyncio.open_connection(_address(seen), health.port)
    writer.close()
    return True, f"port {health.port} answers"


async def _http(seen: Seen, health: Health) -> tuple[bool, str]:
    address = _address(seen)
    reader, writer = await asyncio.open_connection(address, health.port)
    try:
        path = health.path.replace("\r", "").replace("\n", "").replace(" ", "%20")
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
    finally:
        writer.close()
    parts = line.decode(errors="replace").split(" ")
    if len(parts) < 2 or not parts[1].strip().isdigit():
        return False, "the answer is no HTTP"
    status = int(parts[1])
    return 200 <= status < 400, f"HTTP {status}"


def _address(seen: Seen) -> str:
    address = str(seen.attributes.get("first_address") or "")
    if not address:
        raise OSError("it has no address")
    return address
