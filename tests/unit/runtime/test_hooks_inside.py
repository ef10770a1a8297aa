"""Hooks and restrictions of groups, chains and nested templates, of what is in them, and of what comes again."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.runtime.bench import STACK, Bench, play
from tests.unit.runtime.test_hooks import clear, held
from tests.unit.runtime.test_orders import order

from terrace.model.graph import Blueprint, Edge, Graph, Held, Node
from terrace.model.plan import Planned
from terrace.model.record import State
from terrace.model.value import Call

MACHINE = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": {"image": "one", "memory": 64}}
INNER = Blueprint((Node("db", "Machine", {"image": "one", "memory": Call("input", ("memory",))}),))


def shop(memory: int = 64, image: str = "one", **more: Any) -> Graph:
    """A nested template with one machine, and a value that comes after all of it."""
    inner = replace(
        INNER, nodes=(replace(INNER.nodes[0], properties={**INNER.nodes[0].properties, "image": image}),)
    )
    node = Node("shop", "Nested", {"memory": memory}, blueprint="inner.yaml", **more)
    return Graph((node, Node("after", "Value", {"value": memory}, (Edge("shop"),))), {"inner.yaml": inner})


def group(count: int = 2, memory: int = 64, **more: Any) -> Graph:
    """A group of machines."""
    shape = {**MACHINE, "properties": {"image": "one", "memory": memory}}
    return Graph((Node("g", "Group", {"count": count, "resource_def": shape}, **more),))


async def sizes(bench: Bench) -> list[int]:
    return sorted(thing.properties["memory"] for thing in bench.world.things.values())


async def quiet(bench: Bench) -> None:
    """What is held stays as it is, and is quiet."""
    before, writes = await sizes(bench), bench.writes
    await bench.clock.sleep(300)
    assert (await sizes(bench), bench.writes) == (before, writes)


@pytest.mark.parametrize(
    "graph", [shop(128, hooks=("pre-update", "post-update")), None], ids=["given", "made from"]
)
def test_a_nested_template_is_held_before_and_after_what_is_in_it_changes(graph: Graph | None) -> None:
    hooks = ("pre-update", "post-update")
    changed = graph or shop(image="two", hooks=hooks)

    async def scene(bench: Bench) -> None:
        await bench.up(shop(hooks=hooks))
        await bench.up(shop(hooks=hooks))
        (first,) = bench.world.things
        stack = await bench.store.stack(STACK)
        (item, *_) = (await bench.controller.plan(stack, changed)).items
        assert (item.path, item.what) == ("shop/db", Planned.REPLACE if graph is None else Planned.UPDATE)
        reasons = {one.path: one.reason for one in (await bench.controller.plan(stack, changed)).items}
        assert reasons["shop"] == "with what is in it; held by its pre-update hook until that is cleared"
        await bench.want(changed)
        before = await held(bench, "pre-update")
        assert (before.path, before.state) == ("shop", State.WAITING)
        await quiet(bench)
        assert list(bench.world.things) == [first]
        assert await sizes(bench) == [64]
        await clear(bench, before)
        after = await held(bench, "post-update")
        assert after.path == "shop"
        assert [thing.properties["image"] for thing in bench.world.things.values()] != ["one"] or (
            await sizes(bench) == [128]
        )
        await quiet(bench)
        await clear(bench, after)
        await bench.settled()
        assert not [one for one in (await bench.records()).values() if one.hook or one.post]

    play(scene)


def test_a_group_is_held_before_it_changes_and_not_when_a_policy_scales_it() -> None:
    shape = {"min_size": 1, "max_size": 5, "desired_capacity": 2, "resource_def": MACHINE}

    def scaled(**more: Any) -> Graph:
        return Graph((Node("g", "AutoScalingGroup", {**shape, **more}, hooks=("pre-update",)),))

    async def scene(bench: Bench) -> None:
        await bench.up(scaled())
        uid = (await bench.records())["g"].uid
        await order(bench, "g", "size", {"size": 3, "number": 1, "uid": uid, "template": 2})
        await bench.settled()
        assert len(bench.world.things) == 3
        await bench.want(scaled(max_size=2))
        record = await held(bench, "pre-update")
        await quiet(bench)
        assert len(bench.world.things) == 3
        await clear(bench, record)
        await bench.settled()
        assert len(bench.world.things) == 2

    play(scene)


def test_a_group_may_be_restricted() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(group(restricted=("update",)))
        await bench.up(group(restricted=("update",)))
        graph = group(count=3, restricted=("update",))
        items = {
            one.path: one
            for one in (await bench.controller.plan(await bench.store.stack(STACK), graph)).items
        }
        assert (items["g"].what, items["g/0"].what) == (Planned.REFUSED, Planned.NOTHING)
        assert "restricted_actions" in items["g"].hint
        await bench.want(graph)
        await bench.clock.sleep(30)
        record = (await bench.records())["g"]
        assert (record.state, len(bench.world.things)) == (State.FAILING, 2)
        assert record.why.startswith("it may not be updated")
        assert (await bench.store.generations(STACK))[0].failed
        await bench.up(group(count=3))
        assert len(bench.world.things) == 3

    play(scene)


@pytest.mark.parametrize("make", [group, shop])
def test_nothing_in_a_composite_goes_before_its_pre_delete_is_cleared(make: Any) -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(make(hooks=("pre-delete", "post-delete")))
        things = set(bench.world.things)
        await bench.want(Graph())
        before = await held(bench, "pre-delete")
        assert before.path in ("g", "shop")
        await quiet(bench)
        await bench.controller.stop()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(120)
        assert set(bench.world.things) == things
        plan = await bench.controller.plan(await bench.store.stack(STACK), Graph())
        assert {one.what for one in plan.items} == {Planned.DELETE}
        await clear(bench, before)
        after = await held(bench, "post-delete")
        assert not bench.world.things
        await clear(bench, after)
        await bench.settled()
        assert await bench.store.records(STACK) == []

    play(scene)


def test_a_composite_that_is_wanted_again_was_never_touched() -> None:
    async def scene(bench: Bench) -> None:
        graph = group(hooks=("pre-delete",))
        await bench.up(graph)
        things = set(bench.world.things)
        await bench.want(Graph())
        await held(bench, "pre-delete")
        await bench.up(graph)
        assert set(bench.world.things) == things
        assert (await bench.records())["g"].hook == ""

    play(scene)


def test_members_of_groups_are_held_by_their_names() -> None:
    inside = (Held(("1",), ("pre-create",)), Held(("*",), ("pre-delete",)))

    async def scene(bench: Bench) -> None:
        await bench.want(group(held=inside))
        record = await held(bench, "pre-create")
        assert record.path == "g/1"
        await bench.clock.sleep(60)
        assert len(bench.world.things) == 1
        await clear(bench, record)
        await bench.settled()
        await bench.want(group(count=1, held=inside))
        record = await held(bench, "pre-delete")
        assert record.path == "g/1"
        await quiet(bench)
        await clear(bench, record)
        await bench.settled()
        assert len(bench.world.things) == 1
        # Its number again is another member, who is asked about as the first was.
        await bench.want(group(held=inside))
        record = await held(bench, "pre-create")
        assert (record.path, len(bench.world.things)) == ("g/1", 1)
        await clear(bench, record)
        await bench.settled()

    play(scene)


def test_members_of_chains_and_what_is_in_them_are_held() -> None:
    nested = {
        "kind": "Nested",
        "type_name": "inner.yaml",
        "blueprint": "inner.yaml",
        "properties": {"memory": 64},
    }
    inside = (
        Held(("1",), ("pre-create",)),
        Held(("1", "d*"), ("post-create",)),
        Held(("0",), ("post-create",)),
    )
    chain = Node("c", "ResourceChain", {"resources": ["x", "y"], "members": [MACHINE, nested]}, held=inside)

    async def scene(bench: Bench) -> None:
        await bench.want(Graph((chain,), {"inner.yaml": INNER}))
        for path, hook, things in (
            ("c/0", "post-create", 1),
            ("c/1", "pre-create", 1),
            ("c/1/db", "post-create", 2),
        ):
            record = await held(bench, hook)
            assert record.path == path
            await bench.clock.sleep(60)
            assert len(bench.world.things) == things
            await clear(bench, record)
            await bench.until(lambda path=path: let_go(bench, path))
        await bench.settled()

    async def let_go(bench: Bench, path: str) -> bool:
        return (await bench.records())[path].hook == ""

    play(scene)


def test_what_comes_again_is_asked_about_again() -> None:
    async def scene(bench: Bench) -> None:
        graph = Graph((Node("web", "Machine", {"image": "one"}, hooks=("pre-create",)),))
        for _ in range(2):
            await bench.want(graph)
            record = await held(bench, "pre-create")
            await bench.clock.sleep(60)
            assert not bench.world.things
            await clear(bench, record)
            await bench.settled()
            await bench.up(Graph())

    play(scene)


def test_a_group_that_no_hook_holds_any_more_is_worked_on() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(group(hooks=("pre-update",)))
        await bench.want(group(memory=128, hooks=("pre-update",)))
        await held(bench, "pre-update")
        await bench.up(group(memory=128))
        assert await sizes(bench) == [128, 128]
        assert (await bench.records())["g"].hook == ""

    play(scene)
