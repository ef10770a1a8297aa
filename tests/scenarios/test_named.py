"""Scenarios with names. The numbers are those of the design; 8 comes with the features that it is about."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.drivers.sim.loop import run_virtual
from terrace.model.graph import Graph, Keep, Node
from terrace.model.plan import Planned
from terrace.model.spec import VolumeSpec
from terrace.model.stack import Generation
from terrace.model.value import Ref
from terrace.ports.driver import CreateOnce
from tests.scenarios import across
from tests.scenarios.design import BOX, IMAGES
from tests.scenarios.harness import HOUR, OnFailure, Simulation
from tests.scenarios.process import Process

Story = Callable[[Simulation], Coroutine[Any, Any, None]]


def tell(story: Story, **more: Any) -> None:
    """Runs a story under virtual time, and checks the invariants at its end."""

    async def main() -> None:
        simulation = Simulation(**more)
        await story(simulation)
        simulation.check()
        await simulation.remember()

    run_virtual(main())


def machine(path: str, **properties: Any) -> Node:
    return Node(path, "Machine", {"image": IMAGES[0], "memory": 64, **properties})


def machines(simulation: Simulation) -> list[Any]:
    return [thing for thing in simulation.world.things.values() if thing.kind == "Machine"]


def made(simulation: Simulation, kind: str = "Machine") -> Counter[Any]:
    """How many things were created for each (uid, incarnation)."""
    return Counter(
        (entry.owner.uid, entry.owner.incarnation)
        for entry in simulation.world.diary
        if entry.what == "create" and entry.kind == kind and entry.owner
    )


async def ids(simulation: Simulation, name: str) -> dict[str, str]:
    """Provider ids by path."""
    stack = await simulation.find(name)
    assert stack is not None
    return {record.path: record.provider_id for record in await simulation.store.records(stack.id)}


def test_1_fifty_machines_killed_between_the_twentieth_apply_and_its_commit() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"*": (0.1, 0.9)}))
        await simulation.start()
        simulation.strike = lambda process, where: (
            where == "commit/before" and sum(thing.state == "running" for thing in machines(simulation)) >= 20
        )
        await simulation.apply("fifty", Graph(tuple(machine(f"m{n}") for n in range(50))))
        while any(process.alive for process in simulation.processes):
            await asyncio.sleep(0.05)
        assert 20 <= len(machines(simulation)) < 50
        simulation.strike = lambda process, where: False
        await simulation.kill(simulation.processes[0], power=True)
        await simulation.start("two")
        await simulation.until_settled()
        assert len(machines(simulation)) == 50
        assert set(made(simulation).values()) == {1}
        assert {incarnation for _, incarnation in made(simulation)} == {1}

    tell(story)


def test_2_a_machine_with_a_volume_is_replaced_while_its_provider_becomes_unknown() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        volume = Node("vol", "Volume", {"size": 1})
        mounts = [{"volume": Ref("vol"), "path": "/data"}]
        await simulation.apply("a", Graph((volume, machine("db", volumes=mounts))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        simulation.world.things[before["vol"]].content["file"] = "precious"
        simulation.storm(
            Faults(rules=(Rule(Trouble.LOST, verb="create", times=1),), latency={"*": (0.5, 0.5)})
        )
        await simulation.apply("a", Graph((volume, machine("db", volumes=mounts, image=IMAGES[1]))))
        while before["db"] in simulation.world.things:
            await asyncio.sleep(0.1)
        simulation.world.weather.go_down(simulation.clock.now() + 900)
        await asyncio.sleep(800)
        assert machines(simulation) == []
        stack = await simulation.find("a")
        assert stack is not None
        assert "local" in stack.why or "answer" in stack.why
        await simulation.until_settled()
        after = await ids(simulation, "a")
        assert after["vol"] == before["vol"]
        assert simulation.world.things[after["vol"]].content == {"file": "precious"}
        assert [thing.properties["image"] for thing in machines(simulation)] == [IMAGES[1]]

    tell(story)


def group(count: int, image: str, **rolling: Any) -> Graph:
    shape = {
        "kind": "Machine",
        "type_name": "Terrace::Machine",
        "properties": machine("x", image=image).properties,
    }
    rule = {"rolling": rolling} if rolling else {}
    return Graph((Node("g", "Group", {"count": count, "resource_def": shape, **rule}),))


def test_3_a_group_is_made_smaller_by_a_person_while_it_rolls() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await simulation.apply("a", group(10, IMAGES[0], batch=2))
        await simulation.until_settled()
        await simulation.apply("a", group(12, IMAGES[0], batch=2))
        await simulation.until_settled()
        simulation.storm(Faults(latency={"*": (1.0, 2.0)}))
        await simulation.apply("a", group(12, IMAGES[1], batch=2))
        while sum(thing.properties["image"] == IMAGES[1] for thing in machines(simulation)) < 3:
            await asyncio.sleep(0.2)
        await simulation.apply("a", group(6, IMAGES[1], batch=2))
        await simulation.until_settled()
        assert [thing.properties["image"] for thing in machines(simulation)] == [IMAGES[1]] * 6
        assert set(await ids(simulation, "a")) == {"g", *(f"g/{n}" for n in range(6))}

    tell(story)


def test_4_down_of_a_stack_whose_export_is_in_use_then_forced() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await across.it_waits_and_follows(simulation)
        await across.what_is_in_use_is_refused(simulation)
        await across.forced_it_goes_and_readers_keep_what_they_had(simulation)
        await across.new_uses_wait(simulation)
        await across.it_is_back_under_its_name(simulation)
        await simulation.down("app")
        await simulation.down("net")
        await simulation.until_settled()

    tell(story)


def test_5_an_engine_is_paused_past_its_lease_and_nothing_tells_creates_apart() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"create": (2.0, 2.0)}))
        first: Process = await simulation.start("first")
        await simulation.apply("a", Graph((machine("m"),)))
        await asyncio.sleep(0.5)
        first.freeze()
        await simulation.start("second")
        await asyncio.sleep(90)
        assert len(machines(simulation)) == 1
        first.thaw()
        await asyncio.sleep(5)
        assert len(machines(simulation)) == 2, "the paused engine's request arrives after all"
        (current,) = (await ids(simulation, "a")).values()
        await asyncio.sleep(200)
        await simulation.until_settled()
        assert [thing.provider_id for thing in machines(simulation)] == [current]

    tell(story, create_once=CreateOnce.NONE, lag=1.0)


def test_5_an_engine_that_was_paused_past_its_lease_sends_nothing_more() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"*": (1.0, 1.0)}))
        first: Process = await simulation.start("first")
        await simulation.apply("a", Graph(tuple(machine(f"m{n}") for n in range(20))))
        await asyncio.sleep(1.2)
        first.freeze()
        await simulation.start("second")
        await asyncio.sleep(60)
        sent: list[str] = []
        simulation.strike = lambda process, where: process is first and bool(sent.append(where))  # type: ignore[func-returns-value]
        first.thaw()
        await asyncio.sleep(60)
        changes = [
            where for where in sent if where.endswith("before") and where.startswith(("create", "start"))
        ]
        assert len(changes) <= 8, f"no more than was under way: {changes}"
        await simulation.until_settled()
        assert len(machines(simulation)) == 20
        assert set(made(simulation).values()) == {1}

    tell(story)


def test_6_how_many_there_are_hangs_on_what_is_not_made_yet() -> None:
    def graph(mtu: int) -> Graph:
        shape = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "%index%"}}
        return Graph(
            (
                Node("net", "Network", {"mtu": mtu}),
                Node("g", "Group", {"count": Ref("net", ("mtu",)), "resource_def": shape}),
                Node("box", "Nested", {"memory": 128}, blueprint="box"),
                Node("v", "Value", {"value": Ref("box", ("id",))}),
            ),
            {"box": BOX},
        )

    async def story(simulation: Simulation) -> None:
        await simulation.start()
        plan = {item.path: item for item in (await simulation.plan("a", graph(0))).items}
        assert plan["g"].what is Planned.UNDECIDED
        assert not plan["g"].certain
        assert not any(path.startswith("g/") for path in plan)
        assert plan["box/m"].what is Planned.CREATE
        await simulation.apply("a", graph(0))
        await simulation.until_settled()
        found = await ids(simulation, "a")
        assert sum(path.startswith("g/") for path in found) == 1500
        assert found["box/m"] in simulation.world.things
        assert not (await simulation.plan("a", graph(0))).changes
        await simulation.apply("a", graph(7))
        await simulation.until_settled()
        assert sum(path.startswith("g/") for path in await ids(simulation, "a")) == 7

    tell(story)


def test_7_a_rollback_takes_back_what_was_replaced_and_what_was_kept() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        first = [machine(f"m{n}") for n in range(5)]
        first[4] = replace(first[4], keep=Keep.RETAIN)
        await simulation.apply("a", Graph(tuple(first)))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        second = [machine(f"m{n}", image=IMAGES[1]) if n < 2 else first[n] for n in range(4)]
        await simulation.apply("a", Graph(tuple(second)))
        await simulation.until_settled()
        assert before["m4"] in simulation.world.things
        assert set(await ids(simulation, "a")) == {"m0", "m1", "m2", "m3"}
        await asyncio.sleep(300)
        assert before["m4"] in simulation.world.things, "what was retained is no ghost"
        stack = await simulation.find("a")
        assert stack is not None
        good: Generation | None = await simulation.store.generation(stack.id, 1)
        assert good is not None
        await simulation.apply("a", good.graph, restores=1)
        await simulation.until_settled()
        after = await ids(simulation, "a")
        assert {path for path in before if after[path] == before[path]} == {"m2", "m3", "m4"}
        assert {thing.properties["image"] for thing in machines(simulation)} == {IMAGES[0]}
        assert len(machines(simulation)) == 5

    tell(story)


def test_9_three_changes_are_asked_for_while_the_provider_is_down_for_an_hour() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await simulation.apply("a", Graph((machine("m0"), machine("m1"))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        simulation.world.weather.go_down(simulation.clock.now() + HOUR)
        await asyncio.sleep(600)
        for memory in (128, 256, 512):
            await simulation.apply("a", Graph((machine("m0", memory=memory), machine("m2"))))
            await asyncio.sleep(600)
        stack = await simulation.find("a")
        assert stack is not None
        assert "local" in stack.why
        took = await simulation.until_settled()
        assert took < 1200 + 330, "no more than one longest back-off after it is there again"
        after = await ids(simulation, "a")
        assert after["m0"] == before["m0"]
        assert sorted(after) == ["m0", "m2"]
        assert sorted(thing.properties["memory"] for thing in machines(simulation)) == [64, 512]
        assert sum(entry.what == "update" for entry in simulation.world.diary) == 1, (
            "only the last wish counts"
        )

    tell(story)


def test_10_a_hundred_and_forty_stacks_are_deleted_at_once() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"*": (0.01, 0.2)}))
        await simulation.start()
        names = [f"s{n}" for n in range(140)]
        network = Node("net", "Network", {})
        for name in names:
            await simulation.apply(name, Graph((network, machine("m", networks=[{"network": Ref("net")}]))))
        await simulation.until_settled()
        assert len(simulation.world.things) == 280
        for name in names:
            await simulation.down(name)
        took = await simulation.until_settled()
        assert simulation.world.things == {}
        assert await simulation.store.stacks() == []
        assert took < 60

    tell(story)


def test_a_ghost_is_reaped_a_ghost_with_data_is_kept_and_what_others_own_is_not_looked_at() -> None:
    async def story(simulation: Simulation) -> None:
        zombies = Rule(Trouble.ZOMBIE, verb="delete", seconds=100.0)
        stray = simulation.outside.plant("Volume", VolumeSpec("stray"))
        process = await simulation.start()
        await simulation.apply("a", Graph((machine("m"), Node("vol", "Volume", {"size": 1}))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        simulation.storm(Faults(rules=(zombies,)))
        await simulation.down("a")
        await simulation.until_settled()
        simulation.storm(Faults())
        assert set(simulation.world.things) == {stray.provider_id}
        await asyncio.sleep(130)
        assert set(before.values()) <= set(simulation.world.things), "both are back"
        await asyncio.sleep(120)
        assert set(simulation.world.things) == {stray.provider_id, before["vol"]}
        assert process.controller is not None
        (ghost,) = await process.run(process.controller.ghosts())
        assert ghost.seen.provider_id == before["vol"]
        assert ghost.kept

    tell(story)


def test_a_generation_that_fails_is_rolled_back_once_if_its_owner_chose_so() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        good = Graph((machine("m"), Node("t", "TestResource", {"value": 1})))
        await simulation.apply("a", good)
        await simulation.until_settled()
        bad = Graph((machine("m", memory=128), Node("t", "TestResource", {"value": 2, "fail": True})))
        await simulation.apply("a", bad, on_failure=OnFailure.ROLLBACK)
        for _ in range(60):
            stack = await simulation.find("a")
            assert stack is not None
            if stack.generation == 3 and stack.settled == 3:
                break
            await asyncio.sleep(1)
        assert (stack.generation, stack.settled) == (3, 3)
        assert [thing.properties["memory"] for thing in machines(simulation)] == [64]
        await asyncio.sleep(HOUR)
        stack = await simulation.find("a")
        assert stack is not None
        assert stack.generation == 3

    tell(story)


def test_after_a_reboot_every_machine_runs_again_and_none_is_new() -> None:
    async def story(simulation: Simulation) -> None:
        process = await simulation.start()
        await simulation.apply("a", Graph(tuple(machine(f"m{n}") for n in range(5))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        await simulation.kill(process, power=True)
        simulation.outside.reboot()
        await asyncio.sleep(30)
        await simulation.start("two")
        await asyncio.sleep(5)
        await simulation.until_settled()
        assert await ids(simulation, "a") == before
        assert {thing.state for thing in machines(simulation)} == {"running"}

    tell(story)
