"""`terrace db` on SQLite: check, backup under load, restore with its doubt."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contracts.store.samples import FlippedSecrets, HandClock, Worker, a_record, an_event, paths

from terrace.errors import ConflictError, InvariantError, NotFoundError, UserError
from terrace.ports.store import Ruling
from terrace.stores.migrating import steps
from terrace.stores.sqlite import SqliteStore
from terrace.stores.upkeep import command
from terrace.stores.upkeep.backup import LEAP, backup, restore
from terrace.stores.upkeep.checking import check
from terrace.stores.upkeep.ground import Keys, SqliteGround

OLD = Path(__file__).parents[3] / "data" / "databases"
KEYS = Keys(FlippedSecrets, HandClock())


class OtherSecrets(FlippedSecrets):
    """Another key."""

    def seal(self, data: bytes) -> bytes:
        return b"?" + data

    def unseal(self, data: bytes) -> bytes:
        if data[:1] != b"?":
            raise InvariantError("sealed with another key")
        return data[1:]


@pytest.fixture
def ground(tmp_path: Path) -> SqliteGround:
    return SqliteGround(tmp_path / "terrace.db", KEYS)


@pytest.fixture
async def store(ground: SqliteGround) -> AsyncIterator[SqliteStore]:
    """A server's store, in use."""
    made = KEYS.store(Path(ground.place))
    await made.open()
    yield made
    await made.close()


async def test_a_backup_under_load_is_one_moment(
    ground: SqliteGround, store: SqliteStore, tmp_path: Path
) -> None:
    worker = await Worker.of(store)
    done = asyncio.Event()

    async def load() -> None:
        number = 0
        while not done.is_set() or number < 50:
            number += 1
            both = (a_record("a", why=str(number)), a_record("b", why=str(number)))
            await worker.write(*both, events=(an_event(message=str(number)),))
            await asyncio.sleep(0)

    loading = asyncio.create_task(load())
    for number in range(5):
        await asyncio.sleep(0.01)
        made = await backup(ground, tmp_path / f"copy-{number}")
        copy = KEYS.store(tmp_path / f"copy-{number}")
        await copy.open()
        whys = [record.why for record in await copy.records(worker.stack.id)]
        assert len(set(whys)) <= 1
        assert len(await copy.events()) == int((whys or ["0"])[0]) == made["events"].rows
        await copy.close()
    done.set()
    await loading
    assert (tmp_path / "copy-0").stat().st_mode & 0o777 == 0o600


async def test_what_is_restored_is_in_doubt_and_numbers_go_on(
    ground: SqliteGround, store: SqliteStore, tmp_path: Path
) -> None:
    worker = await Worker.of(store)
    await worker.write(
        a_record("a", provider="local"), events=(an_event(),), rulings=(Ruling("far", "x", "adopted", "u"),)
    )
    await backup(ground, tmp_path / "copy")
    installation = await store.installation()
    await worker.write(a_record("b", provider="local"), events=(an_event(),))
    with pytest.raises(ConflictError, match="used by another server"):
        await restore(ground, tmp_path / "copy", KEYS, ["spare"], replace=True)
    await store.close()
    with pytest.raises(ConflictError, match=r"not empty: there are .*records") as caught:
        await restore(ground, tmp_path / "copy", KEYS, ["spare"])
    assert caught.value.code == "store-not-empty"
    await restore(ground, tmp_path / "copy", KEYS, ["spare", "builtin"], replace=True)
    await store.open()
    assert await store.installation() == installation
    assert await paths(store, worker.stack.id) == ["a"]
    for provider in ("local", "far", "spare"):
        assert Ruling(provider, "", "restored") in await store.rulings(provider)
    assert await store.rulings("builtin") == []
    assert await worker.write(a_record()) is False
    lease = await store.acquire(worker.lease.scope, "two", 10.0)
    assert lease is not None
    assert lease.epoch == worker.lease.epoch + LEAP + 1
    await store.publish([an_event("after")])
    assert [event.number for event in await store.events()] == [1, LEAP + 2]


