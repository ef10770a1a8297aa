"""Groups that people, policies and templates pull at, while they roll. The number is that of the design."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, SupportsIndex

import pytest

from terrace.drivers.sim.faults import Faults
from terrace.drivers.sim.world import Entry
from terrace.model.graph import Graph, Node
from terrace.model.value import Ref
from terrace.ports.telemetry import Telemetry
from terrace.services.gate import Actor, Gate, Surface, Where
from terrace.services.signals import Knock, Signals, Sizes
from terrace.stores.memory_vault import MemoryVault
from tests.scenarios.design import IMAGES
from tests.scenarios.harness import Simulation
from tests.scenarios.test_named import ids, machine, machines, tell

ANN = Actor("ann", owner=True)
AT = Where("p", "a")
SLOW = Faults(latency={"*": (1.0, 2.0)})


class Diary(list[Entry]):
    """The world's diary, which looks before anything is taken away whether enough stays in service."""

    def __init__(self, simulation: Simulation, least: Callable[[], int]) -> None:
        super().__init__(simulation.world.diary)
        self._simulation = simulation
        self._least = least
        self.fewest = 1_000_000

    def append(self, entry: Entry) -> None:
        super().append(entry)
        self.look(entry.provider_id if entry.what == "delete" else "")

    def look(self, without: str = "") -> None:
        serving = [
            one for one in machines(self._simulation) if one.state == "running" and "start" in one.parts
        ]
        count = sum(one.provider_id != without for one in serving)
        self.fewest = min(self.fewest, count)
        assert count >= self._least(), f"only {count} in service"

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        return super().__getitem__(index)


def watch(simulation: Simulation, least: Callable[[], int]) -> Diary:
    diary = Diary(simulation, least)
    simulation.world.diary = diary
    return diary


def services(simulation: Simulation) -> tuple[Signals, Sizes]:
    """What people and policies reach a group through."""
    controller = simulation.engine.controller
    assert controller is not None
    gate = Gate(simulation.store, _Quiet(), simulation.clock)
    vault = MemoryVault(simulation.store)
    surface = Surface(
        gate, simulation.store, controller, simulation.clock, simulation.entropy, _Quiet(), vault
    )
    sizes = Sizes(surface)
    return Signals(surface, sizes), sizes


class _Quiet(Telemetry):
    def log(self, level: str, event: str, **fields: Any) -> None:
        """Nobody reads it."""


def scaling(image: str, *, desired: int = 10, updates: dict[str, Any] | None = None, **member: Any) -> Graph:
    """A group from 2 to 12 machines, and a policy that adds two."""
    shape = {
        "kind": "Machine",
        "type_name": "Terrace::Machine",
        "properties": machine("x", image=image, **member).properties,
    }
    size = {"min_size": 2, "max_size": 12, "desired_capacity": desired}
    policy = {"update_policy": {"rolling_update": updates}} if updates else {}
    add = {"group": Ref("g"), "adjustment": 2, "adjustment_type": "change_in_capacity"}
    return Graph(
        (
            Node("g", "AutoScalingGroup", {**size, "resource_def": shape, **policy}),
            Node("more", "ScalingPolicy", add),
        )
    )


def images(simulation: Simulation) -> list[str]:
    return [thing.properties["image"] for thing in machines(simulation)]


async def knock(simulation: Simulation, signals: Signals, path: str = "more") -> str:
    """A signal to the policy, or another door, by its token."""
    stack = await simulation.find("a")
    assert stack is not None
    (record,) = [one for one in await simulation.store.records(stack.id) if one.path == path]
    assert record.seen is not None
    token = record.seen.attributes["token"].reveal()
    taken = await simulation.engine.run(signals.receive(Knock(f"{record.uid}-{record.incarnation}", token)))
    return str(taken.status)


def test_3_ten_are_set_to_six_by_a_person_after_a_policy_said_twelve_while_they_roll() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        rule = {"min_in_service": 4, "max_batch_size": 2}
        await simulation.apply("a", scaling(IMAGES[0], updates=rule))
        await simulation.until_settled()
        diary = watch(simulation, lambda: 4)
        signals, sizes = services(simulation)
        simulation.storm(SLOW)
        assert await knock(simulation, signals) == "SCALED"
        await simulation.apply("a", scaling(IMAGES[1], updates=rule))
        while images(simulation).count(IMAGES[1]) < 3:
            await asyncio.sleep(0.2)
        assert len(machines(simulation)) >= 12
        await simulation.engine.run(sizes.scale(ANN, AT, "g", 6, "the fair is over"))
        await asyncio.sleep(1)
        await simulation.until_settled()
        assert images(simulation) == [IMAGES[1]] * 6
        assert diary.fewest >= 4
        shown = await simulation.engine.run(sizes.get(ANN, AT, "g"))
        assert (shown.size, shown.who, shown.why) == (6, "ann", "the fair is over")
        # A rollback keeps the size: it is no part of a generation.
        await simulation.rollback("a")
        await simulation.apply("a", scaling(IMAGES[0], updates=rule))
        await simulation.until_settled()
        assert images(simulation) == [IMAGES[0]] * 6

    tell(story)


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("least", [0, 3, 5, 6])
def test_a_rolling_update_never_goes_under_min_in_service(least: int, fixed: bool) -> None:
    """Also where the old one must go before the new one comes (a volume that only one can hold): then the group has
    some more members meanwhile."""

    async def story(simulation: Simulation) -> None:
        await simulation.start()
        rule = {"min_in_service": least, "max_batch_size": 2}
        more = {"publish": ["127.0.0.1:0:80"]} if not fixed else {}
        await simulation.apply("a", group(6, IMAGES[0], rule, fixed=fixed, **more))
        await simulation.until_settled()
        diary = watch(simulation, lambda: least)
        simulation.storm(SLOW)
        await simulation.apply("a", group(6, IMAGES[1], rule, fixed=fixed, **more))
        await simulation.until_settled()
        assert images(simulation) == [IMAGES[1]] * 6
        assert diary.fewest >= least
        names = set(await ids(simulation, "a")) - {"net"}
        assert names == {"g", *(f"g/{number}" for number in range(6))}

    tell(story)


