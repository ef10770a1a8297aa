"""What is asked one by one and answered many at a time."""

from __future__ import annotations

import asyncio

import pytest

from terrace.errors import TransientError
from terrace.stores.relational.store import Together


async def test_those_who_come_meanwhile_share_the_next_answer() -> None:
    batches: list[list[int]] = []
    gate = asyncio.Event()

    async def double(asked: list[int]) -> list[int]:
        batches.append(asked)
        await gate.wait()
        return [one * 2 for one in asked]

    together = Together(double)
    first = asyncio.create_task(together.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(together.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    others[1].cancel()
    gate.set()
    assert await first == 2
    assert await others[0] == 4
    assert await others[2] == 8
    assert others[1].cancelled()
    assert batches == [[1], [2, 3, 4]]
    assert await together.ask(5) == 10


async def test_who_fails_fails_alone_with_his_batch() -> None:
    async def fail_once(asked: list[int]) -> list[int]:
        if 1 in asked:
            raise TransientError("not now")
        return asked

    together = Together(fail_once)
    with pytest.raises(TransientError):
        await together.ask(1)
    assert await together.ask(2) == 2
