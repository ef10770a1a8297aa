"""What people ask for is on disk when they are told so: nobody behind it waits for that, and many wait as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import pytest

from terrace.errors import TransientError
from terrace.stores.postgres import Address, PostgresStore, transaction
from terrace.stores.postgres.line import Line, waited
from tests.contracts.store.samples import FlippedSecrets, Worker, a_generation, a_stack, an_event
from tests.real.postgres.rig import Server, private_server

MANY = 20
SHOP = "default-shop"


@pytest.fixture(scope="module")
def lazy() -> Iterator[Server]:
    """A server that writes nothing down before it must: what is not asked for by name is lost in a crash."""
    with private_server("wal_writer_delay=10s", "max_connections=50", "shared_buffers=64MB") as made:
        yield made


@pytest.fixture
async def store(lazy: Server) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(Address(lazy.schema()), FlippedSecrets())
    await made.open()
    yield made
    await made.close()


def crash(server: Server) -> None:
    """It dies in the middle of everything, and comes back."""
    server.script("crash")
    server.script("start")
    server.admin = psycopg.connect(server.url, autocommit=True)


def before_the_disk(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> list[int]:
    """Before somebody waits for the disk, once, something happens; how often somebody waited."""
    plain, waits = transaction.flush, [0]

    def flush(line: Line) -> bool:
        waits[0] += 1
        if waits[0] == 1:
            happens()
        return plain(line)

    monkeypatch.setattr(transaction, "flush", flush)
    return waits


async def test_what_was_told_outlives_a_crash_and_what_was_not_need_not(
    lazy: Server, store: PostgresStore
) -> None:
    worker = await Worker.of(store)
    await store.save_generation(a_stack(name="kept"), a_generation(), None)
    assert await worker.write(events=(an_event(),))  # not synced
    crash(lazy)
    assert await store.generations("default-kept")
    assert not await store.events(), "else this shows nothing"


@pytest.mark.parametrize("kept", [True, False])
async def test_a_crash_between_commit_and_disk_is_told_as_it_came_out(
    lazy: Server, store: PostgresStore, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    def happens() -> None:
        if kept:
            lazy.admin.execute("SELECT pg_logical_emit_message(true, 'test', '')")
        crash(lazy)

    await store.save_generation(a_stack(name="before"), a_generation(), None)
    before_the_disk(monkeypatch, happens)
    if kept:
        assert (await store.save_generation(a_stack(), a_generation(), None)).generation == 1
    else:
        with pytest.raises(TransientError) as raised:
            await store.save_generation(a_stack(), a_generation(), None)
        assert raised.value.code == "store-unavailable"
    assert len(await store.generations(SHOP)) == kept


async def test_a_connection_that_is_lost_while_it_is_waited_for_the_disk_is_no_harm(
    lazy: Server, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save_generation(a_stack(name="before"), a_generation(), None)
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'terrace'"
    waits = before_the_disk(monkeypatch, lambda: lazy.admin.execute(query).fetchall())
    await store.save_generation(a_stack(), a_generation(), None)
    assert len(await store.generations(SHOP)) == 1
    assert waits[0] > 1


async def test_those_who_come_while_somebody_waits_wait_together(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = [a_stack(name=f"s{number}") for number in range(MANY)]
    await store.save_generation(a_stack(), a_generation(), None)
    written = asyncio.Event()
    waits = before_the_disk(monkeypatch, lambda: waited(written.wait()))
    tasks = [asyncio.create_task(store.save_generation(one, a_generation(), None)) for one in heads]
    while len(await store.stack_page("default", name="s", limit=MANY + 1)) < MANY + 1:
        assert not any(task.done() for task in tasks), "nothing is on disk yet"
    written.set()
    await asyncio.gather(*tasks)
    assert waits == [2]


async def test_who_need_not_wait_for_the_disk_does_not(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await Worker.of(store)
    free = asyncio.Event()
    before_the_disk(monkeypatch, lambda: waited(free.wait()))
    asked = asyncio.create_task(store.save_generation(a_stack(name="slow"), a_generation(), None))
    while not await store.generations("default-slow"):
        assert not asked.done(), "nothing is on disk yet"
    assert await worker.write(events=(an_event(),))
    assert not asked.done()
    free.set()
    await asked
