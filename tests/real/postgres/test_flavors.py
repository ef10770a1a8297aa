"""The contract of ports.quota.Flavors over PostgreSQL, and two servers that speak at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from terrace.drivers.builtin.driver import BuiltinDriver
from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.world import World
from terrace.errors import ConflictError
from terrace.kinds import KINDS
from terrace.model.catalogue import Flavor
from terrace.model.graph import Graph, Node
from terrace.model.stack import Generation, Source, Stack
from terrace.runtime.controller import Controller, Means, Tuning
from terrace.runtime.system import SystemClock, SystemEntropy
from terrace.stores.postgres import Address, PostgresStore
from terrace.stores.relational.flavors import RelationalFlavors
from tests.contracts.store.samples import FlippedSecrets
from tests.contracts.vault.test_flavors import *  # noqa: F403
from tests.contracts.vault.test_flavors import Pair
from tests.unit.api.rig import Lines


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


async def test_every_engine_sees_what_another_server_says(url: str) -> None:
    clock, entropy, secrets, world = SystemClock(), SystemEntropy(), FlippedSecrets(), World()
    stores = [PostgresStore(Address(url), secrets) for _ in range(3)]
    for store in stores:
        await store.open()
    flavors = RelationalFlavors(stores[2].database, secrets)
    await flavors.set("p", "own", Flavor(1, 128))
    means = Means(clock, entropy, secrets, Lines())
    engines = [
        Controller(
            store,
            {"builtin": BuiltinDriver(clock, entropy), "local": SimDriver(world, clock)},
            KINDS,
            means,
            Tuning(holder=f"engine{number}", lease=8.0),
            store.engines,
        )
        for number, store in enumerate(stores[:2])
    ]
    for engine in engines:
        await engine.start()

    async def until_memory(*sizes: int) -> None:
        async with asyncio.timeout(40):
            while sorted(one.spec.memory for one in world.things.values() if one.kind == "Machine") != list(
                sizes
            ):
                rung = engines[0].bell.count
                await engines[0].bell.wait(rung, 0.1)

    graph = Graph((Node("m", "Machine", {"image": "one", "flavor": "own"}),))
    for number in range(6):
        wish = Generation(0, graph, Source("t"), clock.now(), offer=1)
        await stores[2].save_generation(Stack(f"id{number}", "p", f"s{number}", 0), wish, None)
    await until_memory(*[128] * 6)
    assert all(engine.crew is not None and engine.crew.workers for engine in engines), "both have some"
    await flavors.set("p", "own", Flavor(1, 256))
    await until_memory(*[256] * 6)
    for engine in engines:
        await engine.stop()
    for store in stores:
        await store.close()
