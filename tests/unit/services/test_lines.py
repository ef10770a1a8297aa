"""Chunks of bytes become whole lines, merged by time or as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from terrace.errors import TransientError
from terrace.ports.driver import Chunk
from terrace.services.guests import LINE, Line, _by_time, _lines, _together


async def chunks(*items: Chunk) -> AsyncIterator[Chunk]:
    for item in items:
        yield item


async def texts(lines: AsyncIterator[Line]) -> list[str]:
    return [line.text async for line in lines]


async def test_lines_are_whole_however_they_come() -> None:
    source = chunks(Chunk(b"a"), Chunk(b"b\r\nc"), Chunk(b"\xff\n", "stderr"), Chunk(b"d\n\ne"))
    found = [(line.stream, line.text) async for line in _lines("web", source)]
    assert found == [
        ("stdout", "ab"),
        ("stderr", "\ufffd"),
        ("stdout", "cd"),
        ("stdout", ""),
        ("stdout", "e"),
    ]


async def test_a_line_without_an_end_is_cut() -> None:
    found = await texts(_lines("web", chunks(*[Chunk(b"x" * 1000)] * 200)))
    assert len(found) > 1
    assert max(map(len, found)) <= LINE + 1000
    assert sum(map(len, found)) == 200_000


async def test_by_time_and_in_order_within_each() -> None:
    one = _lines("a", chunks(Chunk(b"a1\n", at=1), Chunk(b"a4\n", at=4)))
    two = _lines("b", chunks(Chunk(b"b2\n", at=2), Chunk(b"b3\n", at=3), Chunk(b"b9\n", at=9)))
    assert await texts(_by_time([one, two])) == ["a1", "b2", "b3", "a4", "b9"]


async def test_together_until_all_have_ended() -> None:
    streams = [_lines(name, chunks(*[Chunk(b"%d\n" % n) for n in range(2000)])) for name in "ab"]
    found = [line async for line in _together(streams)]
    assert len(found) == 4000
    assert [line.text for line in found if line.path == "a"] == [str(n) for n in range(2000)]


async def test_together_tells_what_went_wrong() -> None:
    async def broken() -> AsyncIterator[Chunk]:
        yield Chunk(b"a\n")
        raise TransientError("the engine is gone")

    with pytest.raises(TransientError):
        await texts(_together([_lines("a", broken())]))
