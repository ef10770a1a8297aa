"""Requests that are sent again, and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from terrace.api.documents import BodyLimit
from terrace.api.edge import repeats
from terrace.api.edge.repeats import Repeats
from terrace.api.problems import install
from terrace.errors import TransientError
from terrace.ports.audit import Entry
from terrace.ports.edge.requests import CLAIM, Answer, Claim, Earlier
from terrace.runtime.system import SystemClock
from terrace.stores.relational.audit import RelationalAudit
from terrace.stores.relational.database import Database
from terrace.stores.relational.requests import RelationalRequests
from terrace.stores.sealing import KeyFile
from terrace.stores.sqlite import SqliteStore
from tests.unit.api.rig import Lines


class Away(RelationalRequests):
    """The database goes away whenever an app has done its work, or before it begins."""

    begins = ends = False

    def __init__(self, database: Database, secrets: KeyFile) -> None:
        super().__init__(database, secrets)
        self.renewed = asyncio.Event()

    async def renew(self, claim: Claim) -> None:
        await super().renew(claim)
        self.renewed.set()

    async def begin(self, actor: str, name: str, digest: str) -> Earlier | None:
        found = await super().begin(actor, name, digest)
        if self.begins:
            raise TransientError("it went away")
        return found

    async def finish(self, claim: Claim, answer: Answer) -> None:
        if self.ends:
            raise TransientError("it is away")
        await super().finish(claim, answer)

    async def release(self, claim: Claim, *, refused: bool = False) -> None:
        if self.ends:
            raise TransientError("it is away")
        await super().release(claim, refused=refused)


class Shop:
    """An app that counts what it sells."""

    def __init__(self, store: SqliteStore, secrets: KeyFile) -> None:
        self.store = store
        self.requests = Away(store.database, secrets)
        self.sold = 0
        self.hold = asyncio.Event()
        self.hold.set()
        app = FastAPI()
        app.add_api_route("/sell", self.sell, methods=["POST"])
        app.add_api_route("/refuse", self.refuse, methods=["POST"])
        app.add_api_route("/stream", self.stream, methods=["POST"])
        app.add_api_route("/break", self.break_off, methods=["POST"])
        app.add_middleware(Repeats, requests=self.requests, telemetry=Lines())
        app.add_middleware(BodyLimit, limit=1000)
        install(app, Lines())

        async def owned(scope: Any, receive: Any, send: Any) -> None:
            scope["terrace.owner"] = True
            await app(scope, receive, send)

        transport = httpx.ASGITransport(owned, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://terrace")

    async def sell(self, request: Request) -> Response:
        await self.hold.wait()
        self.sold += 1
        return Response(b"%d %s" % (self.sold, await request.body()), 201, {"ETag": '"7"'}, "text/x")

    async def refuse(self) -> Response:
        self.sold += 1
        return Response(b"no", 409)

    async def break_off(self) -> Response:
        """Something is written, and then all goes wrong."""
        self.sold += 1
        await self.store.database.write(lambda writer: None, synced=True)
        return Response(b"oh", 503)

    async def stream(self) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            self.sold += 1
            yield b"%d" % self.sold
            yield b"!"

        return StreamingResponse(pieces())

    async def post(self, path: str, key: str | None = "k", body: bytes = b"one") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await self.http.post(path, content=body, headers=headers)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    secrets = KeyFile(tmp_path / "key")
    store = SqliteStore(tmp_path / "terrace.db", secrets, SystemClock())
    await store.open()
    yield Shop(store, secrets)
    await store.close()


async def test_the_second_gets_the_answer_of_the_first(shop: Shop) -> None:
    first, second = await shop.post("/sell"), await shop.post("/sell")
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, b"1 one")
    for header in ("etag", "content-type"):
        assert first.headers[header] == second.headers[header]
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (
        False,
        "true",
    )
    assert (await shop.post("/sell", "another")).content == b"2 one"
    assert (await shop.post("/sell", None)).content == b"3 one"
    assert (await shop.post("/sell", None)).content == b"4 one"


async def test_a_key_is_for_one_request_alone(shop: Shop) -> None:
    await shop.post("/sell")
    for path, body in (("/sell", b"two"), ("/sell?a=1", b"one"), ("/refuse", b"one")):
        answer = await shop.post(path, body=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "key-reused")
    assert shop.sold == 1
    answer = await shop.post("/sell", "spaces are odd")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


async def test_a_repetition_waits_for_the_first(shop: Shop) -> None:
    shop.hold.clear()
    both = asyncio.gather(shop.post("/sell"), shop.post("/sell"))
    await asyncio.sleep(0)
    shop.hold.set()
    assert [answer.content for answer in await both] == [b"1 one", b"1 one"]


async def test_an_answer_that_refuses_does_not_use_the_key_up(shop: Shop) -> None:
    assert (await shop.post("/refuse")).status_code == 409
    assert (await shop.post("/refuse")).status_code == 409
    assert shop.sold == 2
    assert (await shop.post("/sell")).status_code == 201


async def test_a_stream_is_passed_on_and_not_kept(shop: Shop) -> None:
    assert [(await shop.post("/stream")).content for _ in range(2)] == [b"1!", b"2!"]


async def test_a_body_that_is_too_large_is_refused_all_the_same(shop: Shop) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    for content in (b"x" * 2000, endless()):
        answer = await shop.http.post("/sell", content=content, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert shop.sold == 0


async def test_an_answer_that_cannot_be_kept_yet_is_kept_as_soon_as_it_can(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "LATE", 0.0)
    monkeypatch.setattr(repeats, "PAUSE", 0.0)
    shop.requests.ends = True
    assert (await shop.post("/sell")).content == b"1 one"
    answer = await shop.post("/sell")
    assert (answer.status_code, answer.json()["code"]) == (409, "request-under-way")
    assert (await shop.post("/sell", body=b"two")).json()["code"] == "key-reused"
    monkeypatch.setattr(repeats, "LATE", 10.0)
    waiting = asyncio.create_task(shop.post("/sell"))
    await asyncio.sleep(0)
    shop.requests.ends = False
    answer = await waiting
    assert (answer.content, answer.headers["idempotency-replayed"]) == (b"1 one", "true")
    assert shop.sold == 1


async def test_one_that_takes_long_says_that_it_is_still_being_carried_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "RENEWAL", 0.0)
    shop.hold.clear()
    selling = asyncio.create_task(shop.post("/sell"))
    async with asyncio.timeout(10):
        await shop.requests.renewed.wait()
    shop.hold.set()
    assert (await selling).content == b"1 one"


async def test_what_was_never_begun_is_free_as_soon_as_the_database_is_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "PAUSE", 0.0)
    shop.requests.begins = shop.requests.ends = True
    assert (await shop.post("/sell")).status_code == 503
    shop.requests.begins = shop.requests.ends = False
    assert (await shop.post("/sell")).content == b"1 one"


async def test_what_wrote_something_before_it_broke_off_is_not_carried_out_again(shop: Shop) -> None:
    assert (await shop.post("/break")).status_code == 503
    answer = await shop.post("/break")
    assert (answer.status_code, answer.json()["code"]) == (409, "answer-lost")
    assert shop.sold == 1
    assert (await shop.post("/break", "another")).status_code == 503
    assert shop.sold == 2


async def test_a_request_says_what_it_is_about_before_it_is_carried_out(shop: Shop) -> None:
    """The row of the audit log is no part of carrying it out."""
    audit = RelationalAudit(shop.store.database, lambda data: data.hex())
    claim = shop.requests.claim("root", "k", "d")
    assert await shop.requests.begin("root", "k", "d") is None
    claim.carrier, before = asyncio.current_task(), CLAIM.set(claim)
    await audit.append([Entry("root", "write", "allowed")], synced=True)
    CLAIM.reset(before)
    await shop.requests.release(claim)
    assert await shop.requests.begin("root", "k", "d") is None
