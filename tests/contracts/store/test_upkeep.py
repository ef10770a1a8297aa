"""Events, pruning, the ledger, leases and facts."""

from __future__ import annotations

import msgspec
from tests.contracts.store.samples import (
    HandClock,
    Worker,
    a_generation,
    a_record,
    a_stack,
    an_event,
    paths,
)

from terrace.model.stack import Directive
from terrace.ports.store import Ruling, Store


class TestEvents:
    async def test_events_are_numbered_in_order_and_come_back_whole(self, store: Store) -> None:
        worker = await Worker.of(store)
        told = an_event(stack="s", path="web", message="ready", generation=1, detail={"a": [1, None]})
        await worker.write(events=(told, an_event("two", number=99)))
        await store.publish([an_event("three"), an_event("four")])
        await store.publish([])
        events = await store.events()
        assert [(e.number, e.kind) for e in events] == [
            (1, "resource.ready"),
            (2, "two"),
            (3, "three"),
            (4, "four"),
        ]
        assert events[0] == msgspec.structs.replace(told, number=1)

    async def test_events_are_read_from_either_end(self, store: Store) -> None:
        await store.publish([an_event(stack="ab"[n % 2], message=str(n)) for n in range(10)])

        async def numbers(**asked: object) -> list[int]:
            return [event.number for event in await store.events(**asked)]  # type: ignore[arg-type]

        assert await numbers(after=7) == [8, 9, 10]
        assert await numbers(after=2, limit=3) == [3, 4, 5]
        assert await numbers(newest=True, limit=3) == [8, 9, 10]
        assert await numbers(stack="a", after=3) == [5, 7, 9]
        assert await numbers(stack="b", newest=True, limit=2) == [8, 10]
        assert await numbers(stack="b", newest=True, after=8) == [10]
        assert await numbers(stack="c") == await numbers(after=10) == []

    async def test_numbers_rise_even_when_all_events_are_pruned(self, store: Store) -> None:
        await store.publish([an_event(), an_event()])
        await store.prune(events_before=5000.0, events_kept=100, generations_kept=1)
        await store.publish([an_event()])
        assert [event.number for event in await store.events()] == [3]


class TestPruning:
    async def test_events_go_by_age_and_by_count(self, store: Store) -> None:
        await store.publish([an_event(at=float(at)) for at in (10, 50, 20, 60, 70)])
        await store.prune(events_before=20.0, events_kept=10, generations_kept=1)
        assert [event.number for event in await store.events()] == [2, 3, 4, 5]
        await store.prune(events_before=0.0, events_kept=2, generations_kept=1)
        assert [event.number for event in await store.events()] == [4, 5]
        await store.prune(events_before=0.0, events_kept=0, generations_kept=1)
        assert await store.events() == []

    async def test_generations_that_something_needs_stay(self, store: Store) -> None:
        worker = await Worker.of(store)
        for number in range(2, 9):
            restores = {6: 3, 3: 1}.get(number, 0)
            await store.save_generation(a_stack(), a_generation(restores=restores), None)
        await worker.write(settled=4, settled_at=1.0)
        other = await Worker.of(store, "other")

        async def kept() -> list[int]:
            return [g.number for g in await store.generations(worker.stack.id)]

        await store.prune(events_before=0.0, events_kept=0, generations_kept=100)
        assert await kept() == [8, 7, 6, 5, 4, 3, 2, 1]
        await store.prune(events_before=0.0, events_kept=0, generations_kept=3)
        assert await kept() == [8, 7, 6, 4, 3, 1]
        await store.prune(events_before=0.0, events_kept=0, generations_kept=1)
        assert await kept() == [8, 4]
        await store.prune(events_before=0.0, events_kept=0, generations_kept=0)
        assert await kept() == [8, 4]
        assert len(await store.generations(other.stack.id)) == 1


class TestLedger:
    async def test_rulings_are_kept_by_provider_and_id(self, store: Store) -> None:
        worker = await Worker.of(store)
        first = Ruling("docker", "2", "adopted", "u", "s", "web", "Machine")
        await worker.write(rulings=(first, Ruling("docker", "1", "disowned"), Ruling("lxc", "1", "adopted")))
        assert await store.rulings("docker") == [Ruling("docker", "1", "disowned"), first]
        again = Ruling("docker", "2", "disowned", "u")
        await worker.write(rulings=(again,), unrulings=(("docker", "1"), ("docker", "none")))
        assert await store.rulings("docker") == [again]
        await worker.write(rulings=(first,), unrulings=(("docker", "2"),))
        assert await store.rulings("docker") == [first]
        assert await store.rulings("none") == []


