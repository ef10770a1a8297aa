"""ports.requests.Requests, over any database: what holds of each implementation."""

from __future__ import annotations

from typing import Protocol

from terrace.ports.edge.requests import CLAIM, KEPT, Answer, Earlier, Requests

DONE = Answer(201, (("etag", '"1"'), ("content-type", "application/json")), b'{"token":"trc_shown_once"}')


class Hands(Protocol):
    """A clock that is set by hand."""

    time: float


async def a_name_is_carried_out_once(requests: Requests, clock: Hands) -> None:
    """Until it is finished nobody else has it; then its answer is there for a day, for whoever asked."""
    assert await requests.begin("ann", "k1", "d1") is None
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", None)
    assert await requests.begin("bob", "k1", "other") is None
    assert await requests.begin("ann", "k2", "d2") is None
    await requests.finish("ann", "k1", DONE)
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", DONE)
    assert await requests.begin("ann", "k1", "dx") == Earlier("d1", DONE)
    clock.time += CLAIM + 1
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", DONE)
    clock.time += KEPT
    assert await requests.begin("ann", "k1", "another day") is None


async def what_nobody_finishes_is_free_again(requests: Requests, clock: Hands) -> None:
    """Released, left by a server that is gone, or given up by the only one there is."""
    assert await requests.begin("ann", "k1", "d1") is None
    await requests.release("ann", "k1")
    assert await requests.begin("ann", "k1", "d2") is None
    clock.time += CLAIM - 1
    assert await requests.begin("ann", "k1", "d2") is not None
    clock.time += 2
    assert await requests.begin("ann", "k1", "d2") is None
    await requests.abandon()
    assert await requests.begin("ann", "k1", "d2") is None
    await requests.finish("ann", "k1", DONE)
    await requests.release("ann", "k1")  # too late: the answer stays
    await requests.abandon()
    assert await requests.begin("ann", "k1", "d2") == Earlier("d2", DONE)


async def what_is_old_is_forgotten(requests: Requests, clock: Hands) -> None:
    """Only that."""
    assert await requests.begin("ann", "old", "d1") is None
    await requests.finish("ann", "old", DONE)
    clock.time += KEPT - 10
    assert await requests.begin("ann", "new", "d1") is None
    await requests.finish("ann", "new", DONE)
    await requests.prune()
    assert await requests.begin("ann", "old", "d1") is not None
    clock.time += 20
    await requests.prune()
    assert await requests.begin("ann", "old", "d1") is None
    assert await requests.begin("ann", "new", "d1") is not None


CASES = (a_name_is_carried_out_once, what_nobody_finishes_is_free_again, what_is_old_is_forgotten)
