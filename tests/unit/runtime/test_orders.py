"""Orders besides the template: taint, restart, suspend and resume."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.runtime.bench import STACK, Bench, play, shop

from terrace.drivers.sim.faults import Faults
from terrace.engine.stack.state import Rules, StackState
from terrace.engine.turn.orders import count
from terrace.model.graph import Graph, Node
from terrace.model.plan import Planned
from terrace.model.stack import Directive, Phase, Stack
from terrace.model.value import Ref


async def order(bench: Bench, path: str, what: str, value: Any) -> None:
    """What the use case does."""
    await bench.store.direct([Directive(STACK, path, what, value)])
    await bench.controller.heed(STACK)


async def phase(bench: Bench, wanted: Phase) -> None:
    """Waits for a phase of the stack."""

    async def reached() -> bool:
        stack = await bench.store.stack(STACK)
        return stack is not None and stack.phase is wanted

    await bench.until(reached)


def starts(bench: Bench, provider_id: str) -> int:
    """How often a machine was started."""
    return len(bench.world.things[provider_id].output)


def test_a_tainted_machine_is_made_anew_once() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        before = {path: record.provider_id for path, record in (await bench.records()).items()}
        await order(bench, "db", "taint", 1)
        await bench.settled()
        after = {path: record.provider_id for path, record in (await bench.records()).items()}
        assert after["db"] != before["db"]
        assert after["data"] == before["data"]
        assert before["db"] not in bench.world.things
        assert (await bench.records())["db"].taints == 1
        await bench.controller.heed(STACK)
        await bench.clock.sleep(100)
        assert await bench.id("db") == after["db"]

    play(scene)


def test_a_plan_says_what_a_taint_will_do() -> None:
    async def scene(bench: Bench) -> None:
        bench.away()
        graph = Graph((Node("s", "RandomString", {"length": 8}), Node("v", "Value", {"value": Ref("s")})))
        await bench.up(graph)
        value = (await bench.records())["s"].seen.attributes["value"]  # type: ignore[union-attr]
        await bench.controller.stop()
        await bench.store.direct([Directive(STACK, "s", "taint", 1)])
        stack = await bench.store.stack(STACK)
        items = {item.path: item for item in (await bench.controller.plan(stack, graph)).items}
        assert (items["s"].what, items["s"].reason) == (Planned.REPLACE, "it was tainted")
        assert items["v"].what is Planned.UPDATE
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(20)
        await bench.settled()
        records = await bench.records()
        assert records["s"].seen.attributes["value"] != value  # type: ignore[union-attr]
        assert records["v"].seen.attributes["value"] == records["s"].seen.attributes["value"]  # type: ignore[union-attr]

    play(scene)


def test_what_is_new_has_followed_every_order_given_before() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop(1))
        await order(bench, "web0", "taint", 3)
        await bench.settled()
        await bench.up(shop(0))
        await bench.up(shop(1))
        assert (await bench.records())["web0"].taints == 3
        assert len(bench.world.diary) == len({(e.what, e.provider_id) for e in bench.world.diary})

    play(scene)


def test_a_restart_happens_once_for_each_time_it_was_asked_for() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        db = await bench.id("db")
        await order(bench, "db", "restart", 1)
        await bench.settled()
        assert starts(bench, db) == 2
        await bench.controller.heed(STACK)
        await bench.clock.sleep(60)
        assert starts(bench, db) == 2
        await order(bench, "db", "restart", 2)
        await bench.settled()
        assert (starts(bench, db), await bench.id("db")) == (3, db)

    play(scene)


def test_a_restart_that_was_asked_for_outlives_the_process() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        db = await bench.id("db")
        await bench.controller.stop()
        await bench.store.direct([Directive(STACK, "db", "restart", 1)])
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(20)
        await bench.settled()
        assert starts(bench, db) == 2

    play(scene)


def test_a_suspended_stack_stands_still_and_is_not_healed() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        before = {path: record.provider_id for path, record in (await bench.records()).items()}
        await order(bench, "", "suspended", True)
        await phase(bench, Phase.SUSPENDED)
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert stack.settled == stack.generation
        machines = {
            path: record for path, record in (await bench.records()).items() if record.kind == "Machine"
        }
        assert {record.state for record in machines.values()} == {"suspended"}
        assert {bench.world.things[record.provider_id].state for record in machines.values()} == {"exited"}
        plan = await bench.controller.plan(stack, shop())
        assert {item.what for item in plan.items} == {Planned.NOTHING}
        bench.outside.remove(before["web1"])
        await bench.clock.sleep(100)
        assert len([thing for thing in bench.world.things.values() if thing.kind == "Machine"]) == 2
        writes = bench.writes
        await bench.clock.sleep(300)
        assert bench.writes == writes
        await order(bench, "", "suspended", None)
        await bench.settled()
        records = await bench.records()
        assert {
            record.seen.state for record in records.values() if record.seen and record.kind == "Machine"
        } == {"running"}
        assert records["db"].provider_id == before["db"]
        assert records["web1"].provider_id != before["web1"]
        assert await bench.events("stack.suspended") == ["suspended"] or await bench.events("stack.suspended")

    play(scene)


def test_what_had_ended_before_the_stack_was_suspended_does_not_start_with_it() -> None:
    async def scene(bench: Bench) -> None:
        job = Node("job", "Machine", {"image": "one", "restart": "never"})
        await bench.up(Graph((job, Node("web", "Machine", {"image": "one", "restart": "never"}))))
        bench.outside.stop(await bench.id("job"), 0)
        await bench.clock.sleep(5)
        await bench.settled()
        await order(bench, "", "suspended", True)
        await phase(bench, Phase.SUSPENDED)
        await order(bench, "", "suspended", None)
        await bench.settled()
        states = {path: record.seen.state for path, record in (await bench.records()).items() if record.seen}
        assert states["job"] == "exited"
        assert states["web"] == "running"

    play(scene)


def test_a_stack_suspended_on_its_way_up_makes_nothing_more() -> None:
    async def scene(bench: Bench) -> None:
        bench.world.faults = Faults(latency={"*": (1.0, 1.0)})
        await bench.want(shop())
        await bench.clock.sleep(2.5)
        await order(bench, "", "suspended", True)
        await bench.clock.sleep(60)
        made = set(bench.world.things)
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert (stack.phase, "suspended" in stack.why) == (Phase.SETTLING, True)
        await bench.clock.sleep(5000)
        assert set(bench.world.things) == made
        assert not (await bench.store.generations(STACK))[0].failed
        await order(bench, "", "suspended", None)
        await bench.settled()

    play(scene)


def test_a_suspended_stack_goes_down() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        await order(bench, "", "suspended", True)
        await phase(bench, Phase.SUSPENDED)
        await bench.down()
        assert not [thing for thing in bench.world.things.values() if thing.kind != "Image"]

    play(scene)


@pytest.mark.parametrize("value", [None, "three", {"of": 1}])
def test_a_counter_that_is_none_counts_as_nothing(value: Any) -> None:
    state = StackState(Stack(STACK, "p", "s", 0), Rules({}, {}, lambda data: ""), lambda: "u", "home")
    state.directives = {"web": {"taint": value}}
    assert count(state, "web", "taint") == 0
    assert count(state, "db", "taint") == 0
