"""A PostgreSQL that restarts, stands still or goes away: nothing is lost or done twice, and everything goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from terrace.errors import TerraceError, TransientError
from terrace.stores.postgres import Address, PostgresStore, transaction
from tests.contracts.store.samples import (
    FlippedSecrets,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
    paths,
)
from tests.real.postgres.conftest import Reused
from tests.real.postgres.rig import Server


@pytest.fixture
async def impatient(url: str) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(Address(url), FlippedSecrets(), patience=1.0)
    await made.open()
    yield made
    await made.close()


def backends(server: Server) -> int:
    """Ends every session but our own; how many there were."""
    query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND application_name = 'terrace'"""
    row = server.admin.execute(query).fetchone()
    assert row is not None
    return int(row[0])


async def test_after_a_restart_nobody_notices(server: Server, impatient: PostgresStore) -> None:
    worker = await Worker.of(impatient)
    assert await worker.write(a_record("a"))
    server.restart()
    assert await paths(impatient, worker.stack.id) == ["a"]
    assert await worker.write(a_record("b"), events=(an_event(),))
    assert await paths(impatient, worker.stack.id) == ["a", "b"]


async def test_while_it_is_away_there_is_trouble_and_then_all_goes_on(
    server: Server, impatient: PostgresStore
) -> None:
    worker = await Worker.of(impatient)
    server.script("crash")
    try:
        with pytest.raises(TransientError) as caught:
            await worker.write(a_record())
        assert caught.value.code == "store-unavailable"
        with pytest.raises(TransientError):
            await impatient.records(worker.stack.id)
    finally:
        server.script("start")
        server.admin = psycopg.connect(server.url, autocommit=True)
    assert await worker.write(a_record())
    assert await paths(impatient, worker.stack.id) == ["web"]


async def test_what_was_acknowledged_outlives_a_crash(server: Server, impatient: PostgresStore) -> None:
    saved = await impatient.save_generation(a_stack(), a_generation(), None)
    server.script("crash")
    server.script("start")
    server.admin = psycopg.connect(server.url, autocommit=True)
    assert await impatient.stack(saved.id) == saved


async def test_a_server_that_stands_still_is_given_up_and_comes_back(
    server: Server, impatient: PostgresStore
) -> None:
    worker = await Worker.of(impatient)
    server.script("pause")
    try:
        write = asyncio.create_task(worker.write(a_record("a"), events=(an_event(),)))
        read = asyncio.create_task(impatient.stacks())
        for task in (read, write):
            with pytest.raises(TransientError):
                await task
    finally:
        server.script("resume")
    assert await worker.write(a_record("b"))
    assert "b" in await paths(impatient, worker.stack.id)


async def test_a_connection_that_breaks_in_the_middle_leaves_nothing(
    server: Server, impatient: PostgresStore
) -> None:
    await Worker.of(impatient)
    asked = []

    def work(writer: transaction.Writer) -> list[tuple[str]]:
        asked.append(writer.execute("INSERT INTO identity (key, value) VALUES ('half', 'done')"))
        if len(asked) == 1:
            backends(server)
        return writer.execute("SELECT value FROM identity WHERE key = 'half'").fetchall()

    assert await impatient.database.write(work) == [("done",)]
    assert len(asked) == 2


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_whose_end_was_not_heard_is_done_once(
    server: Server, impatient: PostgresStore, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    worker = await Worker.of(impatient)
    lost = lose_the_end(monkeypatch, server, committed)
    assert await worker.write(a_record("a"), events=(an_event(message="once"),))
    assert lost == [True]
    assert [event.message for event in await impatient.events()] == ["once"]


async def test_a_commit_in_doubt_is_cleared_up_when_it_is_asked_for_again(
    server: Server, impatient: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await Worker.of(impatient)
    monkeypatch.setattr(transaction, "DOUBT", 0.0)
    lose_the_end(monkeypatch, server, committed=True)
    commits = [worker.commit(a_record("a"), events=(an_event(message="once"),))]
    with pytest.raises(transaction.UnsureError):
        await impatient.commit(commits)
    with pytest.raises(TransientError):
        await impatient.commit(commits)
    monkeypatch.setattr(transaction, "DOUBT", 10.0)
    assert await impatient.commit(commits) == [True]
    assert [event.message for event in await impatient.events()] == ["once"]
    assert await impatient.commit(commits) == [True]
    assert len(await impatient.events()) == 2


def lose_the_end(monkeypatch: pytest.MonkeyPatch, server: Server, committed: bool) -> list[bool]:
    """The next COMMIT goes out, and the connection ends before its answer is read (or before it is sent). Filled when
    it did."""
    lost: list[bool] = []
    plain: Callable[..., object] = psycopg.Connection.execute

    def execute(self: psycopg.Connection[object], query: str, *values: object, **more: object) -> object:
        result = None
        if query == "COMMIT" and not lost:
            if committed:
                result = plain(self, query, *values, **more)
                assert self._pipeline is not None
                self._pipeline.sync()
            lost.append(True)
            backends(server)
            if committed:
                raise psycopg.OperationalError("server closed the connection unexpectedly")
        return result or plain(self, query, *values, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    return lost


async def test_a_stopped_server_does_not_hold_up_the_others(reused: Reused, store: PostgresStore) -> None:
    """A process is stopped (SIGSTOP) while it holds the row that all events go through."""
    script = """
import asyncio, os, sys
from terrace.stores.postgres import Address, PostgresStore
from tests.contracts.store.samples import *
async def main():
    store = PostgresStore(Address(sys.argv[1]), FlippedSecrets())
    await store.open()
    def work(writer):
        writer.execute("UPDATE counters SET value = value WHERE name = 'events' RETURNING value").fetchall()
        writer.execute("UPDATE counters SET value = value WHERE name = 'events'")
        print("held", flush=True)
        sys.stdin.readline()
    try:
        await store.database.write(work)
    except BaseException as error:
        print(type(error).__name__, flush=True)
asyncio.run(main())
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    worker = await Worker.of(store)
    with subprocess.Popen(
        [sys.executable, "-c", script, reused.url],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        try:
            assert await worker.write(events=(an_event(),))
        finally:
            os.kill(holder.pid, signal.SIGCONT)
            holder.kill()
    assert len(await store.events()) == 1


async def test_a_caller_that_goes_away_leaves_the_connection_whole(impatient: PostgresStore) -> None:
    worker = await Worker.of(impatient)
    for _ in range(5):
        task = asyncio.create_task(worker.write(a_record("a"), events=(an_event(),)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await worker.write(a_record("b"))
    assert "b" in await paths(impatient, worker.stack.id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("terrace@", "nobody@"), "store-refused"),
        (("/postgres?", "/nowhere?"), "store-refused"),
        (("port=5432", "port=5433"), "store-unavailable"),
    ],
)
async def test_a_database_that_cannot_be_opened(url: str, change: tuple[str, str], code: str) -> None:
    store = PostgresStore(Address(url.replace(*change)), FlippedSecrets())
    with pytest.raises(TerraceError) as caught:
        await store.open()
    assert (type(caught.value), caught.value.code) == (TransientError, code)
    assert caught.value.hint
