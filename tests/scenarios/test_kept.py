"""What histories from seeds have found, each as a story of its own."""

from __future__ import annotations

import asyncio

from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.model.graph import Edge, Graph, Keep, Node, Until
from terrace.model.value import Ref
from tests.scenarios.harness import Simulation
from tests.scenarios.test_named import group, ids, machine, machines, tell


def test_down_and_up_at_once_uses_no_incarnation_number_twice() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        graph = Graph((Node("secret", "RandomString", {"length": 12}), machine("m")))
        await simulation.apply("a", graph)
        await simulation.until_settled()
        await simulation.remember()
        await simulation.down("a")
        await simulation.apply("a", graph)
        await simulation.until_settled()
        await simulation.remember()
        assert len(machines(simulation)) == 1

    tell(story)


def test_what_is_half_made_goes_down_and_not_out_of_mind() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(rules=(Rule(Trouble.LOST, verb="start"),), latency={"*": (0.05, 0.2)}))
        await simulation.start()
        await simulation.apply("a", Graph((machine("m"),)))
        await asyncio.sleep(3)
        assert [thing.state for thing in machines(simulation)] == ["created"]
        await simulation.down("a")
        took = await simulation.until_settled()
        assert machines(simulation) == []
        assert took < 40, "gone by its record, not as a ghost"

    tell(story)


def test_a_wish_that_comes_back_while_members_go_is_carried_out() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        wish = group(4, "registry/debian:12", batch=1)
        await simulation.apply("a", wish)
        await simulation.until_settled()
        simulation.storm(Faults(rules=(Rule(Trouble.BROKEN, verb="delete", times=12),)))
        await simulation.down("a")
        await asyncio.sleep(1)
        await simulation.apply("a", wish)
        await simulation.until_settled()
        assert len(machines(simulation)) == 4

    tell(story)


def test_members_that_wait_for_their_turn_do_not_wait_for_each_other() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await simulation.apply("a", group(4, "registry/debian:12", batch=1))
        await simulation.until_settled()
        simulation.outside.reboot()
        await simulation.apply("a", group(4, "registry/debian:13", batch=1))
        simulation.outside.reboot()
        await simulation.until_settled()
        assert {thing.properties["image"] for thing in machines(simulation)} == {"registry/debian:13"}

    tell(story)


def test_what_merely_comes_after_a_machine_lets_its_old_incarnation_go() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        mounts = [{"volume": Ref("vol"), "path": "/data"}]
        after = Node("t", "TestResource", {"value": 1}, edges=(Edge("db", Until.READY),))
        await simulation.apply(
            "a", Graph((Node("vol", "Volume", {"size": 1}), machine("db", volumes=mounts), after))
        )
        await simulation.until_settled()
        simulation.outside.remove((await ids(simulation, "a"))["vol"])
        await asyncio.sleep(90)
        await simulation.until_settled(within=60)
        assert len(machines(simulation)) == 1

    tell(story)


def test_what_was_kept_and_then_vanished_is_made_anew() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        graph = Graph((machine("m"), Node("vol", "Volume", {"size": 1}, keep=Keep.RETAIN)))
        await simulation.apply("a", graph)
        await simulation.until_settled()
        volume = (await ids(simulation, "a"))["vol"]
        await simulation.apply("a", Graph((machine("m"),)))
        await simulation.until_settled()
        simulation.outside.remove(volume)
        await simulation.apply("a", graph)
        await simulation.until_settled(within=300)
        assert (await ids(simulation, "a"))["vol"] != volume

    tell(story)


def test_an_engine_survives_a_database_that_is_away_for_a_minute() -> None:
    async def story(simulation: Simulation) -> None:
        process = await simulation.start()
        await simulation.apply("a", Graph((machine("m"),)))
        await simulation.until_settled()
        process.cut_off = True
        simulation.outside.reboot()
        await asyncio.sleep(60)
        process.cut_off = False
        await asyncio.sleep(30)
        await simulation.until_settled(within=60)
        assert [thing.state for thing in machines(simulation)] == ["running"]

    tell(story)


def test_a_create_that_the_power_cut_off_is_not_forgotten_when_listings_lag() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(lag=3.0, latency={"*": (0.1, 0.1)}))
        process = await simulation.start()
        await simulation.apply("a", Graph((machine("m"),)))
        while not machines(simulation):
            await asyncio.sleep(0.01)
        await simulation.kill(process, power=True)
        await simulation.down("a")
        await simulation.start("two")
        took = await simulation.until_settled()
        assert machines(simulation) == []
        assert took < 60, "gone by its record, not as a ghost"

    tell(story, lag=3.0)


def test_what_goes_and_what_comes_in_its_place_both_end_when_they_said() -> None:
    """A path has one time to look again: that of the one that is made must not make the one that goes forgotten."""

    async def story(simulation: Simulation) -> None:
        await simulation.start()
        slow = {"value": 1, "waits": {"create": 2.0, "delete": 6.0}}
        graph = Graph((Node("t", "TestResource", slow),))
        await simulation.apply("a", graph)
        await simulation.until_settled()
        await simulation.apply("a", Graph())
        await asyncio.sleep(1)
        await simulation.apply("a", graph)
        await simulation.until_settled(within=60)

    tell(story)


def test_a_stack_that_moves_to_another_engine_hears_of_all_its_things() -> None:
    """What the other engine had read of a listing before the stack was loaded there is not all that there is."""

    async def story(simulation: Simulation) -> None:
        process = await simulation.start("first")
        for number in range(4):
            await simulation.apply(f"s{number}", Graph((machine("m"), machine("n"))))
        await simulation.until_settled()
        simulation.storm(Faults(latency={"list": (0.1, 0.3)}))
        await simulation.kill(process)
        await asyncio.sleep(20)
        before = len(simulation.world.diary)
        for name in ("second", "third"):
            await simulation.start(name)
            await asyncio.sleep(0.02)
        await asyncio.sleep(5)
        simulation.outside.stop(machines(simulation)[0].provider_id, 1)
        await asyncio.sleep(60)
        assert [entry for entry in simulation.world.diary[before:] if entry.what == "create"] == []
        events = await simulation.store.events(limit=10_000)
        assert [event for event in events if event.kind == "resource.vanished"] == []

    for seed in range(8):
        tell(story, seed=seed)


def test_what_may_still_come_is_waited_for_before_a_stack_is_gone() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(rules=(Rule(Trouble.LATE, kind="Machine", verb="create", times=1),)))
        await simulation.start()
        await simulation.apply("a", Graph((machine("m"),)))
        await asyncio.sleep(0.5)
        assert machines(simulation) == []
        await simulation.down("a")
        await simulation.until_settled()
        for _ in range(50):  # less than the grace of ghosts, which would hide what came too late
            assert machines(simulation) == []
            await asyncio.sleep(1)

    tell(story)
