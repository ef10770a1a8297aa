"""Things that exist already: imported, external, abandoned."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.runtime.bench import STACK, Bench, play, shop
from tests.unit.runtime.test_orders import order

from terrace.drivers.sim.thing import Thing
from terrace.model.graph import Graph, Keep, Node
from terrace.model.plan import Planned
from terrace.model.record import State
from terrace.model.seen import Owner
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.volume import VolumeSpec
from terrace.model.stack import Generation, Source, Stack
from terrace.model.value import Ref


def machine(path: str = "db", **more: Any) -> Node:
    """A machine as a template wants it."""
    return Node(path, "Machine", {"image": "one", "memory": 64}, **more)


def plant(bench: Bench, memory: int = 64) -> Thing:
    """A machine that somebody made by hand. From now on Terrace may touch it, which the world is told."""
    thing = bench.outside.plant("Machine", MachineSpec("old-db", "one", memory=memory))
    bench.world.adopted.add(thing.provider_id)
    return thing


async def item(bench: Bench, graph: Graph, path: str) -> Any:
    """What a plan says of one path."""
    plan = await bench.controller.plan(await bench.store.stack(STACK), graph)
    return next(one for one in plan.items if one.path == path)


def test_an_imported_machine_is_taken_on_and_managed_from_then_on() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        graph = Graph((machine(),))
        assert (await item(bench, graph, "db")).what is Planned.ADOPT
        await bench.up(graph)
        assert await bench.id("db") == thing.provider_id
        assert len(bench.world.things) == 1
        (ruling,) = await bench.store.rulings("local")
        assert (ruling.what, ruling.provider_id, ruling.path) == ("adopted", thing.provider_id, "db")
        assert await bench.store.directives(STACK) == []
        await bench.clock.sleep(200)
        assert await bench.id("db") == thing.provider_id
        assert (await item(bench, graph, "db")).what is Planned.NOTHING
        bench.outside.stop(thing.provider_id)
        await bench.clock.sleep(5)
        await bench.settled()
        assert thing.state == "running"
        await bench.up(Graph((Node("db", "Machine", {"image": "one", "memory": 128}),)))
        assert (await bench.id("db"), thing.properties["memory"]) == (thing.provider_id, 128)
        await bench.down()
        assert not bench.world.things
        assert await bench.store.rulings("local") == []
        assert not bench.world.violations

    play(scene)


def test_what_an_imported_machine_shows_differently_is_corrected() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench, memory=32)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.up(Graph((machine(),)))
        await bench.clock.sleep(60)
        await bench.settled()
        assert (await bench.id("db"), thing.properties["memory"]) == (thing.provider_id, 64)

    play(scene)


def test_what_was_imported_and_does_not_fit_is_not_replaced_before_a_person_says_so() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.want(Graph((Node("db", "Machine", {"image": "two", "memory": 64}),)))
        await bench.clock.sleep(60)
        record = (await bench.records())["db"]
        assert (record.state, record.provider_id) == (State.FAILING, thing.provider_id)
        assert "only a new one would" in record.why
        assert set(bench.world.things) == {thing.provider_id}
        await order(bench, "db", "taint", 1)
        await bench.clock.sleep(60)
        await bench.settled()
        assert thing.provider_id not in bench.world.things

    play(scene)


def test_an_imported_machine_is_replaced_and_healed_like_any_other() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.up(Graph((machine(),)))
        await bench.up(Graph((Node("db", "Machine", {"image": "two", "memory": 64}),)))
        second = await bench.id("db")
        assert thing.provider_id not in bench.world.things
        assert await bench.store.rulings("local") == []
        bench.outside.remove(second)
        await bench.clock.sleep(5)
        await bench.settled()
        assert len(bench.world.things) == 1

    play(scene)


def test_an_imported_machine_that_vanishes_is_made_anew_as_our_own() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.up(Graph((machine(),)))
        bench.outside.remove(thing.provider_id)
        await bench.clock.sleep(5)
        await bench.settled()
        record = (await bench.records())["db"]
        assert (record.incarnation, record.adopted) == (2, "")
        assert await bench.store.rulings("local") == []

    play(scene)


def test_an_imported_machine_outlives_the_process() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.up(Graph((machine(),)))
        await bench.controller.stop()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(120)
        await bench.settled()
        assert set(bench.world.things) == {thing.provider_id}
        assert await bench.controller.ghosts() == []

    play(scene)


def test_what_was_imported_and_retained_is_taken_back() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await bench.up(Graph((machine(keep=Keep.RETAIN),)))
        await bench.up(Graph())
        assert [ruling.what for ruling in await bench.store.rulings("local")] == ["released"]
        assert thing.provider_id in bench.world.things
        await bench.up(Graph((machine(keep=Keep.RETAIN),)))
        assert await bench.id("db") == thing.provider_id
        assert set(bench.world.things) == {thing.provider_id}

    play(scene)


def test_one_resource_at_most_takes_a_thing_on() -> None:
    async def scene(bench: Bench) -> None:
        thing = plant(bench)
        await bench.up(Graph())
        await order(bench, "db", "import", thing.provider_id)
        await order(bench, "other", "import", thing.provider_id)
        await bench.want(Graph((machine(), machine("other"))))
        await bench.clock.sleep(5)
        records = await bench.records()
        faults = sorted(record.fault.code for record in records.values() if record.fault)
        assert faults == ["already-adopted"]
        assert set(bench.world.things) == {thing.provider_id}

    play(scene)


@pytest.mark.parametrize("whose", ["elsewhere", "ours"])
def test_what_is_managed_already_is_not_imported(whose: str) -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(Graph((machine("web"),)))
        mine = await bench.id("web")
        other = bench.outside.plant("Machine", MachineSpec("o", "one"), Owner("elsewhere", "x", 1))
        await order(bench, "db", "import", mine if whose == "ours" else other.provider_id)
        await bench.want(Graph((machine("web"), machine())))
        await bench.clock.sleep(5)
        record = (await bench.records())["db"]
        assert record.fault is not None
        assert (record.fault.code, record.provider_id) == ("already-adopted", "")

    play(scene)


def test_what_is_not_there_cannot_be_imported() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(Graph())
        await order(bench, "db", "import", "nothing")
        await bench.want(Graph((machine(),)))
        await bench.clock.sleep(5)
        record = (await bench.records())["db"]
        assert record.fault is not None
        assert record.fault.code == "nothing-to-adopt"
        assert not bench.world.things

    play(scene)


def external(thing: Thing, path: str = "db") -> Node:
    """A resource that stands for a thing of somebody else."""
    return Node(path, "Machine", {}, external_id=thing.provider_id)


def test_an_external_thing_is_referred_to_checked_and_never_touched() -> None:
    async def scene(bench: Bench) -> None:
        thing = bench.outside.plant("Machine", MachineSpec("old-db", "one", memory=32))
        web = Node("web", "Machine", {"image": "one", "environment": {"DB": Ref("db", ("id",))}})
        graph = Graph((external(thing), web))
        await bench.up(graph)
        records = await bench.records()
        assert records["db"].provider_id == thing.provider_id
        assert records["web"].applied is not None
        assert records["web"].applied["environment"] == {"DB": thing.provider_id}
        assert {
            one.what for one in (await bench.controller.plan(await bench.store.stack(STACK), graph)).items
        } == {Planned.NOTHING}
        bench.outside.stop(thing.provider_id)
        await bench.clock.sleep(100)
        assert thing.state == "exited"
        await bench.down()
        assert set(bench.world.things) == {thing.provider_id}
        assert await bench.store.rulings("local") == []
        assert not bench.world.violations

    play(scene)


def test_an_external_thing_that_is_gone_fails_and_is_not_made() -> None:
    async def scene(bench: Bench) -> None:
        thing = bench.outside.plant("Machine", MachineSpec("old-db", "one"))
        await bench.up(Graph((external(thing),)))
        bench.outside.remove(thing.provider_id)
        await bench.clock.sleep(100)
        record = (await bench.records())["db"]
        assert record.state is State.FAILING
        assert "no longer there" in record.why
        assert not bench.world.things

    play(scene)


def test_another_external_id_lets_the_first_thing_go() -> None:
    async def scene(bench: Bench) -> None:
        first = bench.outside.plant("Volume", VolumeSpec("one"))
        second = bench.outside.plant("Volume", VolumeSpec("two"))
        await bench.up(Graph((Node("v", "Volume", {}, external_id=first.provider_id),)))
        await bench.up(Graph((Node("v", "Volume", {}, external_id="two"),)))
        await bench.clock.sleep(60)
        assert await bench.id("v") == second.provider_id
        assert {first.provider_id, second.provider_id} == set(bench.world.things)
        assert [ruling.provider_id for ruling in await bench.store.rulings("local")] == [second.provider_id]

    play(scene)


def test_a_resource_becomes_external_and_our_own_again() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(Graph((machine(),)))
        thing = bench.outside.plant("Machine", MachineSpec("old-db", "one"))
        await bench.up(Graph((external(thing),)))
        assert set(bench.world.things) == {thing.provider_id}
        await bench.up(Graph((machine(),)))
        assert len(bench.world.things) == 2
        assert thing.provider_id in bench.world.things
        assert await bench.id("db") != thing.provider_id

    play(scene)


def test_an_abandoned_stack_keeps_its_things_and_is_adopted_again() -> None:
    async def scene(bench: Bench) -> None:
        shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": {"image": "one"}}
        group = Node("many", "Group", {"count": 2, "resource_def": shape})
        graph = Graph((*shop().nodes, group, Node("word", "RandomString", {"length": 8})))
        await bench.up(graph)
        records = await bench.records()
        things = set(bench.world.things)
        await bench.want(Graph(), deleting=True, keeping=True)
        await bench.until(bench._gone)
        await bench.clock.sleep(300)
        assert set(bench.world.things) == things
        assert await bench.controller.ghosts() == []
        assert {ruling.what for ruling in await bench.store.rulings("local")} == {"disowned"}
        again = Generation(0, graph, Source("t"), bench.clock.now())
        stack = Stack("s2", "default", "s", 0)
        await bench.store.save_generation(stack, again, 0, list(records.values()))
        bench.controller.wake("s2")
        await bench.clock.sleep(100)
        now = {record.path: record for record in await bench.store.records("s2")}
        assert {path: record.provider_id for path, record in now.items()} == {
            path: record.provider_id for path, record in records.items()
        }
        assert now["word"].seen == records["word"].seen
        found = await bench.store.stack("s2")
        assert found is not None
        assert found.phase == "settled"
        assert await bench.store.rulings("local") == []
        assert set(bench.world.things) == things

    play(scene)
