"""The answer to a request that is repeated is for whoever sent it first, and for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from terrace.api.callers import CALLER, owner
from terrace.api.edge.repeats import Repeats
from terrace.runtime.system import SystemClock
from terrace.services.gate import Actor
from terrace.stores.relational.requests import RelationalRequests
from terrace.stores.sealing import KeyFile
from terrace.stores.sqlite import SqliteStore
from tests.unit.api.rig import Lines


class Counting:
    """An app that gives each who asks a number."""

    def __init__(self, requests: RelationalRequests) -> None:
        self._repeats = Repeats(self._app, requests, Lines())
        self._given = 0

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self._given += 1
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b"secret %d" % self._given})

    async def ask(self, actor: Actor, key: str = "k") -> str:
        """What `actor` is answered."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self._repeats({**scope, CALLER: actor}, receive, send)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            return (await client.post("/v1/tokens", headers={"Idempotency-Key": key})).text


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[Counting]:
    secrets = KeyFile(tmp_path / "key")
    store = SqliteStore(tmp_path / "terrace.db", secrets, SystemClock())
    await store.open()
    yield Counting(RelationalRequests(store.database, secrets))
    await store.close()


async def test_nobody_gets_the_answer_that_another_was_given(counting: Counting) -> None:
    ada, bob = Actor("ada", user="1"), Actor("bob", user="2")
    assert [await counting.ask(one) for one in (ada, bob, ada, bob)] == ["secret 1", "secret 2"] * 2


async def test_a_user_with_the_owners_name_is_not_the_owner(counting: Counting) -> None:
    namesake = Actor(owner().name, user="3")
    assert [await counting.ask(one) for one in (owner(), namesake, owner())] == [
        "secret 1", "secret 2", "secret 1"
    ]  # fmt: skip
