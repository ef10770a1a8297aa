"""Commits: who may write, and what a turn of the engine may change."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.contracts.store.samples import (
    HandClock,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
    paths,
)

from terrace.errors import InvariantError
from terrace.model.seen import Owner
from terrace.model.stack import Phase
from terrace.model.value import Secret
from terrace.ports.store import Commit, Ruling, Store


class TestEpochs:
    async def test_only_the_stale_commit_of_a_batch_is_refused(self, store: Store, clock: HandClock) -> None:
        old, other = await Worker.of(store, "one"), await Worker.of(store, "two")
        clock.time += 11.0
        new = await Worker.of(store, "one", holder="another")
        stale = old.commit(
            a_record("stale"),
            events=(an_event("stale"),),
            rulings=(Ruling("p", "stale", "adopted"),),
            head=msgspec.structs.replace(old.stack, phase=Phase.FAILING),
            failed=(1, "stale"),
            generation=msgspec.structs.replace(a_generation(), number=3),
            gone=True,
        )
        before = await store.stack(old.stack.id)
        verdicts = await store.commit([stale, other.commit(a_record("fresh"), events=(an_event("fresh"),))])
        assert verdicts == [False, True]
        assert await store.stack(old.stack.id) == before
        assert await paths(store, old.stack.id) == []
        assert await paths(store, other.stack.id) == ["fresh"]
        assert [event.kind for event in await store.events()] == ["fresh"]
        assert await store.rulings("p") == []
        assert [g.failed for g in await store.generations(old.stack.id)] == ["", ""]
        assert await new.write(a_record("mine"))

    async def test_without_a_lease_nothing_is_written(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        assert await store.commit([Commit(stack.id, 0, upserts=(a_record(),))]) == [False]
        assert await store.commit([Commit("nobody", 0)]) == [False]
        assert await store.commit([]) == []
        worker = await Worker.of(store)
        await store.release(worker.lease)
        assert await worker.write(a_record()) is False
        assert await store.records(stack.id) == []

    async def test_an_expired_lease_that_nobody_took_still_writes(
        self, store: Store, clock: HandClock
    ) -> None:
        worker = await Worker.of(store)
        clock.time += 100.0
        assert await worker.write(a_record())

    async def test_a_bad_value_undoes_the_whole_batch(self, store: Store) -> None:
        worker = await Worker.of(store)
        good = worker.commit(a_record("good"), events=(an_event(),))
        for bad in (
            worker.commit(a_record(memory={"n": object()})),
            worker.commit(events=(an_event(detail={"pw": Secret("x")}),)),
        ):
            with pytest.raises(InvariantError):
                await store.commit([good, bad])
        assert await store.records(worker.stack.id) == []
        assert await store.events() == []


class TestHeads:
    async def test_a_head_is_what_the_engine_saw_and_nothing_else(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.bump_retries(worker.stack.id)
        await store.mark_forget(worker.stack.id)
        seen = msgspec.structs.replace(
            worker.stack,
            name="renamed",
            generation=1,
            phase=Phase.FAILING,
            why="db: no such image",
            since=1234.0,
            total=5,
            ready=3,
            failing=2,
            retries=0,
            forget=False,
            settled=1,
        )
        await worker.write(head=seen)
        kept = {"name": "shop", "retries": 1, "forget": True}
        assert await store.stack(worker.stack.id) == msgspec.structs.replace(seen, **kept)

    async def test_an_older_head_does_not_speak_for_a_newer_generation(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.save_generation(a_stack(), a_generation(created=1100.0), 1)
        settled = msgspec.structs.replace(worker.stack, phase=Phase.SETTLED, settled=1, ready=4, total=4)
        await worker.write(head=settled, settled=1, settled_at=1101.0)
        now = await store.stack(worker.stack.id)
        assert now is not None
        assert (now.generation, now.phase, now.settled, now.ready) == (2, Phase.SETTLING, 1, 4)

    async def test_marks_of_generations(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.save_generation(a_stack(), a_generation(), None)
        await worker.write(settled=2, settled_at=1500.0)
        await worker.write(settled=2, settled_at=1600.0, failed=(1, "no such image"))
        await worker.write(settled=9, settled_at=1.0, failed=(9, "no such generation"))
        newest, oldest = await store.generations(worker.stack.id)
        assert (newest.settled, newest.failed) == (1500.0, "")
        assert (oldest.settled, oldest.failed) == (0.0, "no such image")
        assert (await store.generation(worker.stack.id, 1)) == msgspec.structs.replace(
            a_generation(), number=1, failed="no such image"
        )

    async def test_the_last_settled_never_goes_back(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.save_generation(a_stack(), a_generation(), None)
        await worker.write(settled=2, settled_at=1500.0)
        await worker.write(head=worker.stack)
        stack = await store.stack(worker.stack.id)
        assert stack is not None
        assert stack.settled == 2

    async def test_the_engine_adds_a_generation_only_as_the_next(self, store: Store) -> None:
        worker = await Worker.of(store)
        back = msgspec.structs.replace(a_generation(), number=2, why="rollback", restores=1, created=1700.0)
        await worker.write(a_record(), generation=back, head=worker.stack)
        stack = await store.stack(worker.stack.id)
        assert stack == msgspec.structs.replace(worker.stack, generation=2, updated=1700.0)
        assert await store.generation(worker.stack.id, 2) == back
        await worker.write(a_record("db"), generation=back)
        assert await store.stack(worker.stack.id) == stack
        assert await paths(store, worker.stack.id) == ["db", "web"]


class TestGone:
    async def test_a_stack_that_is_gone_leaves_events_and_rulings(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(a_record(), rulings=(Ruling("p", "1", "disowned"),))
        await store.save_generation(a_stack(), a_generation(deleting=True), None)
        gone = an_event("stack.gone", stack=worker.stack.id)
        assert await worker.write(removals=(a_record().key,), events=(gone,), gone=True)
        assert await store.stacks() == []
        assert await store.records(worker.stack.id) == []
        assert await store.generations(worker.stack.id) == []
        assert await store.known([Owner("i", "uid-web", 1)]) == set()
        assert [e.kind for e in await store.events(stack=worker.stack.id)] == ["stack.gone"]
        assert len(await store.rulings("p")) == 1
        assert await worker.write(a_record()) is False
        again = await store.save_generation(a_stack(), a_generation(), 0)
        assert again.generation == 1

    async def test_what_people_want_by_now_is_not_taken_away(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.save_generation(a_stack(), a_generation(deleting=True), None)
        wanted = await store.save_generation(a_stack(), a_generation("new"), None)
        ended = msgspec.structs.replace(worker.stack, phase=Phase.GONE, generation=2)
        assert await worker.write(head=ended, gone=True)
        assert await store.stack(wanted.id) == wanted


async def test_writes_that_come_at_once_happen_in_their_order(store: Store) -> None:
    worker = await Worker.of(store)
    await asyncio.gather(
        *(
            worker.write(a_record(why=str(n)), events=(an_event(message=str(n)),), synced=n % 3 == 0)
            for n in range(30)
        )
    )
    assert [event.message for event in await store.events()] == [str(n) for n in range(30)]
    assert [record.why for record in await store.records(worker.stack.id)] == ["29"]
