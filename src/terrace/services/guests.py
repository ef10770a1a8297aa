"""The way into machines: what they wrote, and programs inside them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence

import msgspec

from terrace.errors import CapabilityError, ConflictError, NotFoundError, UserError
from terrace.model.record import Record
from terrace.ports.driver import Chunk, Guests, Session
from terrace.services.gate import Actor, Right, Surface, Where, check_path
from terrace.services.providers import Providers

LINE = 64 * 1024
"""Bytes after which a line without an end is cut."""
BACKLOG = 1000
"""Lines that may wait for a slow reader; then the machines' streams wait."""
MACHINES = 200
"""The most whose logs are followed at once."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line that a machine wrote. `at` epoch seconds, 0 when not known."""

    path: str
    stream: str
    at: float
    text: str


class Inside:
    """Use cases about the insides of machines."""

    def __init__(self, surface: Surface, providers: Providers) -> None:
        self._on = surface
        self._providers = providers

    async def logs(
        self, actor: Actor, where: Where, path: str = "", *, tail: int | None = None, follow: bool = False
    ) -> AsyncIterator[Line]:
        """What the machines at or below `path` wrote, `tail` lines of each, by time; then on as it comes if
        `follow`. Refusals come from this call."""
        machines = await self._machines(actor, Right.LOGS, where, path)
        if len(machines) > MACHINES:
            raise UserError(
                f"{len(machines)} machines are too many to read at once ({MACHINES} at most)",
                hint=f"name one: terrace logs {where.stack}/{machines[0].path}",
            )
        streams = [
            _lines(record.path, self._guests(record).logs(record.provider_id, tail=tail, follow=follow))
            for record in machines
        ]
        return _together(streams) if follow else _by_time(streams)

    async def exec(
        self, actor: Actor, where: Where, path: str, command: Sequence[str], *, tty: bool = False
    ) -> Session:
        """Starts `command` in the machine at `path` (or the only one below it)."""
        machines = await self._machines(actor, Right.EXEC, where, path)
        if not command or not all(command[:1]):
            raise UserError("there is no command to run", hint="terrace exec STACK/RESOURCE -- sh")
        if len(machines) > 1:
            some = ", ".join(record.path for record in machines[:5])
            raise ConflictError(f'"{path}" is {len(machines)} machines', hint=f"name one: {some}")
        return await self._guests(machines[0]).exec(
            machines[0].provider_id, tuple(command), tty=tty, stdin=True
        )

    async def _machines(self, actor: Actor, right: Right, where: Where, path: str) -> list[Record]:
        """The machines at or below `path` that exist, one incarnation of each."""
        stack = await self._on.gate.stack(actor, right, where)
        if path:
            check_path(path)
        current: dict[str, Record] = {}
        after = ""
        while rows := await self._on.store.record_page(stack.id, under=path, after=after, limit=1000):
            after = rows[-1].cursor
            for record in (row.record for row in rows):
                if record.kind == "Machine" and record.provider_id:
                    known = current.get(record.path)
                    if known is None or (known.departing, -known.incarnation) > (
                        record.departing,
                        -record.incarnation,
                    ):
                        current[record.path] = record
        if not current:
            what = f'no machine at "{path}" that exists' if path else "no machine that exists"
            raise NotFoundError(
                f'stack "{where.stack}" has {what}', code="no-machine", hint=f"terrace status {where.stack}"
            )
        return list(current.values())

    def _guests(self, record: Record) -> Guests:
        driver = self._providers.driver(record.provider)
        if not hasattr(driver, "exec") or not hasattr(driver, "logs"):
            raise CapabilityError(f'provider "{record.provider}" has no way into its machines')
        return driver  # type: ignore[return-value]  # a driver with guests is both in one object


async def _lines(path: str, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Line]:
    """Chunks as whole lines, each stream for itself."""
    rest: dict[str, bytes] = {}
    at = 0.0
    async for chunk in chunks:
        at = chunk.at
        *whole, last = (rest.get(chunk.stream, b"") + chunk.data).split(b"\n")
        if len(last) > LINE:
            whole, last = [*whole, last], b""
        rest[chunk.stream] = last
        for line in whole:
            yield Line(path, chunk.stream, at, _text(line))
    for stream, last in rest.items():
        if last:
            yield Line(path, stream, at, _text(last))


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")


async def _by_time(streams: list[AsyncIterator[Line]]) -> AsyncIterator[Line]:
    """The lines of all streams, the oldest first; each stream is in order by itself."""
    heads: list[tuple[float, int, Line]] = []

    async def advance(index: int) -> None:
        line = await anext(streams[index], None)
        if line is not None:
            heapq.heappush(heads, (line.at, index, line))

    for index in range(len(streams)):
        await advance(index)
    while heads:
        _, index, line = heapq.heappop(heads)
        yield line
        await advance(index)


async def _together(streams: list[AsyncIterator[Line]]) -> AsyncIterator[Line]:
    """The lines of all streams as they come, until all have ended."""
    queue: asyncio.Queue[Line | None] = asyncio.Queue(BACKLOG)

    async def pump(stream: AsyncIterator[Line]) -> None:
        try:
            async for line in stream:
                await queue.put(line)
        finally:
            await queue.put(None)

    pumps = [asyncio.ensure_future(pump(stream)) for stream in streams]
    try:
        open_streams = len(pumps)
        while open_streams:
            line = await queue.get()
            if line is None:
                open_streams -= 1
            else:
                yield line
        await asyncio.gather(*pumps)
    finally:
        for one in pumps:
            one.cancel()
