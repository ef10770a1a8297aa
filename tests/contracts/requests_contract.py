"""ports.requests.Requests, over any database: what holds of each implementation."""

from __future__ import annotations

import asyncio
from typing import Protocol

import pytest

from terrace.errors import ConflictError
from terrace.ports.edge.requests import CLAIM, CLAIMED, KEPT, Answer, Claim, Earlier, Requests
from terrace.ports.secrets import Secrets
from terrace.stores.relational.database import Database
from terrace.stores.relational.requests import RelationalRequests

DONE = Answer(201, (("etag", '"1"'), ("content-type", "application/json")), b'{"token":"trc_shown_once"}')


class Hands(Protocol):
    """A clock that is set by hand."""

    time: float


class Place:
    """A database: what servers make of it, and something that one writes there for a request."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    def requests(self) -> Requests:
        """As another server has them."""
        return RelationalRequests(self._database, self._secrets)

    async def write(self, claim: Claim) -> None:
        """Something is written while that is carried out."""
        claim.carrier, before = asyncio.current_task(), CLAIM.set(claim)
        try:
            await self._database.write(lambda writer: None, synced=True)
        finally:
            CLAIM.reset(before)


async def a_name_is_carried_out_once(place: Place, clock: Hands) -> None:
    """Until it is finished nobody else has it; then its answer is there for a day, for whoever asked."""
    requests = place.requests()
    assert await requests.begin("ann", "k1", "d1") is None
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", None)
    assert await requests.begin("bob", "k1", "other") is None
    assert await requests.begin("ann", "k2", "d2") is None
    await requests.finish(requests.claim("ann", "k1", "d1"), DONE)
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", DONE)
    assert await requests.begin("ann", "k1", "dx") == Earlier("d1", DONE)
    clock.time += CLAIMED + 1
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", DONE)
    clock.time += KEPT
    assert await requests.begin("ann", "k1", "another day") is None


async def what_nobody_finishes_is_free_again(place: Place, clock: Hands) -> None:
    """Released, left by a server that is gone, or given up by the only one there is."""
    requests = place.requests()
    assert await requests.begin("ann", "k1", "d1") is None
    await requests.release(requests.claim("ann", "k1", "another"))  # not what it is taken for
    assert await requests.begin("ann", "k1", "d1") == Earlier("d1", None)
    await requests.release(requests.claim("ann", "k1", "d1"))
    assert await requests.begin("ann", "k1", "d2") is None
    clock.time += CLAIMED - 1
    assert await requests.begin("ann", "k1", "d2") is not None
    clock.time += 2
    assert await requests.begin("ann", "k1", "d2") is None
    await requests.abandon()
    assert await requests.begin("ann", "k1", "d2") is None
    await requests.finish(requests.claim("ann", "k1", "d2"), DONE)
    await requests.release(requests.claim("ann", "k1", "d2"), refused=True)  # too late: the answer stays
    await requests.abandon()
    assert await requests.begin("ann", "k1", "d2") == Earlier("d2", DONE)


async def what_is_old_is_forgotten(place: Place, clock: Hands) -> None:
    """Only that."""
    requests = place.requests()
    assert await requests.begin("ann", "old", "d1") is None
    await requests.finish(requests.claim("ann", "old", "d1"), DONE)
    clock.time += KEPT - 10
    assert await requests.begin("ann", "new", "d1") is None
    await requests.finish(requests.claim("ann", "new", "d1"), DONE)
    await requests.prune()
    assert await requests.begin("ann", "old", "d1") is not None
    clock.time += 20
    await requests.prune()
    assert await requests.begin("ann", "old", "d1") is None
    assert await requests.begin("ann", "new", "d1") is not None


async def what_was_written_for_is_never_carried_out_again(place: Place, clock: Hands) -> None:
    """Whoever was lost meanwhile, and however long ago. Its answer may come late."""
    one, other = place.requests(), place.requests()
    claim = one.claim("ann", "k", "d")
    assert await one.begin("ann", "k", "d") is None
    await place.write(claim)
    assert await other.begin("ann", "k", "d") == Earlier("d", None)
    clock.time += CLAIMED + 1
    assert await other.begin("ann", "k", "d") == Earlier("d", None, lost=True)
    await one.release(claim)
    assert await one.begin("ann", "k", "d") == Earlier("d", None, lost=True)
    await one.finish(claim, DONE)
    assert await other.begin("ann", "k", "d") == Earlier("d", DONE)
    refused = one.claim("ann", "another", "d")
    assert await one.begin("ann", "another", "d") is None
    await place.write(refused)
    await one.release(refused, refused=True)
    assert await other.begin("ann", "another", "d") is None


async def who_was_silent_for_too_long_writes_nothing(place: Place, clock: Hands) -> None:
    """Another server carries it out by then."""
    one, other = place.requests(), place.requests()
    late, claim = one.claim("ann", "k", "d"), other.claim("ann", "k", "d")
    assert await one.begin("ann", "k", "d") is None
    clock.time += CLAIMED + 1
    assert await other.begin("ann", "k", "d") is None
    with pytest.raises(ConflictError) as caught:
        await place.write(late)
    assert caught.value.code == "request-under-way"
    await place.write(claim)
    await one.finish(late, Answer(500, (), b""))
    await one.release(late, refused=True)
    await other.finish(claim, DONE)
    assert await one.begin("ann", "k", "d") == Earlier("d", DONE)


async def what_takes_long_stays_with_who_does_it(place: Place, clock: Hands) -> None:
    """It says so from time to time; nobody else carries it out meanwhile, or takes its answer for lost."""
    one, other = place.requests(), place.requests()
    claim = one.claim("ann", "k", "d")
    assert await one.begin("ann", "k", "d") is None
    for _ in range(3):
        clock.time += CLAIMED - 1
        await one.renew(claim)
        assert await other.begin("ann", "k", "d") == Earlier("d", None)
    await place.write(claim)
    clock.time += CLAIMED - 1
    await one.renew(claim)
    clock.time += CLAIMED - 1
    assert await other.begin("ann", "k", "d") == Earlier("d", None)


async def who_begins_alone_knows_that_nobody_finishes(place: Place, clock: Hands) -> None:
    """What nothing was written for is free, the rest is lost."""
    before = place.requests()
    for name in ("written", "not"):
        assert await before.begin("ann", name, "d") is None
    await place.write(before.claim("ann", "written", "d"))
    requests = place.requests()
    await requests.abandon()
    assert await requests.begin("ann", "written", "d") == Earlier("d", None, lost=True)
    assert await requests.begin("ann", "not", "d") is None


CASES = (
    a_name_is_carried_out_once,
    what_nobody_finishes_is_free_again,
    what_is_old_is_forgotten,
    what_was_written_for_is_never_carried_out_again,
    who_was_silent_for_too_long_writes_nothing,
    what_takes_long_stays_with_who_does_it,
    who_begins_alone_knows_that_nobody_finishes,
)
