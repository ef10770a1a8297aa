"""Requests that may be repeated, in PostgreSQL: two servers get one at once, and it dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Response

from terrace.api.edge.repeats import Repeats
from terrace.api.problems import install
from terrace.stores.postgres import Address, PostgresStore, transaction
from terrace.stores.relational.requests import RelationalRequests
from tests.contracts.requests_contract import CASES, Place
from tests.contracts.store.samples import FlippedSecrets, a_generation, a_stack
from tests.real.postgres.rig import Server
from tests.real.postgres.test_trouble import lose_the_end
from tests.unit.api.rig import Lines

SOON = 10.0
"""Seconds after the database is back within which a repetition is answered: the claim alone lasts for 30."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_requests(store: PostgresStore, clock: Any, case: Any) -> None:
    await case(Place(store.database, FlippedSecrets()), clock)


async def test_of_many_at_once_one_carries_it_out(store: PostgresStore) -> None:
    requests = RelationalRequests(store.database, FlippedSecrets())
    found = await asyncio.gather(*(requests.begin("ann", "k", "d") for _ in range(20)))
    assert found.count(None) == 1


class Office:
    """An app that writes a generation for each request. `before` and `after` that, something may happen."""

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self.before: Callable[[], object] = lambda: None
        self.after: Callable[[], object] = lambda: None
        app = FastAPI()
        app.add_api_route("/ask", self.ask, methods=["POST"])
        requests = RelationalRequests(store.database, FlippedSecrets())
        app.add_middleware(Repeats, requests=requests, telemetry=Lines())
        install(app, Lines())

        async def owned(scope: Any, receive: Any, send: Any) -> None:
            scope["terrace.owner"] = True
            await app(scope, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(owned), base_url="http://terrace")

    async def ask(self) -> Response:
        self.before()
        saved = await self.store.save_generation(a_stack(), a_generation(), None)
        self.after()
        return Response(f"{saved.generation}", 201)

    async def post(self) -> httpx.Response:
        return await self.http.post("/ask", headers={"Idempotency-Key": "k"}, timeout=None)

    async def answered(self) -> httpx.Response:
        """What a client gets in the end who asks again as it is told to."""
        async with asyncio.timeout(SOON):
            while True:
                answer = await self.post()
                if answer.status_code < 500 and not answer.headers.get("Retry-After"):
                    return answer

    async def generations(self) -> int:
        return len(await self.store.generations("default-shop"))


@pytest.fixture
async def office(url: str) -> AsyncIterator[Office]:
    store = PostgresStore(Address(url), FlippedSecrets(), patience=1.0)
    await store.open()
    yield Office(store)
    await store.close()


def back(server: Server) -> None:
    """The database is there again."""
    server.script("start")
    server.admin = psycopg.connect(server.url, autocommit=True)


async def test_one_that_the_database_died_under_is_carried_out_when_it_is_back(
    office: Office, server: Server
) -> None:
    def crash() -> None:
        office.before = lambda: None
        server.script("crash")

    office.before = crash
    try:
        assert (await office.post()).status_code == 503
    finally:
        back(server)
    answer = await office.answered()
    assert (answer.status_code, answer.text, await office.generations()) == (201, "1", 1)


async def test_one_that_was_carried_out_before_the_database_died_keeps_its_answer(
    office: Office, server: Server
) -> None:
    def crash() -> None:
        server.script("crash")

    office.after = crash
    try:
        answer = await office.post()
        assert (answer.status_code, answer.text) == (201, "1")
    finally:
        back(server)
    answer = await office.answered()
    assert (answer.status_code, answer.text, await office.generations()) == (201, "1", 1)
    assert answer.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("committed", [True, False])
async def test_one_of_which_nobody_knows_whether_it_was_written_is_not_carried_out_twice(
    office: Office, server: Server, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(transaction, "DOUBT", 0.0)
    once = [lambda: lose_the_end(monkeypatch, server, committed)]
    office.before = lambda: [one() for one in once]
    assert (await office.post()).status_code == 503
    once.clear()
    monkeypatch.setattr(transaction, "DOUBT", 10.0)
    answer = await office.answered()
    if committed:
        assert (answer.status_code, answer.json()["code"]) == (409, "answer-lost")
    else:
        assert (answer.status_code, answer.text) == (201, "1")
    assert await office.generations() == 1
