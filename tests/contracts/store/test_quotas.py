"""The contract of ports.Quotas, and of what a store reserves with what it writes, over every store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.contracts.store.samples import Worker, a_generation, a_record, a_stack, an_event

from terrace.errors import ConflictError, QuotaError
from terrace.model.spec.quota import Amounts, total
from terrace.model.stack import Stack
from terrace.ports.quota import Quotas
from terrace.ports.store import Store
from terrace.stores.in_memory.quotas import MemoryQuotas
from terrace.stores.memory import MemoryStore
from terrace.stores.relational.quotas import RelationalQuotas

P = "default"


@pytest.fixture
def quotas(store: Any) -> Quotas:
    return MemoryQuotas(store) if isinstance(store, MemoryStore) else RelationalQuotas(store.database)


async def up(store: Store, name: str = "shop", **usage: int) -> Stack:
    """A generation that takes so much."""
    return await store.save_generation(a_stack(name), a_generation(usage=usage), None)


async def held(quotas: Quotas, name: str = "shop") -> Amounts:
    return total([(await quotas.held(P)).get(f"{P}-{name}", {})])


class TestLimits:
    async def test_they_are_set_and_taken_away_one_by_one(self, quotas: Quotas) -> None:
        assert await quotas.limits(P) == {}
        await quotas.limit(P, {"machines": 3, "cpu": 1500})
        await quotas.limit("other", {"machines": 9})
        await quotas.limit(P, {"machines": 0, "storage": 2, "volumes": None})
        assert await quotas.limits(P) == {"machines": 0, "cpu": 1500, "storage": 2}
        await quotas.limit(P, {"machines": None})
        assert await quotas.limits(P) == {"cpu": 1500, "storage": 2}
        assert await quotas.limits("other") == {"machines": 9}

    async def test_projects_are_those_with_a_limit_or_a_stack(self, store: Store, quotas: Quotas) -> None:
        await quotas.limit("limited", {"machines": 1})
        await up(store)
        assert await quotas.projects() == [P, "limited"]

    async def test_where_nothing_is_limited_nothing_is_granted(self, store: Store, quotas: Quotas) -> None:
        stack = await up(store, machines=2)
        assert await store.granted(P, stack.id) is None
        await quotas.limit(P, {"machines": 3})
        found = await store.granted(P, stack.id)
        assert found is not None
        assert (found[0], total([found[1]])) == ({"machines": 3}, {"machines": 2})
        assert await store.granted("other", stack.id) is None


class TestWishes:
    async def test_what_a_generation_takes_is_reserved_with_it(self, store: Store, quotas: Quotas) -> None:
        await quotas.limit(P, {"machines": 5, "stacks": 2})
        await up(store, machines=3)
        with pytest.raises(QuotaError, match="machines: 3 more wanted, 2 of 5 left"):
            await up(store, "blog", machines=3)
        assert await store.find_stack(P, "blog") is None
        assert total([await quotas.usage(P)]) == {"machines": 3, "stacks": 1}
        await up(store, "blog", machines=2)
        with pytest.raises(QuotaError, match="stacks: 1 more wanted, 0 of 2 left"):
            await up(store, "third")
        assert total([await quotas.usage(P)]) == {"machines": 5, "stacks": 2}

    async def test_until_it_stands_a_stack_holds_what_was_and_what_is_wanted(
        self, store: Store, quotas: Quotas
    ) -> None:
        await quotas.limit(P, {"machines": 5})
        await up(store, machines=3, volumes=1)
        await up(store, machines=1, volumes=2)
        assert await held(quotas) == {"machines": 3, "volumes": 2}

    async def test_who_has_too_much_may_have_less_and_nothing_else(
        self, store: Store, quotas: Quotas
    ) -> None:
        await up(store, machines=4)
        await quotas.limit(P, {"machines": 2})
        await up(store, machines=3)
        assert await held(quotas) == {"machines": 4}
        with pytest.raises(QuotaError):
            await up(store, machines=5)

    async def test_who_goes_is_never_short(self, store: Store, quotas: Quotas) -> None:
        await up(store, machines=4)
        await quotas.limit(P, {"machines": 2, "stacks": 0})
        gone = await store.save_generation(a_stack(), a_generation(deleting=True), None)
        assert gone.generation == 2
        assert await held(quotas) == {"machines": 4}

    async def test_what_was_not_counted_is_not_taken_where_something_is_limited(
        self, store: Store, quotas: Quotas
    ) -> None:
        await store.save_generation(a_stack(), a_generation(), None)
        assert await held(quotas) == {}
        await quotas.limit(P, {"cpu": 1})
        with pytest.raises(ConflictError, match="has got a quota meanwhile"):
            await store.save_generation(a_stack(), a_generation(), None)


class TestEngine:
    async def test_more_is_given_as_long_as_there_is_some(self, store: Store, quotas: Quotas) -> None:
        await quotas.limit(P, {"machines": 5})
        stack = await up(store, machines=3)
        assert await store.reserve(stack.id, {"machines": 5, "volumes": 7}) == ()
        (short,) = await store.reserve(stack.id, {"machines": 6, "volumes": 9})
        assert (short.resource, short.asked, short.used, short.most) == ("machines", 1, 5, 5)
        assert await held(quotas) == {"machines": 5, "volumes": 7}, "then nothing is given"
        assert await store.reserve(stack.id, {"machines": 1}) == (), "what it has it need not ask for"
        assert await store.reserve("nobody", {"machines": 99}) == ()

    async def test_a_stack_that_stands_holds_what_it_takes(self, store: Store, quotas: Quotas) -> None:
        worker = await Worker.of(store)
        await store.reserve(worker.stack.id, {"machines": 5, "volumes": 2})
        assert await worker.write(a_record(), head=worker.stack, usage={"machines": 2, "disk": 0})
        assert await held(quotas) == {"machines": 2}
        assert await worker.write(a_record(), head=worker.stack)
        assert await held(quotas) == {"machines": 2}, "it says nothing of it"

    async def test_a_head_of_an_older_generation_says_nothing_of_a_newer_one(
        self, store: Store, quotas: Quotas
    ) -> None:
        worker = await Worker.of(store)
        await up(store, machines=3)
        assert await worker.write(head=worker.stack, usage={"machines": 1})
        assert await held(quotas) == {"machines": 3}

    async def test_a_stale_engine_says_nothing(self, store: Store, quotas: Quotas) -> None:
        worker = await Worker.of(store)
        await store.reserve(worker.stack.id, {"machines": 3})
        stale = msgspec.structs.replace(
            worker.commit(head=worker.stack, usage={"machines": 1}), epoch=worker.lease.epoch - 1
        )
        assert await store.commit([stale]) == [False]
        assert await held(quotas) == {"machines": 3}

    async def test_who_is_gone_holds_nothing(self, store: Store, quotas: Quotas) -> None:
        await quotas.limit(P, {"machines": 3})
        await up(store, "other", machines=1)
        worker = Worker(store, *await self.leased(store, machines=2))
        await store.save_generation(a_stack(), a_generation(deleting=True), None)
        assert await worker.write(events=(an_event("stack.gone"),), gone=True)
        assert await quotas.held(P) == {f"{P}-other": {"machines": 1}}
        assert total([await quotas.usage(P)]) == {"machines": 1, "stacks": 1}
        again = await up(store, machines=2)
        assert again.generation == 1

    @staticmethod
    async def leased(store: Store, **usage: int) -> tuple[Stack, Any]:
        stack = await up(store, **usage)
        return stack, await store.acquire(f"stack:{stack.id}", "one", 10.0)


class TestCorrecting:
    async def test_whatever_the_limits_are_and_only_of_the_newest(self, store: Store, quotas: Quotas) -> None:
        await up(store, machines=3, volumes=1)
        await quotas.limit(P, {"machines": 1})
        assert await quotas.correct(f"{P}-shop", {"machines": 7}, 1)
        assert await held(quotas) == {"machines": 7}
        await up(store, machines=2)
        assert not await quotas.correct(f"{P}-shop", {"machines": 9}, 1)
        assert not await quotas.correct("nobody", {"machines": 9}, 1)
        assert await held(quotas) == {"machines": 7}
