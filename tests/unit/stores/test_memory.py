"""The store in memory forgets what a disk would forget, and breaks where it is told to."""

from __future__ import annotations

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

from terrace.stores.memory import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(FlippedSecrets(), HandClock())


async def test_a_crash_takes_what_was_not_synced(store: MemoryStore) -> None:
    worker = await Worker.of(store)
    await worker.write(a_record("a"), a_record("b"), synced=True)
    await worker.write(a_record("c"), a_record("b", why="changed"), removals=(a_record("a").key,))
    await store.publish([an_event()])
    store.crash()
    assert await store.records(worker.stack.id) == [a_record("a"), a_record("b")]
    assert await store.events() == []
    store.crash()
    assert await paths(store, worker.stack.id) == ["a", "b"]


async def test_a_synced_write_carries_what_came_before_it(store: MemoryStore) -> None:
    one, two = await Worker.of(store, "one"), await Worker.of(store, "two")
    await one.write(a_record("a"), events=(an_event("kept"),))
    await store.commit([two.commit(a_record("b")), two.commit(a_record("c"), synced=True)])
    await one.write(a_record("lost"))
    store.crash()
    assert await paths(store, one.stack.id) == ["a"]
    assert await paths(store, two.stack.id) == ["b", "c"]
    assert [event.kind for event in await store.events()] == ["kept"]


async def test_what_people_asked_for_outlives_a_crash(store: MemoryStore) -> None:
    stack = await store.save_generation(a_stack(), a_generation(), 0)
    await store.bump_retries(stack.id)
    await store.mark_forget(stack.id)
    store.crash()
    after = await store.stack(stack.id)
    assert after is not None
    assert (after.generation, after.retries, after.forget) == (1, 1, True)


async def test_a_removed_stack_comes_back_when_its_end_was_not_synced(store: MemoryStore) -> None:
    worker = await Worker.of(store)
    await worker.write(a_record())
    going = await store.save_generation(a_stack(), a_generation(deleting=True), 1)
    await worker.write(gone=True)
    await store.prune(events_before=0.0, events_kept=0, generations_kept=1)
    store.crash()
    assert await store.stacks() == [going]
    assert await paths(store, going.id) == ["web"]
    assert [g.number for g in await store.generations(going.id)] == [2, 1]


async def test_epochs_and_numbers_of_events_never_fall_back(store: MemoryStore) -> None:
    worker = await Worker.of(store)
    await store.release(worker.lease)
    newer = await Worker.of(store)
    await store.publish([an_event(), an_event()])
    store.crash()
    await store.publish([an_event()])
    assert [event.number for event in await store.events()] == [3]
    assert await worker.write(a_record()) is False
    assert await newer.write(a_record()) is True


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_fault_strikes_before_or_after_the_write(store: MemoryStore, when: str) -> None:
    worker = await Worker.of(store)
    seen: list[str] = []

    def fault(point: str) -> None:
        seen.append(point)
        if point == f"commit:{when}":
            raise ConnectionError(point)

    store.fault = fault
    with pytest.raises(ConnectionError):
        await worker.write(a_record(), synced=True)
    store.fault = None
    store.crash()
    assert seen == ["commit:before", "commit:after"][: len(seen)]
    assert await paths(store, worker.stack.id) == (["web"] if when == "after" else [])


async def test_every_write_passes_the_fault_points(store: MemoryStore) -> None:
    seen: list[str] = []
    store.fault = seen.append
    worker = await Worker.of(store)
    await worker.write()
    await store.publish([])
    await store.release(worker.lease)
    await store.bump_retries(worker.stack.id)
    await store.direct([])
    await store.mark_forget(worker.stack.id)
    await store.prune(events_before=0.0, events_kept=0, generations_kept=1)
    names = [
        "save_generation",
        "acquire",
        "commit",
        "publish",
        "release",
        "bump_retries",
        "direct",
        "mark_forget",
        "prune",
    ]
    assert seen == [f"{name}:{when}" for name in names for when in ("before", "after")]


async def test_a_fault_may_stop_what_it_interrupts_half_way(store: MemoryStore) -> None:
    """A value that cannot be encoded is the half-way case: nothing of the batch stays, synced or not."""
    worker = await Worker.of(store)
    with pytest.raises(Exception, match="cannot be stored"):
        await worker.write(a_record("a"), a_record("b", memory={"x": object()}), synced=True)
    assert await paths(store, worker.stack.id) == []
