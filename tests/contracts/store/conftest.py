"""The stores that the suite runs over; each new one joins here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.store.samples import FlippedSecrets, HandClock

from terrace.ports.store import Store
from terrace.stores.memory import MemoryStore
from terrace.stores.sqlite import SqliteStore


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    made: Store
    if request.param == "memory":
        made = MemoryStore(FlippedSecrets(), clock)
    else:
        made = SqliteStore(tmp_path / "state" / "terrace.db", FlippedSecrets(), clock)
    await made.open()
    yield made
    await made.close()
