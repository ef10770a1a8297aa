"""The server under load, over TCP with TLS: reads, writes, and events on their way to those who follow."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import postgres, shapes
from bench.load import Target, arrive, percentile
from bench.row import Row
from bench.server import SIM, BenchError, Prover, Server, prove, running
from terrace.client import Client

STACKS, EACH = 200, 100
"""Stored while it is measured: so many stacks of so many resources."""
READS, WRITES = 300, 50
"""A second."""
SECONDS = 20.0
STREAMS = 200
CHANGES = 100
"""Events that every stream hears of."""
PATH = "/v1/projects/default/stacks"


@contextmanager
def listening(more: str = "", prover: Prover = prove) -> Iterator[tuple[Server, Client, Target]]:
    """A server on TCP with TLS, its owner, and the way to it. `more` stands in its settings besides."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # One client stands for many here: it may ask as often as they would.
    settings = f'{SIM}[server]\nlisten = "127.0.0.1:{port}"\nrate = 2000\nburst = 4000\n{more}'
    with running(settings, prover=prover) as server:
        state = server.folder / "state" / "terrace"
        with Client(f"unix://{state}/server.sock") as owner:
            wish = {"name": "bench", "project": "default", "role": "admin", "service": True}
            token = owner.people.tokens.create(wish)["token"]
            yield server, owner, Target(port, str(state / "tls.crt"), token)


def api() -> list[Row]:
    """On SQLite, and what the server takes when nobody asks."""
    with listening() as front:
        return _measured("api", front)


def api_postgres() -> list[Row]:
    """The same on PostgreSQL."""
    with (
        postgres.database() as url,
        listening(f'[store]\nurl = "{url}"\n', partial(postgres.prove, url)) as front,
    ):
        return _measured("api-postgres", front)


def _measured(name: str, front: tuple[Server, Client, Target]) -> list[Row]:
    server, owner, target = front
    idle = _idle(server, target)
    _fill(owner)
    reads = asyncio.run(arrive(target, READS, SECONDS, _read))
    writes = asyncio.run(arrive(target, WRITES, SECONDS, _write))
    late = asyncio.run(_follow(target))
    peak = server.memory("VmHWM")
    note = f"{len(reads):,} at {READS}/s with {STACKS * EACH:,} stored; median {_ms(reads, 0.5):.1f} ms"
    return [
        Row(f"{name}-idle", idle, "MB", limit=110, goal="below 110 MB", note="on TCP with TLS"),
        Row(f"{name}-reads", _ms(reads, 0.99), "ms", limit=50, goal="p99 below 50 ms", note=note),
        Row(
            f"{name}-writes", _ms(writes, 0.99), "ms", limit=100, goal="p99 below 100 ms",
            note=f"{len(writes):,} at {WRITES}/s; median {_ms(writes, 0.5):.1f} ms",
        ),
        Row(
            f"{name}-events", _ms(late, 0.99), "ms", limit=100, goal="p99 below 100 ms",
            note=f"{len(late):,} arrivals at {STREAMS} streams; median {_ms(late, 0.5):.1f} ms; peak {peak:.0f} MB",
        ),
    ]  # fmt: skip


def _ms(values: list[float], part: float) -> float:
    return percentile(values, part) * 1000


def _idle(server: Server, target: Target) -> float:
    async def once() -> None:
        connection = await target.connect()
        await connection.ask("GET", "/v1/version")
        connection.close()

    asyncio.run(once())
    return server.memory("VmRSS")


def _fill(owner: Client) -> None:
    wish = {"template": "t.yaml", "files": {"t.yaml": shapes.values(shapes.flat(EACH))}}
    for number in range(STACKS):
        owner.stacks.apply(f"s{number}", wish)
    deadline = time.monotonic() + 600
    while any(stack["phase"] != "settled" for stack in owner.stacks.listing()):
        if time.monotonic() > deadline:
            raise BenchError("the stacks do not settle")
        time.sleep(0.2)


def _read(number: int) -> tuple[str, str, bytes, str]:
    return "GET", f"{PATH}/s{number * 7 % STACKS}/resources?limit={EACH}", b"", ""


def _write(number: int) -> tuple[str, str, bytes, str]:
    """Another description for one of a hundred small stacks: accepted, and carried out beside the next."""
    return "PUT", f"{PATH}/w{number % 100}", _small(number), f"Idempotency-Key: bench-{number}\r\n"


def _small(number: int) -> bytes:
    text = (
        f"heat_template_version: 2021-04-16\nresources:\n"
        f"  value: {{type: 'OS::Heat::Value', properties: {{value: {number}}}}}\n"
    )
    return json.dumps({"template": "t.yaml", "files": {"t.yaml": text}}).encode()


async def _follow(target: Target) -> list[float]:
    """Seconds from when an event came to be, shortly before its commit, until each stream had it."""
    maker = await target.connect()
    await maker.ask("PUT", f"{PATH}/watched?wait=settled", _small(-1))
    late: list[float] = []
    streams = [asyncio.create_task(_stream(target, late)) for _ in range(STREAMS)]
    await asyncio.sleep(2.0)
    for number in range(CHANGES):
        await maker.ask("PUT", f"{PATH}/watched", _small(number))
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.0)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    if len(late) < STREAMS * CHANGES:
        raise BenchError(f"only {len(late):,} events came to {STREAMS} streams")
    return late


async def _stream(target: Target, late: list[float]) -> None:
    connection = await target.connect()
    connection.send("GET", f"{PATH}/watched/events?watch=1", more="Accept: text/event-stream\r\n")
    await connection.head()
    try:
        while line := await connection.reader.readline():
            if line.startswith(b"data: "):
                late.append(time.time() - json.loads(line[6:])["at"])
    finally:
        connection.close()
