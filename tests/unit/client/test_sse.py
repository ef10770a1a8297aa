"""Event streams: whole events only, none lost and none twice when the connection breaks."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrace.client import ApiError, Client, UnreachableError
from terrace.client.sse import parse
from tests.unit.client.fake_server import Answer, frames, problem

EVENTS = "/v1/projects/default/stacks/shop/events"


def event(number: int) -> dict[str, object]:
    return {"number": number, "kind": "resource.ready", "message": f"line\nbreak {number}"}


@given(st.lists(st.integers(1, 400), max_size=12))
def test_events_come_out_whole_however_the_bytes_are_cut(cuts: list[int]) -> None:
    data = b": hello\r\n\r\n" + frames(event(1), event(2)) + b": still here\n\n" + frames(event(3))
    points = sorted({min(cut, len(data)) for cut in cuts})
    rest, found = b"", []
    for begin, end in zip([0, *points], [*points, len(data)], strict=True):
        batch, rest = parse(rest + data[begin:end])
        found += batch
    assert found == [event(1), event(2), event(3)]
    assert rest == b""


def test_it_goes_on_after_the_last_event_when_the_connection_breaks(serve) -> None:
    hold = threading.Event()
    server = serve(
        {
            f"GET {EVENTS}": [
                Answer(pieces=(frames(event(7), event(8)), b"id: 9\nda"), cut=True),
                Answer(pieces=(b": hello\n\n", frames(event(9))), wait_for=hold),
            ]
        }
    )
    with Client(server.address) as client:
        watch = client.streams.watch("shop", after=6)
        numbers: list[int] = []
        for batch in watch.batches(0.05):
            numbers += [item["number"] for item in batch]
            if len(numbers) == 3:
                break
        watch.close()
        hold.set()
    assert numbers == [7, 8, 9]
    assert [request.headers["last-event-id"] for request in server.requests] == ["6", "8"]


def test_silence_is_an_empty_batch(serve) -> None:
    hold = threading.Event()
    server = serve({f"GET {EVENTS}": Answer(pieces=(b": hello\n\n",), wait_for=hold)})
    with Client(server.address) as client:
        watch = client.streams.watch("shop")
        assert next(watch.batches(0.01)) == []
        watch.close()
        hold.set()
    assert "last-event-id" not in server.requests[0].headers


def test_a_refusal_is_raised_where_the_watch_is_opened(serve) -> None:
    server = serve({f"GET {EVENTS}": problem(404, "not-found", "no such stack")})
    with Client(server.address) as client, pytest.raises(ApiError, match="no such stack"):
        client.streams.watch("shop")


def test_a_refusal_after_a_break_ends_the_watch(serve) -> None:
    first = Answer(pieces=(frames(event(1)),), cut=True)
    server = serve({f"GET {EVENTS}": [first, problem(404, "not-found", "gone")]})
    with Client(server.address) as client:
        batches = client.streams.watch("shop", after=0).batches(5)
        assert next(batches) == [event(1)]
        with pytest.raises(ApiError, match="gone"):
            next(batches)


def test_a_server_that_stays_away_ends_the_watch(serve) -> None:
    server = serve({f"GET {EVENTS}": Answer(pieces=(frames(event(1)),), cut=True)})
    with Client(server.address) as client:
        watch = client.streams.watch("shop", after=0)
        watch._patience = 0.1
        server.close()
        with pytest.raises(UnreachableError):
            for _ in watch.batches(5):
                pass
