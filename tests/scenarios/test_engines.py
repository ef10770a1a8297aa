"""Several engines on one store: each stack has one of them, and when that is gone another."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from terrace.drivers.sim.faults import Faults
from terrace.model.graph import Graph, Node, Output
from terrace.model.plan import Planned
from terrace.model.value import Ref
from terrace.ports.engines import API
from tests.scenarios.design import PROVIDER
from tests.scenarios.harness import Simulation
from tests.scenarios.process import Process
from tests.scenarios.test_named import machine, machines, made, tell

LEASE = 10.0
SLACK = 2.0


async def _wake(process: Process, stack: str) -> None:
    assert process.controller is not None
    process.controller.wake(stack, rung=False)


def shares(simulation: Simulation) -> Counter[str]:
    """How many stacks each engine holds, by its name."""
    held = [lease.holder for lease in stacks(simulation).values() if lease.holder]
    return Counter(holder.rpartition("-")[0] for holder in held)


def stacks(simulation: Simulation) -> dict[str, Any]:
    """The leases of stacks."""
    return {
        scope: lease for scope, lease in simulation.store._tables.leases.items() if scope.startswith("stack:")
    }


async def many(simulation: Simulation, count: int) -> None:
    for number in range(count):
        await simulation.apply(f"s{number}", Graph((machine("m"),)))


async def lister(simulation: Simulation) -> str:
    """Who lists the provider."""
    return str(simulation.store._tables.leases[f"provider:{PROVIDER}/"].holder.rpartition("-")[0])


def test_stacks_are_shared_evenly_and_stay_where_they_are() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start("first")
        await many(simulation, 9)
        await simulation.until_settled()
        assert shares(simulation) == {"first": 9}
        await simulation.start("second")
        await simulation.start("third")
        await asyncio.sleep(2 * LEASE)
        assert shares(simulation) == {"first": 3, "second": 3, "third": 3}
        before = stacks(simulation)
        await asyncio.sleep(600)
        assert stacks(simulation) == before, "nothing goes to and fro"
        await simulation.apply("new", Graph((machine("m"),)))
        await simulation.until_settled()
        assert sorted(shares(simulation).values()) == [3, 3, 4]
        assert set(made(simulation).values()) == {1}

    tell(story)


def test_a_dead_engines_stacks_are_taken_over_within_a_lease_and_a_little() -> None:
    async def story(simulation: Simulation) -> None:
        for name in ("first", "second", "third"):
            await simulation.start(name)
        await many(simulation, 9)
        await simulation.until_settled()
        for victim in list(simulation.processes)[:2]:
            await simulation.kill(victim)
            await asyncio.sleep(LEASE + SLACK)
            assert victim.name not in shares(simulation)
            assert shares(simulation).total() == 9
        assert shares(simulation) == {"third": 9}
        simulation.outside.stop(machines(simulation)[0].provider_id, 1)
        await asyncio.sleep(40)
        assert {thing.state for thing in machines(simulation)} == {"running"}
        assert set(made(simulation).values()) == {1}

    tell(story)


def test_an_engine_that_is_cut_off_sends_nothing_past_its_lease() -> None:
    """It cannot hear that others took over; its own clock has to tell it."""

    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"*": (3.0, 3.0)}))
        first: Process = await simulation.start("first")
        await simulation.apply("a", Graph(tuple(machine(f"m{n}") for n in range(60))))
        await asyncio.sleep(4)
        first.cut_off = True
        sent: list[float] = []
        simulation.strike = lambda process, where: (
            process is first
            and where.startswith(("create", "start"))
            and where.endswith("before")
            and bool(sent.append(simulation.clock.now()))  # type: ignore[func-returns-value]
        )
        cut = simulation.clock.now()
        await simulation.start("second")
        await asyncio.sleep(LEASE + SLACK)
        assert shares(simulation) == {"second": 1}
        await simulation.until_settled()
        assert sent, "what was under way went on"
        assert max(sent) < cut + LEASE
        first.cut_off = False
        await asyncio.sleep(3 * LEASE)
        assert len(machines(simulation)) == 60
        assert set(made(simulation).values()) == {1}

    tell(story)


def test_one_lists_for_all_and_what_happens_to_any_stack_is_mended() -> None:
    async def story(simulation: Simulation) -> None:
        for name in ("first", "second", "third"):
            await simulation.start(name)
        await many(simulation, 6)
        await simulation.until_settled()
        await asyncio.sleep(60)
        before = simulation.world.requests["list"]
        await asyncio.sleep(600)
        assert simulation.world.requests["list"] - before <= 21, "one listing a resync, whoever is there"
        for thing in machines(simulation):
            simulation.outside.stop(thing.provider_id, 1)
        await asyncio.sleep(10)
        assert {thing.state for thing in machines(simulation)} == {"running"}
        (victim,) = [one for one in simulation.processes if one.name == await lister(simulation)]
        await simulation.kill(victim)
        await asyncio.sleep(LEASE + SLACK)
        assert await lister(simulation) != victim.name
        for thing in machines(simulation):
            simulation.outside.remove(thing.provider_id)
        await asyncio.sleep(20)
        assert {thing.state for thing in machines(simulation)} == {"running"}
        assert len(machines(simulation)) == 6

    tell(story)


def test_one_engine_alone_writes_no_listing() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start("first")
        await many(simulation, 3)
        await simulation.until_settled()
        assert simulation.store._tables.listings == {}
        await simulation.start("second")
        await asyncio.sleep(2 * LEASE)
        assert set(simulation.store._tables.sightings[PROVIDER]) == {
            thing.provider_id for thing in machines(simulation)
        }

    tell(story)


def test_who_stops_finishes_what_it_began_and_others_go_on_at_once() -> None:
    async def story(simulation: Simulation) -> None:
        simulation.storm(Faults(latency={"*": (1.0, 1.0)}))
        first = await simulation.start("first")
        await simulation.apply("a", Graph(tuple(machine(f"m{n}") for n in range(30))))
        await asyncio.sleep(2)
        await simulation.start("second")
        await asyncio.sleep(3)
        began = simulation.clock.now()
        await simulation.stop(first)
        assert simulation.clock.now() - began < 6
        await asyncio.sleep(3)
        assert shares(simulation) == {"second": 1}
        await simulation.until_settled()
        assert set(made(simulation).values()) == {1}

    tell(story)


def test_who_drains_has_nothing_left_and_takes_nothing() -> None:
    async def story(simulation: Simulation) -> None:
        first = await simulation.start("first")
        await simulation.start("second")
        await many(simulation, 6)
        await simulation.until_settled()
        assert shares(simulation) == {"first": 3, "second": 3}
        (member,) = [one for one in await simulation.store.engines.members() if one.name == "first"]
        await simulation.store.engines.drain(member.id, True)
        await asyncio.sleep(LEASE)
        assert shares(simulation) == {"second": 6}
        await simulation.apply("more", Graph((machine("m"),)))
        await simulation.until_settled()
        assert shares(simulation) == {"second": 7}
        await simulation.store.engines.drain(member.id, False)
        await asyncio.sleep(2 * LEASE)
        assert shares(simulation) == {"first": 3, "second": 4}
        assert first.alive

    tell(story)


def test_a_process_that_only_answers_sees_what_the_engines_made() -> None:
    async def story(simulation: Simulation) -> None:
        engine = await simulation.start("engine")
        server = await simulation.start("server", roles=(API,))
        graph = Graph(
            (machine("m"), Node("word", "RandomString", {"length": 9})),
            outputs={"id": Output(Ref("m", ("name",))), "word": Output(Ref("word", ("value",)))},
        )
        await simulation.apply("a", graph)
        await simulation.until_settled()
        assert shares(simulation) == {"engine": 1}
        stack = await simulation.find("a")
        assert stack is not None
        assert server.controller is not None
        assert engine.controller is not None
        outputs = await server.run(server.controller.outputs(stack.id))
        assert outputs == await engine.run(engine.controller.outputs(stack.id))
        assert len(outputs["word"]) == 9
        plan = await server.run(server.controller.plan(stack, graph))
        assert {item.what for item in plan.items} == {Planned.NOTHING}
        engine.freeze()
        simulation.outside.remove(machines(simulation)[0].provider_id)
        fresh = {
            item.path: item.what
            for item in (await server.run(server.controller.plan(stack, graph, fresh=True))).items
        }
        assert fresh["m"] is not Planned.NOTHING, "it looked by itself"
        engine.thaw()
        (status,) = [one for one in server.controller.provider_status() if one.name == PROVIDER]
        assert status.reachable
        assert status.listed > 0

    tell(story)


def test_a_process_that_only_answers_waits_until_an_engine_has_heard() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start("engine")
        server = await simulation.start("server", roles=(API,))
        await simulation.apply("a", Graph((machine("m"),)))
        await simulation.until_settled()
        stack = await simulation.find("a")
        assert stack is not None
        assert server.controller is not None
        await simulation.store.bump_retries(stack.id)
        assert await simulation.store.engines.waiting(stack.id)
        began = simulation.clock.now()
        await server.run(server.controller.heed(stack.id, 30.0))
        assert await simulation.store.engines.waiting(stack.id) == 0
        assert simulation.clock.now() - began < 2.0
        await server.run(_wake(server, stack.id))
        await asyncio.sleep(0.1)
        assert await simulation.store.engines.waiting(stack.id), (
            "what is not the stack's own is rung for by itself"
        )
        await asyncio.sleep(3)
        assert await simulation.store.engines.waiting(stack.id) == 0

    tell(story)


def test_who_was_taken_for_dead_lets_go_of_everything() -> None:
    async def story(simulation: Simulation) -> None:
        first = await simulation.start("first")
        await many(simulation, 4)
        await simulation.until_settled()
        second = await simulation.start("second")
        await asyncio.sleep(2 * LEASE)
        (member,) = [one for one in await simulation.store.engines.members() if one.name == "first"]
        before = {scope: lease.epoch for scope, lease in stacks(simulation).items()}
        simulation.store.bury(member.id)
        await asyncio.sleep(3 * LEASE)
        assert shares(simulation).total() == 4
        at_work = [
            stack
            for process in (first, second)
            if process.controller is not None and process.controller.crew is not None
            for stack in process.controller.crew.workers
        ]
        assert len(at_work) == len(set(at_work)) == 4, "each stack is in the memory of one engine"
        changed = [scope for scope, lease in stacks(simulation).items() if lease.epoch != before[scope]]
        assert len(changed) >= 2

    tell(story)