async def test_a_backup_goes_into_an_empty_database(
    ground: SqliteGround, store: SqliteStore, tmp_path: Path
) -> None:
    worker = await Worker.of(store)
    await backup(ground, tmp_path / "copy")
    other = SqliteGround(tmp_path / "other" / "terrace.db", KEYS)
    await restore(other, tmp_path / "copy", KEYS, [])
    report = await check(other, KEYS)
    assert report.faults == []
    assert "stacks        1" in report.lines
    assert worker.stack.id


@pytest.mark.parametrize("number", ["0001", "0002", "0003"])
async def test_a_backup_of_an_older_terrace(number: str, ground: SqliteGround, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old") as plain:
        plain.executescript((OLD / f"{number}.sql").read_text())
    plain.close()
    before = (tmp_path / "old").read_bytes()
    await restore(ground, tmp_path / "old", KEYS, [])
    assert (tmp_path / "old").read_bytes() == before
    assert (await check(ground, KEYS)).faults == []


async def test_what_is_no_backup(ground: SqliteGround, store: SqliteStore, tmp_path: Path) -> None:
    await Worker.of(store)
    await backup(ground, tmp_path / "copy")
    await store.close()
    with pytest.raises(UserError, match="there already"):
        await backup(ground, tmp_path / "copy")
    with pytest.raises(NotFoundError):
        await restore(ground, tmp_path / "none", KEYS, [])
    with sqlite3.connect(tmp_path / "other") as plain:
        plain.execute("CREATE TABLE a (b)")
    plain.close()
    with pytest.raises(ConflictError, match="no backup"):
        await restore(ground, tmp_path / "other", KEYS, [])
    with pytest.raises(ConflictError) as caught:
        await restore(ground, tmp_path / "copy", Keys(OtherSecrets, HandClock()), [], replace=True)
    assert caught.value.code == "key-mismatch"
    assert (await check(ground, KEYS)).faults == []
    with pytest.raises(ConflictError, match="holds nothing yet"):
        await backup(SqliteGround(tmp_path / "empty", KEYS), tmp_path / "more")
    assert not (tmp_path / "more.part").exists()


async def test_what_is_wrong_is_told(ground: SqliteGround, store: SqliteStore) -> None:
    worker = await Worker.of(store)
    await worker.write(a_record(), events=(an_event(),))
    await store.close()
    assert (await check(ground, KEYS)).faults == []
    with sqlite3.connect(ground.place) as plain:
        plain.execute("UPDATE records SET body = X'00'")
        plain.execute("UPDATE counters SET value = 0")
        plain.execute("UPDATE stacks SET generation = 7")
        plain.execute("INSERT INTO exports VALUES ('nobody', 'x', X'00')")
    plain.close()
    report = await check(ground, KEYS)
    assert len(report.faults) == 4
    text = "\n".join(report.faults)
    for part in (
        "generation 7",
        "number that is taken",
        "records of default/shop",
        "exports belongs to nothing",
    ):
        assert part in text


async def test_the_words(ground: SqliteGround, tmp_path: Path) -> None:
    newest = steps()[-1].number

    async def said(*words: str) -> tuple[bool, str]:
        well, lines = await command.run(words, ground, KEYS, ["local"])
        return well, "\n".join(lines)

    assert "schema        none: nothing was ever kept here" in (await said("check"))[1]
    assert (await said("migrate"))[1] == f"{ground.place}: schema 0000 -> {newest:04d}"
    assert (await said("migrate"))[1] == f"{ground.place} is up to date: schema {newest:04d}"
    assert "all is well" in (await said("check"))[1]
    assert "0 stacks" in (await said("backup", str(tmp_path / "copy")))[1]
    assert "accept-restore" in (await said("restore", str(tmp_path / "copy"), "--replace"))[1]
    for wrong in (["check", "more"], ["restore", "x", "--now"], []):
        with pytest.raises(UserError, match="usage"):
            await said(*wrong)
