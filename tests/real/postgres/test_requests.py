"""Requests that may be repeated, in PostgreSQL: also when two servers get the same one at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from terrace.stores.postgres import PostgresStore
from terrace.stores.relational.requests import RelationalRequests
from tests.contracts.requests_contract import CASES
from tests.contracts.store.samples import FlippedSecrets


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_requests(store: PostgresStore, clock: Any, case: Any) -> None:
    await case(RelationalRequests(store.database, FlippedSecrets()), clock)


async def test_of_many_at_once_one_carries_it_out(store: PostgresStore) -> None:
    requests = RelationalRequests(store.database, FlippedSecrets())
    found = await asyncio.gather(*(requests.begin("ann", "k", "d") for _ in range(20)))
    assert found.count(None) == 1
