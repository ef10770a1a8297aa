"""The driver of a simulated provider that is a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from terrace.drivers.sim.driver import capabilities_of
from terrace.drivers.sim.faults import Faults
from terrace.drivers.sim.guests import SimSession
from terrace.drivers.sim.remote.frames import packed, raised, receive, told
from terrace.drivers.sim.settings import SimSettings
from terrace.errors import LeaseLostError, TransientError
from terrace.model.seen import Observation, Seen
from terrace.model.step import Receipt, Step
from terrace.ports.driver import Capabilities, Chunk, CreateOnce, Fence


class Line:
    """The connection, made when it is needed and again when it broke. Many questions at once, each with a number."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._number = 0
        self._writer: asyncio.StreamWriter | None = None
        self._making = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._heard: dict[int, asyncio.Queue[tuple[str, Any]]] = {}

    async def ask(self, what: str, *more: Any, fence: Fence | None = None) -> Any:
        """The answer; the provider's error, or TransientError when it does not answer."""
        async for kind, value in self.listen(what, *more, fence=fence):
            if kind == "done":
                return value
        raise TransientError("the simulated provider does not answer")

    async def listen(
        self, what: str, *more: Any, fence: Fence | None = None
    ) -> AsyncIterator[tuple[str, Any]]:
        """All that comes in answer to a question."""
        writer = await self._connected()
        self._number += 1
        number, heard = self._number, asyncio.Queue[tuple[str, Any]]()
        self._heard[number] = heard
        writer.write(packed((number, what, *more)))
        ended = False
        try:
            while not ended:
                kind, value = await heard.get()
                if kind == "fence":
                    writer.write(packed((number, "fence", _checked(fence, value))))
                    continue
                ended = kind in ("done", "end", "error")
                if kind == "error":
                    raise raised(*value)
                if kind != "end":
                    yield kind, value
        finally:
            self._heard.pop(number, None)
            if not ended and not writer.is_closing():
                writer.write(packed((number, "stop")))

    async def close(self) -> None:
        """Lets go."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _connected(self) -> asyncio.StreamWriter:
        async with self._making:
            if self._writer is None or self._writer.is_closing():
                try:
                    reader, self._writer = await asyncio.open_unix_connection(self._path)
                except OSError as error:
                    raise TransientError(
                        f"there is no simulated provider at {self._path}: {error}"
                    ) from error
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, kind, value = await receive(reader)
                if number in self._heard:
                    self._heard[number].put_nowait((kind, value))
        except TransientError as error:
            for heard in self._heard.values():
                heard.put_nowait(("error", told(error)))
        finally:
            writer.close()


class RemoteSimDriver:
    """ports.Driver, Guests and Probes over a world at a socket. Tests make its weather with `set_faults`, `go_down`
    and `outside`, and judge by `look`."""

    def __init__(self, settings: SimSettings) -> None:
        self.capabilities: Capabilities = capabilities_of(settings, CreateOnce(settings.create_once))
        self._line = Line(settings.socket)

    async def observe(self, installation: str, adopted: Sequence[str]) -> Observation:
        """See SimDriver."""
        found: Observation = await self._line.ask("observe", installation, tuple(adopted))
        return found

    async def lookup(self, kind: str, selector: str) -> Seen | None:
        """See SimDriver."""
        found: Seen | None = await self._line.ask("lookup", kind, selector)
        return found

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """See SimDriver; the fence is asked here, before every request that is sent there."""
        done: Receipt = await self._line.ask("apply", step, getattr(fence, "epoch", 0), fence=fence)
        return done

    async def watch(self) -> AsyncIterator[str]:
        """See SimDriver."""
        async for _, hint in self._line.listen("watch"):
            yield hint

    async def exec(
        self, provider_id: str, command: Sequence[str], *, tty: bool = False, stdin: bool = False
    ) -> SimSession:
        """See SimGuests: the program has run there, and what it said is here."""
        given = {"tty": tty, "stdin": stdin}
        return SimSession(*await self._line.ask("exec", provider_id, list(command), given))

    async def logs(
        self, provider_id: str, *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[Chunk]:
        """See SimGuests."""
        async for _, chunk in self._line.listen("logs", provider_id, {"tail": tail, "follow": follow}):
            yield chunk

    async def probe(self, seen: Seen, health: Any) -> tuple[bool, str]:
        """See SimGuests."""
        passed, why = await self._line.ask("probe", seen, health)
        return passed, why

    async def close(self) -> None:
        """Lets go of the connection; the world stays."""
        await self._line.close()

    # ---- for tests

    async def set_faults(self, faults: Faults) -> None:
        """What may go wrong from now on."""
        await self._line.ask("faults", faults)

    async def outside(self, what: str, *more: Any, **named: Any) -> str | None:
        """Somebody else does something there, as in outside.Outside; the provider id of what was planted."""
        found: str | None = await self._line.ask("outside", what, more, named)
        return found

    async def look(self) -> dict[str, Any]:
        """The diary, the counted requests, what Terrace did wrong, and all `things`."""
        found: dict[str, Any] = await self._line.ask("look")
        return found


def _checked(fence: Fence | None, timeout: float) -> tuple[str, str, str, str] | None:
    try:
        if fence is not None:
            fence.check(timeout)
    except LeaseLostError as error:
        return told(error)
    return None
