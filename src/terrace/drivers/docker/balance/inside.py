"""The way into a load balancer's container: its files, and the program that brings them into effect."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from terrace.drivers.docker import guests
from terrace.drivers.docker.balance.changes import Standing, expected, standings
from terrace.drivers.docker.balance.config import FOLDER, render
from terrace.drivers.docker.balance.parts import Books, read, written
from terrace.drivers.docker.inside.archive import members
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal, one_line
from terrace.errors import PermanentError, TransientError
from terrace.ports.clock import Clock
from terrace.ports.driver import Fence

BOOKS: Final = "parts.json"
CONFIG: Final = "haproxy.cfg"
_PROGRAM: Final = "/sbin/terrace-balance"
_MOST: Final = 16 << 20  # bytes of a container's files that are read
_PATIENCE: Final = 25.0  # seconds for a change to come into effect
_REFUSED: Final = 3  # its exit code when the proxy does not take a configuration


class Kept:
    """What a load balancer's container holds. `books` is None where there are none, or where they are broken; `intact`
    when the configuration is the one that follows from them."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.books = read(files.get(BOOKS, ""))
        self.intact = self.books is not None and files.get(CONFIG) == render(self.books)


class Inside:
    """Reads and writes the files of load balancers."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def look(self, container: str) -> Kept:
        """What a container holds now, whether or not it runs. Refusal 404 when it is gone."""
        packed = bytearray()
        where = {"path": FOLDER}
        try:
            async with (
                asyncio.timeout(self._engine.timeout),
                self._engine.stream("GET", f"/containers/{container}/archive", where) as answer,
            ):
                async for piece in answer.content.iter_chunked(1 << 16):
                    packed += piece
                    if len(packed) > _MOST:
                        break
        except TimeoutError as late:
            raise TransientError("the load balancer's files could not be read in time") from late
        except Refusal as refusal:
            if refusal.status == 404 and "o such container" not in refusal.message:
                return Kept({})  # the folder is gone
            raise
        return Kept(_files(bytes(packed)))

    async def lay(self, container: str, books: Books, fence: Fence) -> None:
        """Writes the files of a proxy that does not run."""
        await self._put(container, {CONFIG: render(books), BOOKS: written(books)}, fence)

    async def bring(
        self, container: str, books: Books, said: list[str] | None, fence: Fence
    ) -> dict[str, Standing]:
        """Brings books into effect: by what is `said` to the proxy, or by a reload (None); how its members are then."""
        config, text = render(books), written(books)
        name = blake2b(f"{config}\n{text}".encode(), digest_size=8).hexdigest()
        files = {f"haproxy.{name}": config, f"parts.{name}": text}
        files[f"expected.{name}"] = "".join(f"{line}\n" for line in expected(books))
        if said is not None:
            files[f"commands.{name}"] = "".join(f"{line}\n" for line in said)
        await self._put(container, files, fence)
        fence.check(self._engine.timeout)
        code, out, blamed = await self._run(container, _PROGRAM, name)
        if code == _REFUSED:
            raise PermanentError(f"the load balancer's proxy refuses its configuration: {one_line(blamed)}")
        if code:
            raise TransientError(
                f"the load balancer's proxy did not take a change (exit code {code}): {one_line(blamed)}"
            )
        return standings(out)

    async def ask(self, container: str) -> dict[str, Standing]:
        """How the members of a proxy that runs are."""
        question = f"echo 'show stat' | socat -t 5 - UNIX-CONNECT:{FOLDER}/admin.sock"
        code, out, _ = await self._run(container, "/bin/sh", "-c", question)
        return standings(out) if code == 0 else {}

    async def _put(self, container: str, files: Mapping[str, str], fence: Fence) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, text in files.items():
                payload = text.encode()
                entry = tarfile.TarInfo(f"{FOLDER.lstrip('/')}/{name}")
                entry.size, entry.mode = len(payload), 0o600
                tar.addfile(entry, io.BytesIO(payload))
        path = f"/containers/{container}/archive"
        await self._engine.change(fence, "PUT", path, {"path": "/"}, buffer.getvalue())

    async def _run(self, container: str, *command: str) -> tuple[int, str, str]:
        said = {"stdout": bytearray(), "stderr": bytearray()}
        try:
            async with asyncio.timeout(_PATIENCE):
                session = await guests.start_program(self._engine, self._clock, container, command)
                async for chunk in session.output():
                    said[chunk.stream] += chunk.data
                code = await session.wait()
        except TimeoutError as late:
            raise TransientError("the load balancer's proxy is busy", code="provider-timeout") from late
        return code, said["stdout"].decode(errors="replace"), said["stderr"].decode(errors="replace")


def _files(packed: bytes) -> dict[str, str]:
    """The texts of an archive by their names; those that were cut off are missing."""
    named = ((path.rpartition("/")[2], held) for path, held in members(packed))
    return {
        name: held.decode(errors="replace")
        for name, held in named
        if held is not None and name in (BOOKS, CONFIG)
    }
