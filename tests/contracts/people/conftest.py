from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import FlippedSecrets, HandClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "terrace.db", FlippedSecrets(), HandClock())
    await made.open()
    yield made
    await made.close()
