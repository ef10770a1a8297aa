"""ports.quota.Flavors, over every implementation, and what the store makes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from terrace.errors import ConflictError, NotFoundError
from terrace.model.catalogue import Flavor, Offer
from terrace.model.graph import Graph
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.engines import ENGINE, Engines, Member
from terrace.ports.quota import Flavors
from terrace.ports.store import Commit, Store
from terrace.stores.memory import MemoryStore
from terrace.stores.memory_flavors import MemoryFlavors
from terrace.stores.relational.flavors import RelationalFlavors
from terrace.stores.sqlite import SqliteStore
from tests.contracts.store.samples import FlippedSecrets, HandClock

P = "default"
SMALL, BIG = Flavor(1, 512, 1024, 64), Flavor(0.5, 8192, 0, 0)


class Pair:
    """Flavors, and the store whose stacks use them."""

    def __init__(self, store: Store, flavors: Flavors) -> None:
        self.store, self.flavors = store, flavors

    async def up(
        self, name: str, *used: str, project: str = P, offer: int | None = None, **more: bool
    ) -> Stack:
        """A generation of a stack that uses flavors, checked against those of now or of an `offer`."""
        version = (await self.flavors.offer(project)).version if offer is None else offer
        wish = Generation(0, Graph(), Source("t"), 1.0, flavors=used, offer=version, **more)
        return await self.store.save_generation(Stack(f"{project}-{name}", project, name, 0), wish, None)

    async def settle(self, stack: Stack) -> None:
        """The stack stands as it is wanted."""
        lease = await self.store.acquire(f"stack:{stack.id}", "me", 60.0)
        assert lease is not None
        commit = Commit(stack.id, lease.epoch, head=stack, settled=stack.generation, settled_at=2.0)
        assert await self.store.commit([commit]) == [True]

    async def retries(self, stack: Stack) -> int:
        found = await self.store.stack(stack.id)
        assert found is not None
        return found.retries


@pytest.fixture(params=["memory", "sqlite"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    clock, secrets = HandClock(), FlippedSecrets()
    if request.param == "memory":
        memory = MemoryStore(secrets, clock)
        await memory.open()
        yield Pair(memory, MemoryFlavors(memory))
        await memory.close()
    else:
        file = SqliteStore(tmp_path / "state" / "terrace.db", secrets, clock)
        await file.open()
        yield Pair(file, RelationalFlavors(file.database, secrets))
        await file.close()


async def test_a_project_of_which_nothing_was_said_may_use_all(pair: Pair) -> None:
    assert await pair.flavors.offer(P) == Offer() == await pair.store.offer(P)
    assert (await pair.store.offer(P)).lets("whatever")


async def test_each_word_counts_and_is_of_its_project_alone(pair: Pair) -> None:
    assert (await pair.flavors.set(P, "small", SMALL)).offer == Offer({"small": SMALL}, None, 1)
    assert (await pair.flavors.set(P, "big", BIG)).offer.version == 2
    assert (await pair.flavors.set(P, "small", BIG)).offer.own == {"small": BIG, "big": BIG}
    said = await pair.flavors.allow(P, ("small", "m1.tiny"))
    assert said.offer == Offer({"small": BIG, "big": BIG}, ("small", "m1.tiny"), 4)
    assert await pair.flavors.offer(P) == said.offer == await pair.store.offer(P)
    assert await pair.flavors.offer("other") == Offer()


async def test_what_is_taken_away_is_not_allowed_any_more(pair: Pair) -> None:
    await pair.flavors.set(P, "small", SMALL)
    await pair.flavors.allow(P, ("small",))
    said = await pair.flavors.remove(P, "small")
    assert said.offer == Offer({}, (), 3)
    assert await pair.store.offer(P) == said.offer
    assert not said.offer.lets("small")
    assert (await pair.flavors.allow(P, None)).offer == Offer({}, None, 4)
    for name in ("small", "never"):
        with pytest.raises(NotFoundError, match=name):
            await pair.flavors.remove(P, name)
    assert (await pair.flavors.offer(P)).version == 4


async def test_what_is_in_use_is_not_taken_away(pair: Pair) -> None:
    await pair.flavors.set(P, "big", BIG)
    await pair.up("shop", "big", "m1.tiny")
    await pair.up("blog", "big")
    await pair.up("wiki", "m1.tiny")
    await pair.up("else", "big", project="other")
    with pytest.raises(ConflictError, match="blog, shop") as refused:
        await pair.flavors.remove(P, "big")
    assert refused.value.code == "flavor-in-use"
    assert (await pair.flavors.offer(P)).own == {"big": BIG}
    assert (await pair.flavors.set(P, "big", SMALL)).used_by == ("blog", "shop")
    assert (await pair.flavors.remove(P, "big", force=True)).used_by == ("blog", "shop")


async def test_what_may_be_wanted_again_is_in_use(pair: Pair) -> None:
    """The last generation that settled is what a rollback goes back to."""
    await pair.flavors.set(P, "big", BIG)
    await pair.settle(await pair.up("shop", "big"))
    newer = await pair.up("shop", "m1.tiny")
    with pytest.raises(ConflictError, match="shop"):
        await pair.flavors.remove(P, "big")
    await pair.settle(newer)
    assert (await pair.flavors.remove(P, "big")).used_by == ()


async def test_nothing_is_saved_that_was_checked_against_other_flavors(pair: Pair) -> None:
    stack = await pair.up("shop")
    await pair.flavors.set(P, "big", BIG)
    for offer in (0, 2):
        with pytest.raises(ConflictError) as refused:
            await pair.up("shop", offer=offer)
        assert refused.value.code == ConflictError.code, "it is asked again, and then checked anew"
    assert (await pair.up("shop", offer=1)).generation == stack.generation + 1
    assert (await pair.up("shop", offer=0, deleting=True)).generation == stack.generation + 2
    assert (await pair.up("else", project="other", offer=0)).generation == 1


async def test_every_stack_of_the_project_is_looked_at_again(pair: Pair) -> None:
    engines: Engines = pair.store.engines  # type: ignore[attr-defined]  # stores that can be shared have it
    await engines.join(Member("a", "a", (ENGINE,), 8), 60.0)
    shop, other = await pair.up("shop"), await pair.up("else", project="other")
    before = [await engines.waiting(one.id) for one in (shop, other)]
    await pair.flavors.set(P, "big", BIG)
    await pair.flavors.allow(P, ("big",))
    await pair.flavors.remove(P, "big")
    assert (await pair.retries(shop), await pair.retries(other)) == (3, 0)
    assert [await engines.waiting(one.id) for one in (shop, other)] == [before[0] + 3, before[1]]
