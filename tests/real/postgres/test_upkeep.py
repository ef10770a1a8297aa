"""`terrace db` on PostgreSQL: migrations from every earlier schema, backups under load, and the move from SQLite."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from terrace.errors import ConflictError
from terrace.ports.store import Ruling
from terrace.stores.migrating import Step, steps
from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.postgres import migrating as postgres_migrating
from terrace.stores.postgres.migrating import migrate
from terrace.stores.upkeep import command
from terrace.stores.upkeep.backup import LEAP, backup, move, restore
from terrace.stores.upkeep.checking import check
from terrace.stores.upkeep.copying import sums
from terrace.stores.upkeep.ground import Keys, SqliteGround
from terrace.stores.upkeep.postgres import PostgresGround
from tests.contracts.store.old import OLD, judge
from tests.contracts.store.samples import (
    FlippedSecrets,
    HandClock,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
)

KEYS = Keys(FlippedSecrets, HandClock())


@pytest.fixture
def ground(url: str) -> PostgresGround:
    return PostgresGround(Address(url), KEYS)


@pytest.fixture
async def sqlite(tmp_path: Path) -> SqliteGround:
    """A SQLite database in which a good deal happened."""
    store = KEYS.store(tmp_path / "terrace.db")
    await store.open()
    worker = await Worker.of(store)
    records = [a_record(f"g/{n}", memory={"text": "ü\U0001f600" * n, "half": n / 3}) for n in range(2500)]
    await worker.write(*records, events=[an_event(message=f"ß {n}") for n in range(1500)])
    await store.rule([Ruling("local", "c1", "adopted", "u")])
    await store.close()
    return SqliteGround(tmp_path / "terrace.db", KEYS)


def of_old(text: str) -> list[str]:
    """The rows of a SQLite dump as PostgreSQL takes them, parents before children."""
    rows = re.findall(r'^INSERT INTO "?(?!schema_version)(\w+)"? VALUES\((.*)\);$', text, re.MULTILINE)
    rows.sort(key=lambda row: row[0] not in ("identity", "counters", "stacks"))
    blob = re.compile("X'([0-9A-F]*)'")
    given = [(table, blob.sub(r"'\\x\1'", values)) for table, values in rows]
    return [f"INSERT INTO {table} VALUES ({values})" for table, values in given]


@pytest.mark.parametrize("file", OLD, ids=lambda file: file.stem)
async def test_an_old_database_keeps_what_it_held(
    file: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = steps()
    monkeypatch.setattr(
        postgres_migrating, "steps", lambda: [one for one in known if one.number <= int(file.stem)]
    )
    with closing(psycopg.connect(url, autocommit=True)) as plain:
        migrate(plain, "there")
        for name in ("counters", "identity"):
            plain.execute(f"DELETE FROM {name}")
        for statement in of_old(file.read_text(encoding="utf-8")):
            plain.execute(statement.replace("%", "%%"))
        plain.execute("UPDATE leases SET expires = 0")
    monkeypatch.setattr(postgres_migrating, "steps", lambda: known)
    store = PostgresStore(Address(url), FlippedSecrets())
    await store.open()
    try:
        await judge(store, int(file.stem))
        assert await store.database.rows("SELECT version FROM schema_version") == [(known[-1].number,)]
    finally:
        await store.close()


async def test_servers_of_two_versions_side_by_side(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rolling upgrade: the next version's first server brings the database up while this version's works."""
    known = steps()
    older = PostgresStore(Address(url), FlippedSecrets())
    await older.open()
    worker = await Worker.of(older)
    added = [
        "CREATE TABLE extra (a BIGINT)",
        "ALTER TABLE records ADD COLUMN colour TEXT NOT NULL DEFAULT ''",
    ]
    newer = Step(known[-1].number + 1, added)
    monkeypatch.setattr(postgres_migrating, "steps", lambda: [*known, newer])
    stores = [PostgresStore(Address(url), FlippedSecrets()) for _ in range(2)]
    assert await worker.write(a_record("before"))
    writing = [asyncio.create_task(worker.write(a_record(f"during-{n}"))) for n in range(20)]
    await asyncio.gather(*(store.open() for store in stores))
    assert all(await asyncio.gather(*writing))
    assert await worker.write(a_record("after"))
    monkeypatch.setattr(postgres_migrating, "steps", lambda: known)
    again = PostgresStore(Address(url), FlippedSecrets())
    await again.open()
    assert len(await again.records(worker.stack.id)) == len(await stores[0].records(worker.stack.id)) == 22
    await stores[0].database.write(
        lambda writer: (
            writer.execute(
                "INSERT INTO identity (key, value) VALUES ('compatible_from', '9999')"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            )
            and None
        )
    )
    for store in (older, again, *stores):
        await store.close()
    with pytest.raises(ConflictError) as caught:
        await older.open()
    assert caught.value.code == "store-newer"


