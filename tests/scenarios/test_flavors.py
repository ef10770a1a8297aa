"""Flavors of a project with several engines on one store: what is said through one server holds for all of them."""

from __future__ import annotations

import asyncio

import pytest

from terrace.drivers.sim.faults import Faults
from terrace.errors import ConflictError
from terrace.model.catalogue import Flavor
from terrace.model.graph import Graph, Node
from terrace.ports.engines import API
from terrace.stores.memory_flavors import MemoryFlavors
from tests.scenarios.design import IMAGES
from tests.scenarios.harness import Simulation
from tests.scenarios.test_engines import LEASE, shares
from tests.scenarios.test_named import machines, tell

SMALL, LARGE = Flavor(1, 128, 0, 0), Flavor(1, 256, 0, 0)


def sized(*paths: str, flavor: str = "own") -> Graph:
    return Graph(tuple(Node(path, "Machine", {"image": IMAGES[0], "flavor": flavor}) for path in paths))


def memory(simulation: Simulation) -> list[int]:
    return sorted(one.spec.memory for one in machines(simulation))


async def until_memory(simulation: Simulation, *sizes: int) -> None:
    async def there() -> bool:
        return memory(simulation) == sorted(sizes)

    await simulation.until(there, within=60)


def test_every_engine_sees_what_was_said_through_one_server() -> None:
    async def story(simulation: Simulation) -> None:
        flavors = MemoryFlavors(simulation.store)
        await flavors.set("p", "own", SMALL)
        for name in ("first", "second"):
            await simulation.start(name)
        await simulation.start("server", roles=(API,))
        for number in range(6):
            await simulation.apply(f"s{number}", sized("m"), offer=1)
        await simulation.until_settled()
        await asyncio.sleep(2 * LEASE)
        assert shares(simulation) == {"first": 3, "second": 3}
        assert memory(simulation) == [128] * 6
        await flavors.set("p", "own", LARGE)  # nobody is woken but by what lies in the store
        await until_memory(simulation, *[256] * 6)
        await simulation.until_settled()

    tell(story)


def test_whoever_takes_a_stack_over_keeps_what_stands_and_makes_nothing_new() -> None:
    async def story(simulation: Simulation) -> None:
        flavors = MemoryFlavors(simulation.store)
        await flavors.set("p", "own", SMALL)
        first = await simulation.start("first")
        await simulation.apply("a", sized("m"), offer=1)
        await simulation.until_settled()
        await simulation.start("second")
        version = (await flavors.allow("p", ())).offer.version
        await simulation.kill(first)
        await asyncio.sleep(3 * LEASE)
        assert shares(simulation) == {"second": 1}
        simulation.outside.remove(machines(simulation)[0].provider_id)
        await asyncio.sleep(120)
        assert memory(simulation) == [128], "what stood is healed"
        with pytest.raises(ConflictError):
            await simulation.apply("a", sized("m", "n"), offer=1)
        await simulation.apply("a", sized("m", "n"), offer=version)
        await asyncio.sleep(60)
        assert memory(simulation) == [128], "what is new is not made"
        stack = await simulation.find("a")
        assert stack is not None
        whys = {record.path: record.why for record in await simulation.store.records(stack.id)}
        assert whys["n"] == 'asks for flavor "own", which project "p" may not use'
        await flavors.allow("p", None)
        await until_memory(simulation, 128, 128)
        await simulation.until_settled()

    tell(story)


def test_what_is_replaced_while_its_flavor_is_not_allowed_comes_back() -> None:
    """Also when nothing of it is there at the moment, and another engine goes on with it."""

    def served(image: str) -> Graph:
        published = [{"guest": 80, "host": 8080}]
        return Graph((Node("m", "Machine", {"image": image, "flavor": "own", "publish": published}),))

    async def story(simulation: Simulation) -> None:
        flavors = MemoryFlavors(simulation.store)
        await flavors.set("p", "own", SMALL)
        first = await simulation.start("first")
        await simulation.apply("a", served(IMAGES[0]), offer=1)
        await simulation.until_settled()
        version = (await flavors.allow("p", ())).offer.version
        simulation.storm(Faults(latency={"*": (0.5, 0.9)}))
        await simulation.apply("a", served(IMAGES[1]), offer=version)
        while machines(simulation):
            await asyncio.sleep(0.01)
        await simulation.kill(first)
        assert not machines(simulation)
        await flavors.set("p", "other", SMALL)
        await simulation.start("second")
        await simulation.until_settled()
        assert memory(simulation) == [128]

    tell(story)
