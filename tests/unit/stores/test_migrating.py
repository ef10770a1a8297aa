"""Migrations only add, and servers of neighbouring versions use one database side by side."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from tests.contracts.store.samples import FlippedSecrets, HandClock, Worker, a_record, paths

from terrace.errors import ConflictError
from terrace.stores import migrating
from terrace.stores.migrating import Step, check_version, steps
from terrace.stores.queries import migrations
from terrace.stores.sqlite import SqliteStore
from terrace.stores.sqlite import migrating as sqlite_migrating

ADDS = re.compile(
    r"CREATE TABLE |CREATE INDEX |INSERT INTO |ALTER TABLE \w+ ADD COLUMN \w+ [A-Z ]+?(?P<made> NOT NULL DEFAULT .*)?$"
)
COLOUR = "ALTER TABLE records ADD COLUMN colour TEXT NOT NULL DEFAULT ''"
BEFORE_THE_RULE = {2}
"""0002 drops a table that nothing ever read or wrote."""


def test_each_number_is_there_once() -> None:
    numbers = [number for number, *_ in migrations()]
    assert numbers == sorted(set(numbers))
    assert numbers[:3] == [1, 2, 3]
    assert all(statements for *_, statements in migrations())


def test_a_migration_only_adds_or_says_so() -> None:
    for number, compatible_from, statements in migrations():
        if number not in BEFORE_THE_RULE and not compatible_from:
            for statement in statements:
                assert ADDS.match(statement), f"{number:04d}: {statement}"


@pytest.mark.parametrize(
    ("present", "declared", "refused"), [(9, "", False), (9, "0005", False), (9, "0006", True)]
)
def test_only_a_database_that_says_so_is_refused(present: int, declared: str, refused: bool) -> None:
    known = [Step(number, []) for number in range(1, 6)]
    if not refused:
        check_version("there", present, known, declared)
        return
    with pytest.raises(ConflictError, match=r"schema 9, of which servers must know 6; this one knows 5"):
        check_version("there", present, known, declared)


def test_what_a_migration_says_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "migrations", lambda: [(1, 0, ["A"]), (2, 2, ["B"])])
    first, second = steps()
    assert first.statements == ["A"]
    assert second.statements[0] == "B"
    assert "('compatible_from', '0002')" in second.statements[1]


async def test_a_server_goes_on_beside_the_next_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as one file shows it: what the newer version made is no trouble to the older, and outlives it."""
    path, known = tmp_path / "terrace.db", steps()
    newest = known[-1].number
    newer = [
        *known,
        Step(newest + 1, ["CREATE TABLE extra (a BIGINT)", COLOUR]),
    ]
    for these in (newer, known, newer):
        monkeypatch.setattr(sqlite_migrating, "steps", lambda these=these: these)
        store = SqliteStore(path, FlippedSecrets(), HandClock())
        await store.open()
        worker = await Worker.of(store)
        assert await worker.write(a_record(f"by-{len(these)}-{worker.stack.generation}"))
        await store.release(worker.lease)
        await store.close()
    store = SqliteStore(path, FlippedSecrets(), HandClock())
    await store.open()
    assert len(await paths(store, worker.stack.id)) == 3
    await store.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT version FROM schema_version").fetchall() == [(newest + 1,)]
        assert plain.execute("SELECT DISTINCT colour FROM records").fetchall() == [("",)]
    plain.close()
