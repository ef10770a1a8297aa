"""What is acknowledged is on disk, what is not promised costs no sync, and the order of writes holds."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.contracts.store.samples import (
    FlippedSecrets,
    HandClock,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
    paths,
)

from terrace.model.stack import Directive
from terrace.stores.sqlite import SqliteStore, connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terrace.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(path, FlippedSecrets(), HandClock())
    await made.open()
    yield made
    await made.close()


def writer_of(store: SqliteStore) -> sqlite3.Connection:
    writer = store.database._writer
    assert writer is not None
    return writer


def syncs_of(writer: sqlite3.Connection) -> list[bool]:
    """Filled, as transactions begin, with whether each will be synced."""
    begun: list[bool] = []
    mode = [writer.execute("PRAGMA synchronous").fetchone()[0] == 2]

    def trace(statement: str) -> None:
        if statement.startswith("PRAGMA synchronous = "):
            mode[0] = statement.endswith("FULL")
        elif statement.startswith("BEGIN"):
            begun.append(mode[0])

    writer.set_trace_callback(trace)
    return begun


async def test_only_what_was_promised_is_synced(store: SqliteStore) -> None:
    worker = await Worker.of(store)
    synced = syncs_of(writer_of(store))
    await worker.write(a_record())
    await worker.write(a_record(), synced=True)
    await store.commit([worker.commit(), worker.commit(synced=True)])
    await store.publish([an_event()])
    await store.direct([Directive(worker.stack.id, "web", "size", 2)])
    await store.save_generation(a_stack(), a_generation(), None)
    await store.bump_retries(worker.stack.id)
    await store.mark_forget(worker.stack.id)
    await worker.write(a_record())
    assert synced == [False, True, True, False, True, True, True, True, False]


async def test_the_file_is_kept_as_it_should_be(store: SqliteStore, path: Path) -> None:
    writer = writer_of(store)

    def pragma(name: str) -> object:
        return writer.execute(f"PRAGMA {name}").fetchone()[0]

    assert (pragma("journal_mode"), pragma("foreign_keys"), pragma("wal_autocheckpoint")) == ("wal", 1, 0)
    files = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(files) == {"terrace.db", "terrace.db-wal", "terrace.db-shm", "terrace.db.lock"}
    assert set(files.values()) == {0o600}
    await store.close()
    assert {file.name for file in path.parent.iterdir()} == {"terrace.db", "terrace.db.lock"}


async def test_what_was_acknowledged_outlives_a_killed_server(path: Path) -> None:
    script = """
import asyncio, os, signal, sys
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import *
async def main():
    store = SqliteStore(sys.argv[1], FlippedSecrets(), HandClock())
    await store.open()
    worker = await Worker.of(store)
    for n in range(20):
        await worker.write(a_record(f"g/{n}"), events=(an_event(),), synced=n % 5 == 0)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", script, str(path)], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = SqliteStore(path, FlippedSecrets(), HandClock())
    await store.open()
    try:
        assert await paths(store, "default-shop") == [f"g/{n}" for n in range(20)]
        assert len(await store.events()) == 20
    finally:
        await store.close()


async def test_the_loop_goes_on_while_the_disk_is_waited_for(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await Worker.of(store)
    committing = Held(monkeypatch)
    synced = asyncio.create_task(worker.write(a_record("a"), synced=True))
    await committing.begun()
    behind = asyncio.create_task(worker.write(a_record("b")))
    assert await paths(store, worker.stack.id) == []
    assert not behind.done()
    committing.go_on()
    assert await synced
    assert await behind
    assert await paths(store, worker.stack.id) == ["a", "b"]


async def test_a_cancelled_caller_leaves_no_half_done_write(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await Worker.of(store)
    committing = Held(monkeypatch)
    synced = asyncio.create_task(worker.write(a_record("a"), synced=True))
    await committing.begun()
    behind = asyncio.create_task(worker.write(a_record("b")))
    for _ in range(3):
        synced.cancel()
        await asyncio.sleep(0)
    assert not synced.done()
    committing.go_on()
    with pytest.raises(asyncio.CancelledError):
        await synced
    assert await behind
    assert await paths(store, worker.stack.id) == ["a", "b"]


async def test_a_long_log_is_moved_into_the_database(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LONG_LOG", 100_000)
    store.database._log_limit = 100_000
    worker = await Worker.of(store)
    log = path.with_name("terrace.db-wal")
    sizes = set()
    for n in range(50):
        await worker.write(a_record(memory={"n": "x" * 10_000}), events=(an_event(message=str(n)),))
        sizes.add(log.stat().st_size)
    assert max(sizes) <= 100_000
    assert min(sizes) == 0
    assert len(await store.events()) == 50


async def test_somebody_reading_delays_the_log_and_nothing_else(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_LONG_LOG", 100_000)
    store.database._log_limit = 100_000
    writer_of(store).execute("PRAGMA busy_timeout = 0")
    worker = await Worker.of(store)
    other = sqlite3.connect(path)
    other.execute("BEGIN")
    other.execute("SELECT * FROM stacks").fetchall()
    for _ in range(20):
        await worker.write(a_record(memory={"n": "x" * 10_000}))
    assert store.database._log_limit > 200_000
    other.close()
    for _ in range(60):
        await worker.write(a_record(memory={"n": "x" * 10_000}))
    assert store.database._log_limit == 100_000


class Held:
    """Holds the next synced write in its thread until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._begun, self._gate = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()
        plain = connection.SqliteDatabase._in_thread

        async def held(database: connection.SqliteDatabase, call: Callable[[], None]) -> None:
            def waiting() -> None:
                loop.call_soon_threadsafe(self._begun.set)
                self._gate.wait(10.0)
                call()

            await plain(database, waiting)

        monkeypatch.setattr(connection.SqliteDatabase, "_in_thread", held)

    async def begun(self) -> None:
        await self._begun.wait()

    def go_on(self) -> None:
        self._gate.set()
