"""The way into simulated guests: a handful of programs, what they wrote, and health checks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from terrace.drivers.sim.requests import Wire
from terrace.drivers.sim.thing import Thing
from terrace.errors import PermanentError
from terrace.model.seen import Seen
from terrace.ports.driver import Chunk

REDIRECT = re.compile(r"echo (?P<text>[^>]*?) ?> ?(?P<path>\S+)")
NOT_FOUND = 127
FOLLOW = 0.5


class SimSession:
    """A program that has already run; one that reads gives back what it is sent."""

    def __init__(self, output: bytes, exit_code: int, echoes: bool) -> None:
        self.told = (output, exit_code, echoes)
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._exit_code = exit_code
        self._echoes = echoes
        self._done = asyncio.Event()
        if output:
            self._chunks.put_nowait(output)
        if not echoes:
            self._end()

    async def output(self) -> AsyncIterator[Chunk]:
        """What it writes, until it ends."""
        while (data := await self._chunks.get()) is not None:
            yield Chunk(data, "stdout" if self._exit_code == 0 else "stderr")

    async def write(self, data: bytes) -> None:
        """To its standard input."""
        if self._echoes:
            self._chunks.put_nowait(data)

    async def close_input(self) -> None:
        """End of its standard input."""
        self._end()

    async def resize(self, rows: int, columns: int) -> None:
        """It does not look at the size of its terminal."""

    async def wait(self) -> int:
        """Its exit code."""
        await self._done.wait()
        return self._exit_code

    def _end(self) -> None:
        if not self._done.is_set():
            self._done.set()
            self._chunks.put_nowait(None)


class SimGuests:
    """ports.Guests and ports.Probes. Programs: echo, cat (of files and mounted volumes), true, false, and
    `sh -c "echo TEXT > PATH"`. A cat without arguments gives back what it is sent."""

    def __init__(self, wire: Wire) -> None:
        self._guests = wire

    async def exec(
        self, provider_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> SimSession:
        """Runs `command`; PermanentError when the guest is not running."""
        return await self._guests.ask("exec", "Machine", lambda now: self._run(provider_id, command, stdin))

    async def logs(
        self, provider_id: str, *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[Chunk]:
        """What the guest wrote: a line for each start."""
        thing = await self._guests.ask("logs", "Machine", lambda now: self._guest(provider_id))
        place = max(0, len(thing.output) - tail) if tail is not None else 0
        while True:
            for at, line in thing.output[place:]:
                yield Chunk(f"{line}\n".encode(), at=at)
            place = len(thing.output)
            if not follow or provider_id not in self._guests.world.things:
                return
            await self._guests.clock.sleep(FOLLOW)

    async def probe(self, seen: Seen, health: Any) -> tuple[bool, str]:
        """Passes while the machine runs and nobody has made it sick."""
        thing = self._guests.world.things.get(seen.provider_id)
        if thing is None or thing.state != "running":
            return False, "not running"
        return (False, "it answers with an error") if thing.sick else (True, "it answers")

    def _guest(self, provider_id: str) -> Thing:
        thing = self._guests.world.things.get(provider_id)
        if thing is None or thing.kind != "Machine":
            raise PermanentError(f"there is no machine {provider_id}")
        return thing

    def _run(self, provider_id: str, command: Sequence[str], stdin: bool) -> SimSession:
        thing = self._guest(provider_id)
        if thing.state != "running":
            raise PermanentError(f"{provider_id} is not running")
        match list(command):
            case ["true"]:
                return SimSession(b"", 0, False)
            case ["false"]:
                return SimSession(b"", 1, False)
            case ["echo", *words]:
                return SimSession(f"{' '.join(words)}\n".encode(), 0, False)
            case ["cat"] if stdin:
                return SimSession(b"", 0, True)
            case ["cat", path]:
                return self._read(thing, path)
            case ["sh", "-c", line] if found := REDIRECT.fullmatch(line):
                disk, name = self._disk(thing, found["path"])
                disk[name] = f"{found['text']}\n"
                return SimSession(b"", 0, False)
            case _:
                return SimSession(f"{command[0]}: not found\n".encode(), NOT_FOUND, False)

    def _read(self, thing: Thing, path: str) -> SimSession:
        disk, name = self._disk(thing, path)
        if name not in disk:
            return SimSession(f"cat: {path}: No such file or directory\n".encode(), 1, False)
        return SimSession(disk[name].encode(), 0, False)

    def _disk(self, thing: Thing, path: str) -> tuple[dict[str, str], str]:
        """The disk that holds `path`, a mounted volume or the machine's own, and the file's name on it."""
        mounts = [(mount.path, mount.volume) for mount in thing.spec.volumes]
        mounts += [
            (user.spec.path, user.spec.volume)
            for user in self._guests.world.links.users(thing)
            if user.kind == "VolumeAttachment"
        ]
        for place, volume in mounts:
            inside = path.removeprefix(place.rstrip("/") + "/")
            if inside != path:
                return self._guests.world.things[volume].content, inside
        return thing.content, path
