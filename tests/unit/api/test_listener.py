"""The second listener: it is where guests are told to knock, and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import httpx
import pytest

from terrace.api import build_doors
from terrace.api.signals import listener
from terrace.api.signals.listener import DoorListener
from terrace.runtime.bell import Bell
from tests.unit.api.rig import Rig

Address = tuple[str, int]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def status(address: Address, path: str = "/v1/signals/nobody-1/x") -> int:
    """What a POST there is answered; 0 when nobody is there."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        try:
            return (await client.post(f"http://{address[0]}:{address[1]}{path}")).status_code
        except httpx.TransportError:
            return 0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_follows_addresses_as_they_come_and_go(rig: Rig) -> None:
    one, other = ("127.0.0.1", free_port()), ("127.0.0.2", free_port())
    wanted: set[Address] = set()
    bell = Bell()
    doors = DoorListener(build_doors(rig.services), lambda: frozenset(wanted), rig.telemetry)
    task = asyncio.create_task(doors.run(bell))
    try:
        assert await status(one) == 0
        wanted |= {one, other}
        bell.ring()
        await until(lambda: len(_said(rig, "signals.listening")) == 2)
        assert [await status(one), await status(other)] == [404, 404]
        assert await status(("127.0.0.3", one[1])) == 0
        assert await status(one, "/v1/version") == 404
        wanted.discard(one)
        bell.ring()
        await until(lambda: bool(_said(rig, "signals.closed")))
        assert [await status(one), await status(other)] == [0, 404]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await status(other) == 0


async def test_an_address_that_cannot_be_had_is_told_once_and_tried_again(rig: Rig) -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    address: Address = taken.getsockname()
    doors = DoorListener(build_doors(rig.services), lambda: frozenset({address}), rig.telemetry)
    await doors.follow()
    await doors.follow()
    assert len(_said(rig, "signals.deaf")) == 1
    taken.close()
    doors._config.load()
    await doors.follow()
    assert _said(rig, "signals.listening") == [f"127.0.0.1:{address[1]}"]
    doors._close(address)


async def test_strangers_do_not_stay(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are few, and each ends in time whatever the other side does."""
    monkeypatch.setattr(listener, "PATIENCE", 0.2)
    monkeypatch.setattr(listener, "MOST", 2)
    address = ("127.0.0.1", free_port())
    doors = DoorListener(build_doors(rig.services), lambda: frozenset({address}), rig.telemetry)
    task = asyncio.create_task(doors.run(Bell()))
    await until(lambda: bool(_said(rig, "signals.listening")))
    try:
        slow = [await asyncio.open_connection(*address) for _ in range(2)]
        await until(lambda: len(doors._state.connections) == 2)
        reader, writer = await asyncio.open_connection(*address)
        assert await _ends(reader)
        for one, _ in slow:
            assert await asyncio.wait_for(_ends(one), 5)
        assert await status(address) == 404
        for _, one in [*slow, (reader, writer)]:
            one.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _ends(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def _said(rig: Rig, event: str) -> list[str]:
    return [line["address"] for line in rig.telemetry.lines if line["event"] == event]
