"""A connection that stops being HTTP: how a program in a guest gets its input and output."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter

import msgspec

from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import TransientError


async def hijack(engine: Engine, path: str, body: object) -> tuple[StreamReader, StreamWriter]:
    """POSTs `body` to `path` and gives the connection, which from then on is the program's."""
    base = await engine.version()
    content = msgspec.json.encode(body)
    head = (
        f"POST {base}{path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    )
    try:
        async with asyncio.timeout(engine.timeout):
            reader, writer = await _connect(engine)
            writer.write(head.encode() + content)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            status = int(answer.split(b" ", 2)[1])
            if status in (101, 200):
                return reader, writer
            said = await reader.read(4096)
            writer.close()
            raise Refusal(status, said.decode(errors="replace"))
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise TransientError(f"no answer from the Docker engine at {engine.address}: {error}") from error


async def _connect(engine: Engine) -> tuple[StreamReader, StreamWriter]:
    if engine.local:
        return await asyncio.open_unix_connection(engine.address.removeprefix("unix://"))
    host, _, port = engine.address.removeprefix("tcp://").rpartition(":")
    return await asyncio.open_connection(host.strip("[]"), int(port), ssl=engine.tls())
