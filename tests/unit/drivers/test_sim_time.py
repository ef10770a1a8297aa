"""Virtual time: it jumps, it is ordered, it notices standstill, and randomness follows from the seed."""

from __future__ import annotations

import asyncio
import time

import pytest

from terrace.drivers.sim import loop as virtual
from terrace.drivers.sim.clock import START, SimClock, SimEntropy
from terrace.drivers.sim.loop import StalledError, VirtualLoop, run_virtual


def test_an_hour_costs_no_time() -> None:
    clock = SimClock()

    async def main() -> float:
        await clock.sleep(3600)
        return clock.now()

    before = time.process_time()
    assert run_virtual(main()) == START + 3600
    assert time.process_time() - before < 5


def test_timers_fire_in_the_order_of_their_times() -> None:
    fired: list[int] = []

    async def at(seconds: int) -> None:
        await asyncio.sleep(seconds)
        fired.append(seconds)

    async def main() -> None:
        await asyncio.gather(*(at(seconds) for seconds in (3, 1, 2)))

    run_virtual(main())
    assert fired == [1, 2, 3]


def test_a_timeout_is_virtual_too() -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 30)

    run_virtual(main())


def test_waiting_for_what_never_comes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "REAL_PATIENCE", 0.0)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StalledError):
        run_virtual(main())


def test_spinning_without_time_passing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "TURNS_PER_INSTANT", 100)

    async def main() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(StalledError):
        run_virtual(main())


def test_every_turn_can_be_struck() -> None:
    seen: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.on_turn = seen.append
        for _ in range(5):
            await asyncio.sleep(0)
        loop.on_turn = None

    run_virtual(main())
    assert len(seen) >= 5
    assert seen == sorted(set(seen))


def test_entropy_follows_from_the_seed() -> None:
    one, same, other = SimEntropy(1), SimEntropy(1), SimEntropy(2)
    first = (one.uid(), one.random(), one.bytes(8))
    assert first == (same.uid(), same.random(), same.bytes(8))
    assert first != (other.uid(), other.random(), other.bytes(8))
    assert len(first[0]) == 20
    assert one.uid() != first[0]
