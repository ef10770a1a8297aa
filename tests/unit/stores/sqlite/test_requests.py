"""Requests that may be repeated, in SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.requests_contract import CASES, DONE, Place
from tests.contracts.store.samples import HandClock

from terrace.ports.edge.requests import Answer
from terrace.stores.relational.requests import RelationalRequests
from terrace.stores.sealing import KeyFile
from terrace.stores.sqlite import SqliteStore


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "terrace.db", KeyFile(tmp_path / "key"), clock)
    await made.open()
    yield made
    await made.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_requests(store: SqliteStore, clock: HandClock, tmp_path: Path, case: Any) -> None:
    await case(Place(store.database, KeyFile(tmp_path / "key")), clock)


async def test_an_answer_lies_sealed(store: SqliteStore, tmp_path: Path) -> None:
    requests = RelationalRequests(store.database, KeyFile(tmp_path / "key"))
    await requests.begin("ann", "k", "d")
    await requests.finish(requests.claim("ann", "k", "d"), DONE)
    await store.close()
    assert not [path for path in tmp_path.iterdir() if b"trc_shown_once" in path.read_bytes()]


async def test_one_whose_key_is_gone_is_as_if_it_had_never_been_asked(
    store: SqliteStore, tmp_path: Path
) -> None:
    requests = RelationalRequests(store.database, KeyFile(tmp_path / "key"))
    await requests.begin("ann", "k", "d")
    await requests.finish(requests.claim("ann", "k", "d"), Answer(200, (), b""))
    other = RelationalRequests(store.database, KeyFile(tmp_path / "another"))
    assert await other.begin("ann", "k", "another digest") is None
