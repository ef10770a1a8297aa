"""Several servers on one PostgreSQL: what they do at once is as if they had done it one after the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from terrace.errors import ConflictError
from terrace.model.graph import Graph, Name, Node, Use
from terrace.model.stack import Stack
from terrace.ports.store import Commit, Store
from terrace.stores.postgres import Address, PostgresStore
from tests.contracts.store.samples import (
    FlippedSecrets,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
    paths,
)


@pytest.fixture
async def stores(url: str) -> AsyncIterator[list[PostgresStore]]:
    """Three servers' stores, begun at once on an empty database."""
    made = [PostgresStore(Address(url), FlippedSecrets()) for _ in range(3)]
    await asyncio.gather(*(store.open() for store in made))
    yield made
    for store in made:
        await store.close()


async def settled(*calls: object) -> list[object]:
    """What each gave, or its ConflictError."""
    found = await asyncio.gather(*calls, return_exceptions=True)  # type: ignore[call-overload]
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, ConflictError):
            raise one
    return list(found)


async def test_they_agree_on_who_they_are(stores: list[PostgresStore]) -> None:
    assert len({await store.installation() for store in stores}) == 1


async def test_of_two_who_expect_the_same_generation_one_wins(stores: list[PostgresStore]) -> None:
    for expected in range(8):
        found = await settled(
            *(store.save_generation(a_stack(), a_generation(), expected) for store in stores)
        )
        assert Counter(type(one) for one in found) == {Stack: 1, ConflictError: 2}
    assert [g.number for g in await stores[0].generations("default-shop")] == list(range(8, 0, -1))


async def test_a_name_is_taken_once(stores: list[PostgresStore]) -> None:
    for number in range(5):
        made = [Stack(id=f"{number}-{at}", project="p", name=f"n{number}", generation=0) for at in range(3)]
        found = await settled(
            *(
                store.save_generation(stack, a_generation(), 0)
                for store, stack in zip(stores, made, strict=True)
            )
        )
        assert Counter(type(one) for one in found) == {Stack: 1, ConflictError: 2}
    assert len(await stores[1].stacks("p")) == 5
    named = zip(stores, await stores[0].stacks("p"), strict=False)
    found = await settled(*(store.rename(stack.id, "same") for store, stack in named))
    assert sorted(type(one).__name__ for one in found) == ["ConflictError", "ConflictError", "NoneType"]


async def test_stacks_cannot_close_a_circle_together(stores: list[PostgresStore]) -> None:
    def using(other: str) -> Graph:
        uses = (Use("/in", Name("", other, "out")),)
        return Graph((Node("web", "Machine"),), uses=uses)

    names = ["a", "b", "c"]
    found = await settled(
        *(
            store.save_generation(a_stack(name), a_generation(graph=using(names[(at + 1) % 3])), None)
            for at, (store, name) in enumerate(zip(stores, names, strict=True))
        )
    )
    assert Counter(type(one) for one in found) == {Stack: 2, ConflictError: 1}


async def test_one_lease_has_one_holder_and_epochs_only_rise(stores: list[PostgresStore]) -> None:
    epochs = []
    for turn in range(10):
        found = await asyncio.gather(
            *(store.acquire("s", f"{turn}-{at}", 0.0) for at, store in enumerate(stores))
        )
        epochs += sorted(lease.epoch for lease in found if lease is not None)
    assert epochs == sorted(set(epochs))
    held = await asyncio.gather(*(store.acquire("t", f"h{at}", 60.0) for at, store in enumerate(stores)))
    assert sum(lease is not None for lease in held) == 1


async def test_a_stale_commit_never_lands_whenever_the_lease_is_stolen(stores: list[PostgresStore]) -> None:
    old, new, _ = stores
    worker = await Worker.of(old)
    await old.release(worker.lease)
    for number in range(15):
        lease = await old.acquire(worker.lease.scope, f"old-{number}", 0.0)
        assert lease is not None
        commit = Commit(worker.stack.id, lease.epoch, upserts=(a_record(why=f"old-{number}"),))
        (accepted,), stolen = await asyncio.gather(
            old.commit([commit]), new.acquire(lease.scope, f"new-{number}", 0.0)
        )
        assert stolen is not None
        fresh = Commit(worker.stack.id, stolen.epoch, upserts=(a_record(why=f"new-{number}"),))
        assert await new.commit([fresh]) == [True]
        assert await old.commit([commit]) == [False]
        assert [r.why for r in await old.records(worker.stack.id)] == [f"new-{number}"]
        assert accepted in (True, False)


async def test_events_become_visible_in_the_order_of_their_numbers(stores: list[PostgresStore]) -> None:
    """A reader that asks for what comes after the last number it saw misses nothing."""
    seen: list[int] = []
    done = asyncio.Event()

    async def tell(store: Store, name: str) -> None:
        for number in range(60):
            await store.publish([an_event(message=f"{name}-{number}-{part}") for part in range(3)])

    async def read() -> None:
        last = False
        while not last:
            last = done.is_set()
            seen.extend(event.number for event in await stores[2].events(after=seen[-1] if seen else 0))

    reader = asyncio.create_task(read())
    await asyncio.gather(*(tell(store, str(at)) for at, store in enumerate(stores)))
    done.set()
    await reader
    assert seen == list(range(1, 541))


async def test_what_one_wrote_the_others_see(stores: list[PostgresStore]) -> None:
    worker = await Worker.of(stores[0])
    await worker.write(a_record(), events=(an_event(),))
    for store in stores:
        assert await paths(store, worker.stack.id) == ["web"]


async def test_hints_reach_every_server(stores: list[PostgresStore]) -> None:
    heard: list[list[str]] = [[], [], []]
    listening = asyncio.Semaphore(0)
    told = asyncio.Semaphore(0)

    async def listen(at: int) -> None:
        async for hint in stores[at].hints():
            if not hint:
                listening.release()
            elif hint.startswith("mine"):
                heard[at].append(hint)
                told.release()

    tasks = [asyncio.create_task(listen(at)) for at in range(3)]
    async with asyncio.timeout(20):
        for _ in range(3):
            await listening.acquire()
        await stores[0].notify("mine:one")
        for _ in range(3):
            await told.acquire()
        await stores[1].notify("mine:two")
        for _ in range(3):
            await told.acquire()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert heard == [["mine:one", "mine:two"]] * 3


async def test_large_values_and_many_rows_come_whole(stores: list[PostgresStore]) -> None:
    """More than a socket takes at once, with something asked right behind it."""
    worker = await Worker.of(stores[0])
    large = a_generation(graph=Graph((Node("web", "Machine", {"text": "x" * 9_000_000}),)))
    saved = await stores[0].save_generation(a_stack(), large, None)
    records = [a_record(f"g/{n}", memory={"text": "y" * 4000}) for n in range(3000)]
    assert await worker.write(*records, events=[an_event(message="z" * 500) for _ in range(3000)])
    assert await stores[1].records(worker.stack.id) == records
    read = await stores[2].generation(saved.id, saved.generation)
    assert read is not None
    assert read.graph == large.graph
