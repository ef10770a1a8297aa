"""Snapshots of a stack, volumes brought back, and volumes copied before they go."""

from __future__ import annotations

from tests.unit.runtime.bench import STACK, Bench, play
from tests.unit.runtime.test_orders import order, starts

from terrace.engine.stack.snapshots import path_of
from terrace.model.graph import Graph, Keep, Node
from terrace.model.plan import Planned
from terrace.model.value import Ref


def db(keep: Keep = Keep.DELETE) -> Graph:
    """A database on a volume, and a machine beside it."""
    mounts = [{"volume": Ref("data"), "path": "/data"}]
    return Graph(
        (
            Node("data", "Volume", {"size": 1}, keep=keep),
            Node("db", "Machine", {"image": "one", "volumes": mounts}),
            Node("web", "Machine", {"image": "one"}),
        )
    )


async def take(bench: Bench, name: str) -> str:
    """What the use case does; the provider id of the copy."""
    data = {"id": await bench.id("data"), "provider": "local"}
    await order(bench, "", f"snapshot/{name}", {"generation": 1, "content": b"", "volumes": {"data": data}})
    await bench.settled()
    return await bench.id(path_of(name, "data"))


def test_a_snapshot_copies_volumes_and_stays_through_changes() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(db())
        bench.world.things[await bench.id("data")].content["file"] = "first"
        copy = await take(bench, "one")
        assert bench.world.things[copy].kind == "VolumeSnapshot"
        assert bench.world.things[copy].content == {"file": "first"}
        await bench.up(Graph((*db().nodes, Node("v", "Value", {"value": 1}))))
        assert copy in bench.world.things
        plan = await bench.controller.plan(await bench.store.stack(STACK), db())
        assert {item.path for item in plan.items if item.what is not Planned.NOTHING} == {"v"}
        await order(bench, "", "snapshot/one", None)
        await bench.settled()
        assert copy not in bench.world.things
        await bench.down()
        assert not bench.world.things

    play(scene)


def test_a_volume_is_brought_back_while_all_machines_stand_still() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(db())
        data, machine = await bench.id("data"), await bench.id("db")
        bench.world.things[data].content["file"] = "first"
        copy = await take(bench, "one")
        bench.world.things[data].content["file"] = "second"
        running = []
        real = bench.world.change

        def change(thing: object, now: float, **state: object) -> object:
            if thing is bench.world.things[data]:
                running.append([one.state for one in bench.world.things.values() if one.kind == "Machine"])
            return real(thing, now, **state)  # type: ignore[arg-type]

        bench.world.change = change  # type: ignore[method-assign, assignment]
        await order(bench, "data", "restore", copy)
        await bench.settled()
        assert bench.world.things[data].content == {"file": "first"}
        assert running == [["exited", "exited"]]
        assert (await bench.id("db"), starts(bench, machine)) == (machine, 2)
        assert {one.state for one in bench.world.things.values() if one.kind == "Machine"} == {"running"}
        assert not [one for one in await bench.store.directives(STACK) if one.what == "restore"]
        bench.world.things[data].content["file"] = "third"
        await bench.clock.sleep(100)
        assert bench.world.things[data].content == {"file": "third"}

    play(scene)


def test_a_restore_that_was_asked_for_outlives_the_process() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(db())
        data = await bench.id("data")
        bench.world.things[data].content["file"] = "first"
        copy = await take(bench, "one")
        bench.world.things[data].content.clear()
        await order(bench, "data", "restore", copy)
        await bench.controller.stop()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(30)
        await bench.settled()
        assert bench.world.things[data].content == {"file": "first"}
        assert {one.state for one in bench.world.things.values() if one.kind == "Machine"} == {"running"}

    play(scene)


def test_a_volume_whose_policy_says_so_is_copied_before_it_goes() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(db(Keep.SNAPSHOT))
        data = await bench.id("data")
        bench.world.things[data].content["file"] = "precious"
        plan = await bench.controller.plan(await bench.store.stack(STACK), Graph(), deleting=True)
        (reason,) = [item.reason for item in plan.items if item.path == "data"]
        assert "copied" in reason
        await bench.down()
        await bench.clock.sleep(300)
        (copy,) = bench.world.things.values()
        assert (copy.kind, copy.content) == ("VolumeSnapshot", {"file": "precious"})
        assert await bench.controller.ghosts() == []
        assert await bench.events("resource.copied") == ["data"]

    play(scene)
