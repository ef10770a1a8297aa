"""Clients that mean no good: the server goes on answering others, and its memory stays bounded."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.served import REQUEST, Server, free_port

SIM = '[providers.local]\ndriver = "sim"\n'
SLOW = 2.0
"""Seconds that an answer for somebody else may take while others mean no good, on a machine that does other work."""


class Front(NamedTuple):
    """A server on TCP with TLS, and a token that is good there."""

    server: Server
    port: int
    context: ssl.SSLContext
    token: str

    async def open(self, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that comes from `host`: all of 127.0.0.0/8 is this machine."""
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context, local_addr=(host, 0))

    def head(self, method: str, path: str, token: str | None = None, more: str = "") -> bytes:
        """The head of a request."""
        said = self.token if token is None else token
        lines = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {said}\r\n{more}\r\n"
        return lines.encode()

    def resident(self) -> int:
        """Bytes that the server takes."""
        assert self.server.process is not None
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture
def front(server: Callable[..., Server]) -> Front:
    port = free_port()
    one = server(f'[server]\nlisten = "127.0.0.1:{port}"\nlog_requests = "changes"\n{SIM}').start()
    one.client.stacks.apply("shop", REQUEST, wait=20)
    wish = {"name": "good", "project": "default", "role": "developer", "service": True}
    token = one.client.people.tokens.create(wish)["token"]
    context = ssl.create_default_context(cafile=str(one.state / "tls.crt"))
    return Front(one, port, context, token)


async def answer(reader: asyncio.StreamReader) -> int:
    """The status of the answer that comes next; its body is read, too."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    return int(head.split(b" ", 2)[1])


@asynccontextmanager
async def somebody_else(front: Front) -> AsyncIterator[list[float]]:
    """Asks for the status of a stack, over and over; the seconds that each answer took."""
    took: list[float] = []
    reader, writer = await front.open("127.0.0.99")
    path = "/v1/projects/default/stacks/shop"

    async def ask() -> None:
        while True:
            began = time.perf_counter()
            writer.write(front.head("GET", path))
            assert await answer(reader) == 200
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    try:
        yield took
    finally:
        if asking.done():
            asking.result()
        asking.cancel()
        writer.close()
    assert len(took) >= 5
    assert max(took) < SLOW, f"an answer took {max(took):.2f} s"
    assert statistics.median(took) < SLOW / 4


async def test_ten_thousand_tokens_are_guessed(front: Front) -> None:
    said: Counter[int] = Counter()
    before = front.resident()

    async def guess(first: int) -> None:
        reader, writer = await front.open()
        for start in range(first, first + 1000, 50):
            guesses = (
                front.head("GET", "/v1/me", f"trc_{number:043}") for number in range(start, start + 50)
            )
            writer.write(b"".join(guesses))
            for _ in range(50):
                said[await answer(reader)] += 1
        writer.close()

    async with somebody_else(front):
        await asyncio.gather(*(guess(first) for first in range(0, 10_000, 1000)))
    assert said.keys() == {401, 429}
    assert said.total() == 10_000
    assert said[401] < 100, "guesses are hardly ever looked at"
    assert front.resident() - before < 20 * 1024**2


async def test_bodies_of_a_gigabyte(front: Front) -> None:
    path, before = "/v1/projects/default/stacks/huge", front.resident()

    async def announced() -> int:
        reader, writer = await front.open()
        writer.write(front.head("PUT", path, more=f"Content-Length: {1 << 30}\r\n"))
        status = await answer(reader)
        writer.close()
        return status

    async def streamed() -> int:
        """How many bytes it could send until it was hung up on."""
        _, writer = await front.open()
        writer.write(front.head("PUT", path, more="Transfer-Encoding: chunked\r\n"))
        chunk, sent = b"10000\r\n" + b"x" * 65536 + b"\r\n", 0
        try:
            while sent < 1 << 30:
                writer.write(chunk)
                await writer.drain()
                sent += 65536
        except OSError:
            pass
        writer.close()
        return sent

    async with somebody_else(front):
        assert await asyncio.gather(*(announced() for _ in range(10))) == [413] * 10
        for sent in await asyncio.gather(*(streamed() for _ in range(3))):
            assert sent < 64 * 1024**2
    # Three of them at once held at most what one request may have, each.
    assert front.resident() - before < 3 * 64 * 1024**2
    assert front.server.client.stacks.get("shop")["phase"] == "settled"


async def test_slow_loris(front: Front) -> None:
    """Heads and bodies that come byte by byte, and people who say nothing at all."""
    before = front.resident()

    async def drip(first: bytes, each: bytes) -> float:
        """The seconds until it was hung up on."""
        reader, writer = await front.open("127.0.0.66")
        began = time.monotonic()
        writer.write(first)
        while time.monotonic() - began < 60:
            try:
                async with asyncio.timeout(1.0):
                    if not await reader.read(100):
                        break
            except TimeoutError:
                writer.write(each)
            except OSError:
                break
        writer.close()
        return time.monotonic() - began

    kinds = ((b"GET /v1/version HTTP/1.1\r\n", b"X"), (b"", b""), (b"", b"G"))
    async with somebody_else(front):
        took = await asyncio.gather(*(drip(*kinds[number % 3]) for number in range(300)))
    assert max(took) < 20
    assert front.resident() - before < 60 * 1024**2


async def test_five_hundred_idle_event_streams(front: Front) -> None:
    before = front.resident()

    async def follow() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await front.open("127.0.0.5")
        path = "/v1/projects/default/stacks/shop/events?watch=1"
        writer.write(front.head("GET", path, more="Accept: text/event-stream\r\n"))
        assert b" 200 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
        return reader, writer

    async with somebody_else(front):
        streams = [await follow() for _ in range(500)]
        grown = front.resident() - before
        assert grown < 500 * 160 * 1024, f"{grown // 500 // 1024} KiB for each stream"
        await asyncio.to_thread(
            front.server.client.stacks.apply, "shop", {**REQUEST, "parameters": {"pin": "another"}}
        )
        for reader, _ in streams:
            await reader.readuntil(b"data: ")
    for _, writer in streams:
        writer.close()
