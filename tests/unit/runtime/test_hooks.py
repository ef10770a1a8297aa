"""Hooks hold a resource until a person clears them; restricted actions are refused."""

from __future__ import annotations

import pytest
from tests.unit.runtime.bench import STACK, Bench, play
from tests.unit.runtime.test_orders import order

from terrace.model.graph import Edge, Graph, Node
from terrace.model.plan import Planned
from terrace.model.record import Record, State


def machine(memory: int = 64, hooks: tuple[str, ...] = (), **more: object) -> Graph:
    """A machine with hooks, and one that waits for it."""
    web = Node("web", "Machine", {"image": "one", "memory": memory}, hooks=hooks, **more)  # type: ignore[arg-type]
    return Graph((web,))


async def held(bench: Bench, hook: str) -> Record:
    """Waits until the hook holds the machine."""

    async def is_held() -> bool:
        return any(record.hook.startswith(hook) for record in await bench.store.records(STACK))

    await bench.until(is_held, 60)
    return next(record for record in await bench.store.records(STACK) if record.hook.startswith(hook))


async def clear(bench: Bench, record: Record) -> None:
    """What the use case does."""
    hook, _, token = record.hook.partition(" ")
    await order(bench, record.path, f"hook/{hook}", token)


def test_nothing_is_made_before_pre_create_is_cleared() -> None:
    async def scene(bench: Bench) -> None:
        graph = machine(hooks=("pre-create",))
        await bench.want(graph)
        record = await held(bench, "pre-create")
        assert record.state is State.WAITING
        assert "terrace hook clear s web pre-create" in record.why
        await bench.clock.sleep(300)
        assert not bench.world.things
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert "hook clear" in stack.why
        writes = bench.writes
        await bench.clock.sleep(300)
        assert bench.writes == writes, "what is held is quiet"
        await clear(bench, record)
        await bench.settled()
        assert (await bench.records())["web"].hook == ""
        bench.outside.remove(await bench.id("web"))
        await bench.clock.sleep(10)
        await bench.settled()
        assert len(bench.world.things) == 1, "what happened behind our back is mended without asking"

    play(scene)


def test_post_create_holds_what_comes_after() -> None:
    async def scene(bench: Bench) -> None:
        first = machine(hooks=("post-create",)).nodes[0]
        graph = Graph((first, Node("v", "Value", {"value": 1}, (Edge("web"),))))
        await bench.want(graph)
        record = await held(bench, "post-create")
        await bench.clock.sleep(60)
        assert (await bench.records())["v"].state is State.WAITING
        assert len(bench.world.things) == 1
        await clear(bench, record)
        await bench.settled()
        assert (await bench.records())["web"].post == ""

    play(scene)


def test_pre_update_holds_each_change_anew() -> None:
    async def scene(bench: Bench) -> None:
        hooks = ("pre-update", "post-update")
        await bench.up(machine(64, hooks))
        web = await bench.id("web")
        plan = await bench.controller.plan(await bench.store.stack(STACK), machine(128, hooks))
        assert "held by its pre-update hook" in plan.items[0].reason
        for memory in (128, 256):
            await bench.want(machine(memory, hooks))
            record = await held(bench, "pre-update")
            await bench.clock.sleep(60)
            assert bench.world.things[web].properties["memory"] == memory // 2
            await clear(bench, record)
            after = await held(bench, "post-update")
            assert bench.world.things[web].properties["memory"] == memory
            await clear(bench, after)
            await bench.settled()

    play(scene)


def test_pre_and_post_delete_hold_what_nobody_wants() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(machine(hooks=("pre-delete", "post-delete")))
        await bench.want(Graph())
        before = await held(bench, "pre-delete")
        await bench.clock.sleep(60)
        assert len(bench.world.things) == 1
        await clear(bench, before)
        after = await held(bench, "post-delete")
        assert not bench.world.things
        await clear(bench, after)
        await bench.settled()
        assert await bench.store.records(STACK) == []

    play(scene)


@pytest.mark.parametrize(("action", "image", "memory"), [("update", "one", 128), ("replace", "two", 64)])
def test_restricted_actions_are_refused(action: str, image: str, memory: int) -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(machine(restricted=(action,)))
        web = await bench.id("web")
        graph = Graph((Node("web", "Machine", {"image": image, "memory": memory}, restricted=(action,)),))
        (item,) = (await bench.controller.plan(await bench.store.stack(STACK), graph)).items
        assert item.what is Planned.REFUSED
        assert f"may not be {action}d" in item.reason
        await bench.want(graph)
        await bench.clock.sleep(30)
        record = (await bench.records())["web"]
        assert record.state is State.FAILING
        assert f"may not be {action}d" in record.why
        assert (record.provider_id, bench.world.things[web].properties["memory"]) == (web, 64)
        assert (await bench.store.generations(STACK))[0].failed

    play(scene)


def test_a_group_is_held_before_and_after_it_is_made() -> None:
    shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": {"image": "one"}}
    group = Node("g", "Group", {"count": 2, "resource_def": shape}, hooks=("pre-create", "post-create"))

    async def scene(bench: Bench) -> None:
        await bench.want(Graph((group, Node("v", "Value", {"value": 1}, (Edge("g"),)))))
        before = await held(bench, "pre-create")
        await bench.clock.sleep(60)
        assert not bench.world.things
        await clear(bench, before)
        after = await held(bench, "post-create")
        assert len(bench.world.things) == 2
        await bench.clock.sleep(60)
        assert (await bench.records())["v"].state is State.WAITING
        await clear(bench, after)
        await bench.settled()
        assert not [record for record in await bench.store.records(STACK) if record.hook]
        await bench.clock.sleep(60)
        await bench.down()

    play(scene)
