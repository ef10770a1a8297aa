"""A state folder that is in use, full, read-only, damaged or from the future gives one clear line."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contracts.store.samples import FlippedSecrets, HandClock, Worker, a_record, an_event, paths

from terrace.errors import ConflictError, InvariantError, TerraceError, TransientError
from terrace.stores.migrating import Step
from terrace.stores.sealing import KeyFile
from terrace.stores.sqlite import SqliteStore, migrating
from terrace.stores.sqlite.faults import translated


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terrace.db"


def a_store(path: Path) -> SqliteStore:
    return SqliteStore(path, FlippedSecrets(), HandClock())


async def refused(path: Path) -> TerraceError:
    """The error of opening it; whatever was opened on the way is closed again."""
    with pytest.raises(TerraceError) as caught:
        await a_store(path).open()
    return caught.value


async def test_two_servers_on_one_folder(path: Path) -> None:
    first = a_store(path)
    await first.open()
    error = await refused(path)
    assert isinstance(error, ConflictError)
    assert str(os.getpid()) in error.message
    assert "terrace server stop" in error.hint
    await first.close()
    second = a_store(path)
    await second.open()
    await second.close()


async def test_the_lock_of_a_server_that_died_is_free(path: Path) -> None:
    script = """
import fcntl, os, sys
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
os.write(handle, b"%d" % os.getpid())
print("held", flush=True)
sys.stdin.read()
"""
    lock = f"{path}.lock"
    with subprocess.Popen(
        [sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert f"process {holder.pid}" in (await refused(path)).message
        holder.kill()
    store = a_store(path)
    await store.open()
    await store.close()


async def test_another_program_that_holds_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrace.stores.sqlite.connection._PATIENCE", 0.01)
    store = a_store(path)
    await store.open()
    worker = await Worker.of(store)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError, match="locked by another program"):
        await worker.write(a_record())
    other.execute("ROLLBACK")
    assert await worker.write(a_record())
    await store.close()

    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    error = await refused(path)
    assert isinstance(error, ConflictError)
    assert "locked by another program" in error.message
    other.close()


async def test_a_newer_database_is_left_alone(path: Path) -> None:
    store = a_store(path)
    await store.open()
    await store.close()
    with sqlite3.connect(path) as plain:
        plain.execute("UPDATE schema_version SET version = 999")
        plain.execute("INSERT OR REPLACE INTO identity (key, value) VALUES ('compatible_from', '0998')")
    plain.close()
    before = path.read_bytes()
    error = await refused(path)
    assert isinstance(error, ConflictError)
    assert "newer" in error.message
    assert error.hint
    assert path.read_bytes() == before


async def test_a_migration_that_fails_leaves_the_schema_before_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = a_store(path)
    await store.open()
    await Worker.of(store)
    await store.close()
    steps = migrating.steps()
    newest = steps[-1].number
    newer = [
        *steps,
        Step(newest + 1, ["CREATE TABLE extra (a BIGINT)"]),
        Step(newest + 2, ["CREATE TABLE more (a BIGINT)", "NONSENSE"]),
    ]
    monkeypatch.setattr(migrating, "steps", lambda: newer)
    assert isinstance(await refused(path), InvariantError)
    monkeypatch.setattr(migrating, "steps", lambda: newer[:-1])
    store = a_store(path)
    await store.open()
    assert len(await store.stacks()) == 1
    await store.close()
    with sqlite3.connect(path) as plain:
        tables = {row[0] for row in plain.execute("SELECT name FROM sqlite_master")}
        assert plain.execute("SELECT version FROM schema_version").fetchall() == [(newest + 1,)]
    plain.close()
    assert "extra" in tables
    assert "more" not in tables


@pytest.mark.parametrize(
    "content", [b"this is not a database at all" * 200, b"SQLite format 3\0" + b"\xff" * 9000]
)
async def test_what_is_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    error = await refused(path)
    assert error.code == "store-damaged"
    assert error.hint
    assert path.read_bytes() == content


async def test_a_database_damaged_in_the_middle(path: Path) -> None:
    store = a_store(path)
    await store.open()
    worker = await Worker.of(store)
    await worker.write(*(a_record(f"g/{n}", memory={"x": "y" * 500}) for n in range(300)))
    await store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xa5" * (len(content) - 12288)
    path.write_bytes(content)
    store = a_store(path)

    async def use() -> None:
        await store.open()
        await store.records(worker.stack.id)

    with pytest.raises(TransientError, match="damaged") as caught:
        await use()
    assert caught.value.code == "store-damaged"
    await store.close()


async def test_a_full_disk_undoes_the_write_and_later_all_is_well(path: Path) -> None:
    store = a_store(path)
    await store.open()
    worker = await Worker.of(store)
    await worker.write(a_record("kept"), events=(an_event("kept"),))
    writer = store.database._writer
    assert writer is not None
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = [a_record(f"g/{n}", memory={"x": "y" * 3000}) for n in range(50)]
    for synced in (False, True):
        with pytest.raises(TransientError) as caught:
            await worker.write(a_record("kept", why="changed"), *big, events=(an_event(),), synced=synced)
        assert caught.value.message == f"the state folder {path.parent} is full"
        assert caught.value.code == "store-full"
    assert await store.records(worker.stack.id) == [a_record("kept")]
    assert len(await store.events()) == 1
    writer.execute("PRAGMA max_page_count = 100000")
    assert await worker.write(*big, events=(an_event(),), synced=True)
    assert len(await paths(store, worker.stack.id)) == 51
    assert [event.number for event in await store.events()] == [1, 2]
    await store.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def opened_by_somebody_else(path: Path) -> str:
    """The code of the error that a user without rights to the folder gets, "" for none. Root may write
    everywhere, so a child steps down first."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = "crashed"
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            asyncio.run(a_store(path).open())
            code = ""
        except TerraceError as error:
            code = error.code
        finally:
            os.write(writer, code.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        code = said.read()
    os.waitpid(child, 0)
    return code


@pytest.mark.parametrize("shut", ["folder", "file", "lock"])
def test_what_is_read_only_is_said_to_be_so(open_folder: Path, shut: str) -> None:
    path = open_folder / "terrace.db"

    async def make() -> None:
        store = a_store(path)
        await store.open()
        await store.close()

    asyncio.run(make())
    for file in open_folder.iterdir():
        file.chmod(0o666)
    open_folder.chmod(0o777)
    target = {"folder": open_folder, "file": path, "lock": open_folder / "terrace.db.lock"}[shut]
    if shut == "folder":
        (open_folder / "terrace.db.lock").unlink()
    target.chmod(0o555 if shut == "folder" else 0o444)
    assert opened_by_somebody_else(path) == "store-read-only"
    target.chmod(0o777)
    assert opened_by_somebody_else(path) == ""


async def test_the_key_of_another_database(path: Path, tmp_path: Path) -> None:
    first = SqliteStore(path, KeyFile(tmp_path / "key"), HandClock())
    await first.open()
    await first.close()
    second = SqliteStore(path, KeyFile(tmp_path / "other"), HandClock())
    with pytest.raises(ConflictError, match="does not belong to the database"):
        await second.open()
    await first.open()
    await first.close()


async def test_a_store_that_is_not_open_says_so(path: Path) -> None:
    store = a_store(path)
    for call in (store.stacks(), store.publish([])):
        with pytest.raises(InvariantError, match="not open"):
            await call
    await store.close()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "store-full"),
        (errno.EDQUOT, "store-full"),
        (errno.EROFS, "store-read-only"),
        (errno.EACCES, "store-read-only"),
        (errno.EIO, "store-unavailable"),
        (errno.ENOTDIR, "store-unavailable"),
    ],
)
def test_the_systems_errors_in_words(path: Path, number: int, code: str) -> None:
    with pytest.raises(TransientError) as caught, translated(path):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert str(path.parent) in caught.value.message


async def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    error = await refused(tmp_path / "state" / "terrace.db")
    assert error.code == "store-unavailable"
