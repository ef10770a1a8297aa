"""Load that arrives at a constant rate, whether the server keeps up or not: what a slow answer makes others wait is
counted, too (open loop)."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from bench.server import BenchError


class Target(NamedTuple):
    """A server on TCP with TLS, whose certificate is known, and the token to come with."""

    port: int
    certificate: str
    token: str

    async def connect(self) -> Connection:
        """A new connection."""
        context = ssl.create_default_context(cafile=self.certificate)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
        return Connection(reader, writer, self.token)


class Connection:
    """HTTP/1.1, one request after the other, and nothing that costs time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self.reader = reader
        self._writer = writer
        self._token = token

    def send(self, method: str, path: str, body: bytes = b"", more: str = "") -> None:
        """Sends a request."""
        head = f"{method} {path} HTTP/1.1\r\nHost: terrace\r\nAuthorization: Bearer {self._token}\r\n{more}"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def head(self) -> tuple[int, int]:
        """Status and length of the answer that comes next."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = 0
        for line in text.split(b"\r\n")[1:]:
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        return int(text.split(b" ", 2)[1]), length

    async def ask(self, method: str, path: str, body: bytes = b"", more: str = "") -> bytes:
        """The body of the answer. BenchError when it is no good one."""
        self.send(method, path, body, more)
        status, length = await self.head()
        answer = await self.reader.readexactly(length)
        if status >= 300:
            raise BenchError(f"{method} {path}: {status} {answer[:300]!r}")
        return answer

    def close(self) -> None:
        """Hangs up."""
        self._writer.close()


Request = Callable[[int], tuple[str, str, bytes, str]]
"""Method, path, body and further head of the request of that number."""


async def arrive(
    target: Target, rate: float, seconds: float, request: Request, most: int = 64
) -> list[float]:
    """Seconds from when each request was due until its answer was there, `rate` of them a second."""
    idle = deque([await target.connect() for _ in range(most)])
    took: list[float] = []
    under_way: set[asyncio.Task[None]] = set()
    free = asyncio.Condition()

    async def one(number: int, due: float) -> None:
        async with free:
            await free.wait_for(lambda: idle)
            connection = idle.popleft()
        await connection.ask(*request(number))
        took.append(time.perf_counter() - due)
        async with free:
            idle.append(connection)
            free.notify()

    began = time.perf_counter() + 0.1
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(number, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in idle:
        connection.close()
    return took


def percentile(values: list[float], part: float) -> float:
    """The value that `part` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
