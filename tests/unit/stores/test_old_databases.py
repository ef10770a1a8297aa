"""A database of every earlier schema is brought up to date, and what it held is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.contracts.store.old import OLD, judge
from tests.contracts.store.samples import FlippedSecrets, HandClock

from terrace.stores.queries import migrations
from terrace.stores.sqlite import SqliteStore


@pytest.mark.parametrize("file", OLD, ids=lambda file: file.stem)
async def test_an_old_database_keeps_what_it_held(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "terrace.db"
    with sqlite3.connect(path) as plain:
        plain.executescript(file.read_text(encoding="utf-8"))
        assert plain.execute("SELECT version FROM schema_version").fetchone() == (int(file.stem),)
    plain.close()
    store = SqliteStore(path, FlippedSecrets(), HandClock())
    await store.open()
    try:
        await judge(store, int(file.stem))
        newest = migrations()[-1][0]
        assert await store.database.rows("SELECT version FROM schema_version") == [(newest,)]
    finally:
        await store.close()