class TestLeases:
    async def test_the_holder_renews_and_others_wait(self, store: Store, clock: HandClock) -> None:
        lease = await store.acquire("provider:docker/", "one", 10.0)
        assert lease is not None
        assert (lease.scope, lease.holder, lease.epoch, lease.expires) == (
            "provider:docker/",
            "one",
            1,
            1010.0,
        )
        clock.time = 1009.0
        assert await store.acquire(lease.scope, "two", 10.0) is None
        assert await store.acquire(lease.scope, "one", 10.0) == msgspec.structs.replace(lease, expires=1019.0)
        clock.time = 1018.0
        assert await store.acquire(lease.scope, "two", 10.0) is None

    async def test_the_epoch_rises_when_it_changes_hands(self, store: Store, clock: HandClock) -> None:
        first = await store.acquire("s", "one", 10.0)
        clock.time = 1010.0
        second = await store.acquire("s", "two", 10.0)
        assert first is not None
        assert second is not None
        assert second.epoch == first.epoch + 1
        assert await store.acquire("s", "one", 10.0) is None
        await store.release(first)
        assert await store.acquire("s", "one", 10.0) is None
        await store.release(second)
        third = await store.acquire("s", "one", 10.0)
        assert third is not None
        assert third.epoch == 3

    async def test_an_expired_lease_is_still_ours_until_taken(self, store: Store, clock: HandClock) -> None:
        first = await store.acquire("s", "one", 10.0)
        clock.time = 2000.0
        again = await store.acquire("s", "one", 10.0)
        assert first is not None
        assert again is not None
        assert again.epoch == first.epoch

    async def test_giving_back_raises_the_epoch_even_for_ourselves(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.release(worker.lease)
        await store.release(worker.lease)
        again = await Worker.of(store)
        assert again.lease.epoch == worker.lease.epoch + 1

    async def test_leases_of_stacks_that_are_gone_are_pruned(self, store: Store, clock: HandClock) -> None:
        worker = await Worker.of(store)
        await store.save_generation(a_stack(), a_generation(deleting=True), None)
        await worker.write(gone=True)
        other = await Worker.of(store, "other")
        clock.time = 2000.0
        await store.prune(events_before=0.0, events_kept=0, generations_kept=1)
        lease = await store.acquire(worker.lease.scope, "two", 10.0)
        assert lease is not None
        assert lease.epoch == 1
        assert await other.write(a_record())


class TestFacts:
    async def test_the_installation_has_one_name(self, store: Store) -> None:
        name = await store.installation()
        assert name
        assert name == await store.installation()

    async def test_what_was_written_is_there_after_reopening(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(a_record(), events=(an_event(),))
        before = (await store.installation(), await store.stacks(), await store.events())
        await store.close()
        await store.open()
        assert (await store.installation(), await store.stacks(), await store.events()) == before
        assert await paths(store, worker.stack.id) == ["web"]
        assert await worker.write(a_record("db"), events=(an_event(),))
        assert [event.number for event in await store.events()] == [1, 2]


class TestOutsideTurns:
    async def test_the_ledger_is_written_without_a_turn(self, store: Store) -> None:
        one, two = Ruling("local", "", "restored"), Ruling("local", "c1", "adopted", uid="u")
        await store.rule([one, two])
        assert await store.rulings("local") == [one, two]
        await store.rule([], [("local", ""), ("local", "never")])
        assert await store.rulings("local") == [two]

    async def test_a_directive_that_was_carried_out_goes_with_the_commit_that_did_it(
        self, store: Store
    ) -> None:
        worker = await Worker.of(store)
        wishes = [Directive(worker.stack.id, "web", what, 1) for what in ("import", "taint")]
        await store.direct(wishes)
        stale = msgspec.structs.replace(worker.commit(), epoch=77, heeded=(("web", "taint"),))
        assert await store.commit([stale]) == [False]
        assert await worker.write(heeded=(("web", "import"), ("db", "import")))
        assert await store.directives(worker.stack.id) == [wishes[1]]
