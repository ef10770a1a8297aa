"""Reservations: whatever is asked for at the same time, no project ever holds more than it may, and what is held is
what the stacks say."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.contracts.store.samples import FlippedSecrets, HandClock

from terrace.errors import QuotaError
from terrace.model.graph import Graph
from terrace.model.spec.quota import RESOURCES, larger, parse, shortages, shown, total
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.quota import Quotas
from terrace.ports.store import Commit
from terrace.stores.in_memory.quotas import MemoryQuotas
from terrace.stores.memory import MemoryStore
from terrace.stores.relational.quotas import RelationalQuotas
from terrace.stores.sqlite import SqliteStore

NAMES = ("a", "b", "c")
sizes = some.fixed_dictionaries(
    {"machines": some.integers(0, 4), "cpu": some.integers(0, 4000), "storage": some.integers(0, 9)}
)
deeds = some.lists(
    some.tuples(some.sampled_from(NAMES), some.sampled_from(("up", "grow", "settle", "down", "gone")), sizes),
    max_size=12,
)
limits = some.fixed_dictionaries(
    {},
    optional={"machines": some.integers(0, 8), "cpu": some.integers(0, 9000), "stacks": some.integers(0, 3)},
)


class Site:
    """A store, and what its stacks were last granted and want."""

    def __init__(self, folder: str, kind: str) -> None:
        self.store: SqliteStore | MemoryStore
        self.quotas: Quotas
        if kind == "memory":
            self.store = MemoryStore(FlippedSecrets(), HandClock())
            self.quotas = MemoryQuotas(self.store)
        else:
            self.store = SqliteStore(Path(folder) / "terrace.db", FlippedSecrets(), HandClock())
            self.quotas = RelationalQuotas(self.store.database)
        self.limits: dict[str, int] = {}

    async def held(self, name: str) -> dict[str, int]:
        return total([(await self.quotas.held("p")).get(name, {})])

    async def do(self, name: str, deed: str, size: dict[str, int]) -> None:
        """One deed, and that it did what it says to what the stack holds."""
        stack = await self.store.find_stack("p", name)
        before = await self.held(name)
        if deed == "up":
            wish = Generation(0, Graph(), Source("t"), 1.0, usage=size)
            try:
                await self.store.save_generation(Stack(name, "p", name, 0), wish, None)
            except QuotaError:
                assert await self.held(name) == before
        elif stack is None:
            return
        elif deed == "grow":
            if await self.store.reserve(name, size):
                assert await self.held(name) == before
        else:
            await self._turn(stack, deed, size)

    async def _turn(self, stack: Stack, deed: str, size: dict[str, int]) -> None:
        if deed == "down":
            wish = Generation(0, Graph(), Source("t"), 1.0, deleting=True)
            await self.store.save_generation(stack, wish, None)
            return
        lease = await self.store.acquire(f"stack:{stack.id}", "me", 60.0)
        assert lease is not None
        held = await self.held(stack.id)
        usage = {name: min(amount, held.get(name, 0)) for name, amount in size.items()}
        turn = Commit(stack.id, lease.epoch, head=stack, usage=usage, gone=deed == "gone")
        assert await self.store.commit([turn]) == [True]

    async def bounded(self) -> None:
        """Nothing is held beyond a limit."""
        used = await self.quotas.usage("p")
        assert all(used.get(name, 0) <= most for name, most in self.limits.items())

    async def sound(self) -> None:
        """Nothing is held by nobody; asked while nobody writes."""
        used, each = await self.quotas.usage("p"), await self.quotas.held("p")
        stacks = await self.store.stacks("p")
        assert set(each) <= {stack.id for stack in stacks}
        assert total([used]) == total([*each.values(), {"stacks": len(stacks)}])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=60, deadline=None)
@given(limits, some.lists(deeds, max_size=4))
def test_no_project_ever_holds_more_than_it_may(
    kind: str, limits: dict[str, int], rounds: list[list[Any]]
) -> None:
    """Each round's deeds are done at the same time."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            site = Site(folder, kind)
            await site.store.open()
            await site.quotas.limit("p", dict(limits))
            site.limits = limits
            for deeds in rounds:
                groups: dict[str, list[Any]] = {}
                for name, deed, size in deeds:
                    groups.setdefault(name, []).append((name, deed, size))

                async def one_after_the_other(todo: list[Any]) -> None:
                    for each in todo:
                        await site.do(*each)
                        await site.bounded()

                await asyncio.gather(*map(one_after_the_other, groups.values()))
                await site.sound()
            await site.store.close()

    asyncio.run(run())


@given(limits, sizes, sizes, sizes)
def test_what_does_not_grow_is_never_short(
    limits: dict[str, int], used: dict[str, int], before: dict[str, int], after: dict[str, int]
) -> None:
    assert shortages(limits, used, before, before) == ()
    for one in shortages(limits, used, before, larger(before, after)):
        assert after[one.resource] > before[one.resource]
        assert one.used + one.asked > one.most


@given(some.sampled_from(sorted(RESOURCES)), some.integers(0, 2**40))
def test_amounts_are_read_as_they_are_shown(resource: str, amount: int) -> None:
    text = shown(resource, amount).replace(",", "").replace(" MiB", "m").replace(" GiB", "g")
    if resource == "storage":
        assert parse(resource, text) == amount
    elif resource != "cpu":
        assert (
            parse(resource, text.removesuffix("m") if resource not in ("memory", "disk") else text) == amount
        )
