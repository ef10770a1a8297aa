"""Hints between servers, by LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from terrace.errors import TransientError
from terrace.stores.postgres.line import Line, is_cockroach

CHANNEL = "terrace"
LOST = ""
"""Said when hints may have been missed."""
_AGAIN = 1.0
_SETTLE = 0.01  # seconds in which what came with the first is read, too


async def listened(line: Line) -> AsyncIterator[str]:
    """What others tell, for ever; it ends at once if the server has no notifications. The line is closed at the end."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            try:
                handle = await line.run(_listen)
                if handle is None:
                    return
                yield LOST
                while True:
                    await _readable(loop, handle)
                    for channel in await line.run(_heard):
                        yield channel
            except TransientError:
                await asyncio.sleep(_AGAIN)
    finally:
        with suppress(TransientError):
            await line.close()


async def _readable(loop: asyncio.AbstractEventLoop, handle: int) -> None:
    """Until there is something to read, or the connection has ended."""
    ready = asyncio.Event()
    loop.add_reader(handle, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(handle)


def _listen(line: Line) -> int | None:
    connection = line.connection()
    if is_cockroach(connection):
        return None
    connection.execute(f"LISTEN {CHANNEL}")
    return connection.fileno()


def _heard(line: Line) -> list[str]:
    notices = line.connection().notifies(timeout=_SETTLE)
    return list(dict.fromkeys(notice.payload for notice in notices))
