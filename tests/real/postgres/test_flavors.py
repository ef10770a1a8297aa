"""The contract of ports.quota.Flavors over PostgreSQL, and two servers that speak at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from terrace.errors import ConflictError
from terrace.model.catalogue import Flavor
from terrace.model.graph import Graph
from terrace.model.stack import Generation, Source, Stack
from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.relational.flavors import RelationalFlavors
from tests.contracts.store.samples import FlippedSecrets
from tests.contracts.vault.test_flavors import *  # noqa: F403
from tests.contracts.vault.test_flavors import Pair


@pytest.fixture
async def pair(url: str) -> AsyncIterator[Pair]:
    store = PostgresStore(Address(url), FlippedSecrets())
    await store.open()
    yield Pair(store, RelationalFlavors(store.database, FlippedSecrets()))
    await store.close()


async def test_nothing_comes_in_between_two_servers(url: str) -> None:
    """One takes a flavor away while the other saves stacks that use it, which were checked a moment ago: either it is
    gone and none was saved, or it is in use."""
    stores = [PostgresStore(Address(url), FlippedSecrets()) for _ in range(2)]
    for store in stores:
        await store.open()
    admin, reader = (RelationalFlavors(store.database, FlippedSecrets()) for store in stores)

    async def remove(project: str) -> bool:
        try:
            return "big" not in (await admin.remove(project, "big")).offer.own
        except ConflictError:  # it is in use
            return False

    async def up(project: str, number: int, version: int) -> bool:
        wish = Generation(0, Graph(), Source("t"), 1.0, flavors=("big",), offer=version)
        stack = Stack(f"{project}-{number}", project, f"s{number}", 0)
        try:
            return bool(await stores[1].save_generation(stack, wish, None))
        except ConflictError:
            return False

    for project in (f"p{number}" for number in range(12)):
        await admin.set(project, "big", Flavor(1, 64))
        version = (await reader.offer(project)).version
        removed, *saved = await asyncio.gather(
            remove(project), *(up(project, number, version) for number in range(3))
        )
        assert removed is not any(saved)
        assert ("big" in (await reader.offer(project)).own) is any(saved)
    for store in stores:
        await store.close()