def group(count: int, image: str, rule: dict[str, Any], *, fixed: bool = False, **more: Any) -> Graph:
    """A ResourceGroup of machines; `fixed`: each has an address of its own, so that old and new exclude each other."""
    nic = {"network": Ref("net")} | ({"ip": "10.9.0.1%index%"} if fixed else {})
    shape = {
        "kind": "Machine",
        "type_name": "Terrace::Machine",
        "properties": machine("x", image=image, networks=[nic], **more).properties,
    }
    properties = {"count": count, "resource_def": shape, "update_policy": {"rolling_update": rule}}
    return Graph((Node("net", "Network", {"cidr": "10.9.0.0/24"}), Node("g", "Group", properties)))


def test_members_are_made_in_batches_if_that_is_asked_for() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        simulation.storm(SLOW)
        shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": machine("x").properties}
        batches = {"batch_create": {"max_batch_size": 2, "pause_time": 30}}
        node = Node("g", "Group", {"count": 6, "resource_def": shape, "update_policy": batches})
        await simulation.apply("a", Graph((node,)))
        began = simulation.clock.now()
        await simulation.until_settled()
        assert simulation.clock.now() - began > 60
        created = sorted(entry.at for entry in simulation.world.diary if entry.what == "create")
        assert created[2] - created[1] > 25
        assert created[4] - created[3] > 25

    tell(story)


def test_failed_members_go_first_then_the_oldest() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await simulation.apply("a", scaling(IMAGES[0], desired=5))
        await simulation.until_settled()
        _, sizes = services(simulation)
        await simulation.engine.run(sizes.scale(ANN, AT, "g", 3))
        await asyncio.sleep(1)
        await simulation.until_settled()
        assert set(await ids(simulation, "a")) == {"g", "more", "g/2", "g/3", "g/4"}
        await simulation.engine.run(sizes.scale(ANN, AT, "g", 4))
        await asyncio.sleep(1)
        await simulation.until_settled()
        assert set(await ids(simulation, "a")) == {"g", "more", "g/2", "g/3", "g/4", "g/5"}

    tell(story)


def test_a_size_outlives_the_engine_that_took_it() -> None:
    async def story(simulation: Simulation) -> None:
        first = await simulation.start()
        await simulation.apply("a", scaling(IMAGES[0], desired=4))
        await simulation.until_settled()
        _, sizes = services(simulation)
        await simulation.engine.run(sizes.scale(ANN, AT, "g", 7))
        await simulation.kill(first, power=True)
        await simulation.start("two")
        await asyncio.sleep(20)
        await simulation.until_settled()
        assert len(machines(simulation)) == 7

    tell(story)


def test_a_signal_outlives_the_engine_that_took_it_and_waiting_ends_in_time() -> None:
    async def story(simulation: Simulation) -> None:
        first = await simulation.start()
        condition = {
            "handle": Ref("h", ("id",)),
            "signals": Ref("h", ("signals",)),
            "count": 2,
            "timeout": 100,
        }
        graph = Graph((Node("h", "WaitConditionHandle", {}), Node("w", "WaitCondition", condition)))
        await simulation.apply("a", graph)
        await asyncio.sleep(1)
        signals, _ = services(simulation)
        assert await knock(simulation, signals, "h") == "SUCCESS"
        await simulation.kill(first, power=True)
        second = await simulation.start("two")
        await asyncio.sleep(20)
        stack = await simulation.find("a")
        assert stack is not None
        assert "1 of 2 signals came" in stack.why
        await asyncio.sleep(100)
        stack = await simulation.find("a")
        assert stack is not None
        assert "timed out after 100 s: 1 of 2 signals came" in stack.why
        signals, _ = services(simulation)
        assert await knock(simulation, signals, "h") == "SUCCESS"
        await simulation.until_settled()
        assert second.alive

    tell(story)
