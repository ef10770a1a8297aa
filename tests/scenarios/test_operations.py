"""Scenarios about operations on a stack. The number is that of the design."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

from msgspec.structs import replace

from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.model.graph import Graph, Node
from terrace.model.spec.machine import MachineSpec
from terrace.model.stack import Phase
from terrace.model.value import Ref
from tests.scenarios.design import IMAGES, PROVIDER
from tests.scenarios.harness import HOUR, Simulation, order
from tests.scenarios.test_named import ids, machine, machines, made, tell


async def until_phase(simulation: Simulation, name: str, phase: Phase, within: float = HOUR) -> None:
    """Lets time pass until a stack is in a phase."""
    end = simulation.clock.now() + within
    while True:
        stack = await simulation.find(name)
        if stack is not None and stack.phase is phase:
            return
        assert simulation.clock.now() < end, stack
        await asyncio.sleep(1)
        simulation.check()


def test_8_import_of_a_container_rename_of_the_stack_restore_of_a_backup_taken_before_both() -> None:
    async def story(simulation: Simulation) -> None:
        process = await simulation.start()
        await simulation.apply("a", Graph((machine("web"),)))
        await simulation.until_settled()
        backup = copy.deepcopy(simulation.store._tables)
        thing = simulation.outside.plant("Machine", MachineSpec("db", IMAGES[0], memory=64))
        simulation.world.adopted.add(thing.provider_id)
        await order(simulation, "a", "db", "import", thing.provider_id)
        simulation.loose.add("a:web")
        both = Graph((machine("web", image=IMAGES[1]), machine("db")))
        await simulation.apply("a", both)
        await simulation.until_settled()
        stack = await simulation.find("a")
        assert stack is not None
        await simulation.store.rename(stack.id, "b")
        simulation.wanted["b"] = simulation.wanted.pop("a")
        before = await ids(simulation, "b")
        assert before["db"] == thing.provider_id
        await simulation.kill(process)
        simulation.store._tables = backup
        simulation.wanted = {"a": Graph((machine("web"),))}
        simulation._saved.clear()
        await simulation.start("two")
        await asyncio.sleep(600)
        simulation.check()
        assert set(simulation.world.things) == set(before.values()), "nothing is deleted, replaced or made"
        now = await ids(simulation, "a")
        assert now == {"web": before["web"]}, "the live later incarnation is current"
        engine = simulation.engine
        assert engine.controller is not None
        assert await engine.run(engine.controller.accept_restore()) == [PROVIDER]
        await simulation.until_settled()
        assert thing.provider_id in simulation.world.things, "the database knows nothing of the import"
        assert before["web"] not in simulation.world.things
        await order(simulation, "a", "db", "import", thing.provider_id)
        await simulation.apply("a", Graph((machine("web"), machine("db"))))
        await simulation.until_settled()
        assert (await ids(simulation, "a"))["db"] == thing.provider_id
        assert len(machines(simulation)) == 2

    tell(story)


def test_an_import_is_taken_on_once_wherever_the_engine_dies() -> None:
    for point in range(12):

        async def story(simulation: Simulation, point: int = point) -> None:
            thing = simulation.outside.plant("Machine", MachineSpec("db", IMAGES[0], memory=64))
            simulation.world.adopted.add(thing.provider_id)
            process = await simulation.start()
            await simulation.apply("a", Graph())
            await simulation.until_settled()
            left = point

            def strike(process: Any, where: str) -> bool:
                nonlocal left
                left -= 1
                return left < 0

            await order(simulation, "a", "db", "import", thing.provider_id)
            simulation.strike = strike
            await simulation.apply("a", Graph((machine("db"),)))
            for _ in range(200):
                if not process.alive:
                    break
                await asyncio.sleep(0.05)
            simulation.strike = lambda process, where: False
            if not process.alive:
                await simulation.kill(process, power=True)
                await simulation.start("two")
            await simulation.until_settled()
            await asyncio.sleep(120)
            assert await ids(simulation, "a") == {"db": thing.provider_id}
            assert set(simulation.world.things) == {thing.provider_id}
            assert [one.what for one in await simulation.store.rulings(PROVIDER)] == ["adopted"]

        tell(story)


def test_a_stack_is_suspended_and_resumed_through_kills_and_faults() -> None:
    async def story(simulation: Simulation) -> None:
        process = await simulation.start()
        await simulation.apply("a", Graph(tuple(machine(f"m{n}") for n in range(6))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        lost = Rule(Trouble.LOST, verb="stop", times=2)
        simulation.storm(Faults(rules=(lost,), latency={"*": (0.1, 2.0)}))
        await order(simulation, "a", "", "suspended", True)
        await asyncio.sleep(1.5)
        await simulation.kill(process, power=True)
        process = await simulation.start("two")
        await until_phase(simulation, "a", Phase.SUSPENDED)
        assert {thing.state for thing in machines(simulation)} == {"exited"}
        await asyncio.sleep(HOUR / 4)
        assert {thing.state for thing in machines(simulation)} == {"exited"}, "nothing is healed"
        await simulation.kill(process, power=True)
        await simulation.start("three")
        await asyncio.sleep(120)
        assert {thing.state for thing in machines(simulation)} == {"exited"}
        await order(simulation, "a", "", "suspended", None)
        await until_phase(simulation, "a", Phase.SETTLED)
        assert {thing.state for thing in machines(simulation)} == {"running"}
        assert await ids(simulation, "a") == before

    tell(story)


def test_a_taint_replaces_once_whatever_dies_meanwhile() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        await simulation.apply("a", Graph((machine("web"), machine("other"))))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        simulation.storm(Faults(latency={"*": (0.5, 1.0)}))
        await order(simulation, "a", "web", "taint", 1)
        for name in ("two", "three", "four"):
            await asyncio.sleep(0.7)
            await simulation.kill(simulation.processes[0], power=True)
            await simulation.start(name)
        await asyncio.sleep(30)
        await simulation.until_settled()
        await asyncio.sleep(120)
        after = await ids(simulation, "a")
        assert (after["other"], after["web"] != before["web"]) == (before["other"], True)
        assert len(machines(simulation)) == 2
        assert len(made(simulation)) == 3

    tell(story)


def test_a_hook_holds_through_a_restart_and_is_cleared_once() -> None:
    async def story(simulation: Simulation) -> None:
        process = await simulation.start()
        held = replace(machine("web"), hooks=("pre-create",))
        await simulation.apply("a", Graph((held, Node("v", "Value", {"value": 1}))))
        await asyncio.sleep(60)
        assert machines(simulation) == []
        await simulation.kill(process, power=True)
        await simulation.start("two")
        await asyncio.sleep(60)
        assert machines(simulation) == []
        stack = await simulation.find("a")
        assert stack is not None
        record = next(one for one in await simulation.store.records(stack.id) if one.path == "web")
        hook, _, token = record.hook.partition(" ")
        await order(simulation, "a", "web", f"hook/{hook}", token)
        await simulation.until_settled()
        assert len(machines(simulation)) == 1

    tell(story)


def test_a_snapshot_is_made_and_brought_back_wherever_the_engine_dies() -> None:
    for point in range(0, 40, 3):

        async def story(simulation: Simulation, point: int = point) -> None:
            await simulation.start()
            mounts = [{"volume": Ref("data"), "path": "/data"}]
            graph = Graph((Node("data", "Volume", {"size": 1}), machine("db", volumes=mounts)))
            await simulation.apply("a", graph)
            await simulation.until_settled()
            before = await ids(simulation, "a")
            data = simulation.world.things[before["data"]]
            data.content["file"] = "first"
            left = point

            def strike(process: Any, where: str) -> bool:
                nonlocal left
                left -= 1
                return left == 0

            simulation.strike = strike
            kept = {"id": before["data"], "provider": PROVIDER}
            await order(simulation, "a", "", "snapshot/one", {"generation": 1, "volumes": {"data": kept}})
            await _go_on(simulation)
            after = await ids(simulation, "a")
            copies = [thing for thing in simulation.world.things.values() if thing.kind == "VolumeSnapshot"]
            assert [copy.content for copy in copies] == [{"file": "first"}]
            data.content["file"] = "second"
            await order(simulation, "a", "data", "restore", after["snapshot:one:data"])
            await _go_on(simulation)
            assert data.content == {"file": "first"}
            assert {path: after[path] for path in before} == before
            assert {thing.state for thing in machines(simulation)} == {"running"}

        tell(story)


async def _go_on(simulation: Simulation) -> None:
    """Lets the work be done, by another process if this one dies."""
    for turn in range(3):
        await asyncio.sleep(20)
        for process in list(simulation.processes):
            if not process.alive:
                await simulation.kill(process, power=True)
                await simulation.start(f"again-{turn}")
    await simulation.until_settled()