def test_a_migration_gives_way_to_who_works(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who has read one table and wants the other, while the migration has that one and wants this."""
    known = steps()
    added = [
        f"ALTER TABLE {name} ADD COLUMN colour TEXT NOT NULL DEFAULT ''" for name in ("records", "stacks")
    ]
    with psycopg.connect(url, autocommit=True) as ours, psycopg.connect(url) as other:
        migrate(ours, "there")
        monkeypatch.setattr(postgres_migrating, "steps", lambda: [*known, Step(known[-1].number + 1, added)])
        other.execute("SELECT * FROM stacks")
        migrating = threading.Thread(target=migrate, args=(ours, "there"))
        migrating.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
        while not other.execute(waits, (ours.info.backend_pid,)).fetchall():
            other.execute("SELECT pg_stat_clear_snapshot()")
        other.execute("SELECT * FROM records")
        other.commit()
        migrating.join(30)
        assert ours.execute("SELECT version FROM schema_version").fetchone() == (known[-1].number + 1,)


async def test_everything_moves(
    sqlite: SqliteGround, ground: PostgresGround, url: str, tmp_path: Path
) -> None:
    before = sums(sqlite3.connect(sqlite.place))
    lines = "\n".join((await command.run(["move", url], sqlite, KEYS, []))[1])
    assert re.search(r"records +2500  [0-9a-f]{16}", lines)
    assert f'url = "{url}"' in lines
    async with ground.beside() as database:
        assert await database.read(sums) == before
    report = await check(ground, KEYS)
    assert report.faults == []
    store, kept = PostgresStore(Address(url), FlippedSecrets()), KEYS.store(tmp_path / "terrace.db")
    await store.open()
    await kept.open()
    assert await store.installation() == await kept.installation()
    assert await store.records("default-shop") == await kept.records("default-shop")
    assert await store.events(limit=2000) == await kept.events(limit=2000)
    await kept.close()
    with pytest.raises(ConflictError, match="used by servers"):
        await move(sqlite, ground, KEYS)
    await store.close()
    with pytest.raises(ConflictError, match=r"not empty: there are .*records"):
        await move(sqlite, ground, KEYS)


async def test_a_server_keeps_what_it_has_from_moving(sqlite: SqliteGround, ground: PostgresGround) -> None:
    async with sqlite.alone():
        with pytest.raises(ConflictError) as caught:
            await move(sqlite, ground, KEYS)
    assert caught.value.code == "store-in-use"


async def test_a_backup_under_load_is_one_moment_and_comes_back(
    ground: PostgresGround, url: str, tmp_path: Path
) -> None:
    store = PostgresStore(Address(url), FlippedSecrets())
    await store.open()
    worker = await Worker.of(store)
    done = asyncio.Event()

    async def load() -> None:
        number = 0
        while not done.is_set():
            number += 1
            both = (a_record("a", why=str(number)), a_record("b", why=str(number)))
            await worker.write(*both, events=(an_event(message=str(number)),))

    loading = asyncio.create_task(load())
    while not await store.records(worker.stack.id):
        pass
    made = await backup(ground, tmp_path / "copy")
    done.set()
    await loading
    await store.save_generation(a_stack("later"), a_generation(), None)
    with pytest.raises(ConflictError, match="used by servers"):
        await restore(ground, tmp_path / "copy", KEYS, [], replace=True)
    installation = await store.installation()
    await store.close()
    await restore(ground, tmp_path / "copy", KEYS, ["local"], replace=True)
    await store.open()
    whys = {record.why for record in await store.records(worker.stack.id)}
    assert len(whys) == 1
    assert [event.message for event in await store.events(newest=True, limit=1)] == list(whys)
    assert made["records"].rows == 2
    assert await store.installation() == installation
    assert [stack.name for stack in await store.stacks()] == ["shop"]
    assert await store.rulings("local") == [Ruling("local", "", "restored")]
    lease = await store.acquire(worker.lease.scope, "two", 10.0)
    assert lease is not None
    assert lease.epoch == worker.lease.epoch + LEAP + 1
    await store.close()


async def test_from_postgresql_back_to_sqlite(
    sqlite: SqliteGround, ground: PostgresGround, tmp_path: Path
) -> None:
    await move(sqlite, ground, KEYS)
    await backup(ground, tmp_path / "copy")
    other = SqliteGround(tmp_path / "other.db", KEYS)
    await restore(other, tmp_path / "copy", KEYS, [])
    report = await check(other, KEYS)
    assert report.faults == []
    assert "records       2500" in report.lines
