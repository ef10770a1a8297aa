"""Whoever follows gets every event once and in order, whatever others do."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.runtime.bell import Bell
from terrace.runtime.system import SystemClock
from terrace.services.watching import tail
from terrace.services.watching.tail import Tail


class Book:
    """A store that has events and nothing else."""

    def __init__(self) -> None:
        self.written: list[Event] = []
        self.bell = Bell()
        self.reads = 0

    def write(self, stack: str, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.written) + 1
            kind = ("stack.x", "resource.x")[number % 2]
            self.written.append(Event(kind, 0.0, stack=stack, number=number, project=f"of-{stack}"))
        self.bell.ring()

    def numbers(self, stack: str, after: int, only: EventFilter) -> list[int]:
        heard = (one for one in self.written if stack in ("", one.stack) and only.fits(one))
        return [one.number for one in heard if one.number > after]

    async def events(
        self,
        *,
        stack: str = "",
        after: int = 0,
        limit: int = 1000,
        newest: bool = False,
        only: EventFilter = EVERYTHING,
    ) -> list[Event]:
        self.reads += 1
        await asyncio.sleep(0)
        heard = (one for one in self.written if stack in ("", one.stack) and only.fits(one))
        found = [one for one in heard if one.number > after]
        await asyncio.sleep(0)
        return found[-limit:] if newest else found[:limit]


class Reading:
    """Somebody who follows, `slowly` or as fast as they can."""

    def __init__(
        self, of: Tail, stack: str, after: int, slowly: float = 0.0, only: EventFilter = EVERYTHING
    ) -> None:
        self.stack, self.after, self.only = stack, after, only
        self.seen: list[int] = []
        self._slowly = slowly
        self._batches = of.follow(stack, after, only)
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for batch in self._batches:
            self.seen += [one.number for one in batch]
            await asyncio.sleep(self._slowly)

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._batches.aclose()  # type: ignore[attr-defined]


async def until(true: Any) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("seed", range(4))
async def test_everybody_gets_everything_once_and_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "LAGGING", 20)
    monkeypatch.setattr(tail, "BATCH", 7)
    monkeypatch.setattr(tail, "MOMENT", 0.001)
    chance, book = random.Random(seed), Book()
    following = Tail(book, book.bell, SystemClock())  # type: ignore[arg-type]
    book.write("a", 5)
    here: list[Reading] = []
    for _ in range(300):
        match chance.randrange(6):
            case 0 if len(here) < 12:
                stack = chance.choice(["", "a", "a", "b"])
                after = chance.randrange(len(book.written) + 1)
                only = chance.choice([EVERYTHING, EventFilter("of-a"), EventFilter("of-b", "resource.")])
                here.append(Reading(following, stack, after, chance.choice([0.0, 0.0, 0.01]), only))
            case 1 if len(here) > 3:
                await here.pop(chance.randrange(len(here))).leave()
            case 2:
                await asyncio.sleep(0.002)
            case _:
                book.write(chance.choice("ab"), chance.randrange(1, 15))
    for one in here:
        await until(lambda one=one: one.seen == book.numbers(one.stack, one.after, one.only))
    following.close()
    async with asyncio.timeout(5):
        await asyncio.gather(*(one.task for one in here))
    assert following._reader is None


async def test_two_hundred_cost_as_many_reads_as_one() -> None:
    book = Book()
    following = Tail(book, book.bell, SystemClock())  # type: ignore[arg-type]
    people = [Reading(following, "a", 0) for _ in range(200)]
    book.write("a")
    await until(lambda: all(one.seen for one in people))
    before = book.reads
    book.write("a")
    await until(lambda: all(len(one.seen) == 2 for one in people))
    assert book.reads - before <= 4
    following.close()
    await asyncio.gather(*(one.task for one in people))


async def test_silence_is_a_heartbeat_and_another_process_is_heard_without_a_ring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "HEARTBEAT", 0.01)
    monkeypatch.setattr(tail, "LOOK", 0.02)
    book = Book()
    following = Tail(book, book.bell, SystemClock())  # type: ignore[arg-type]
    batches = following.follow("a", 0)
    assert await anext(batches) == ()
    book.written.append(Event(kind="x", at=0.0, stack="a", number=1))  # and nobody rings
    while not (batch := await anext(batches)):
        pass
    assert [one.number for one in batch] == [1]
    following.close()
    assert [one async for one in batches if one] == []
