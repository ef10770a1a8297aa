"""What a change in a large group costs, and what is known of members that are not there yet."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.unit.runtime.bench import STACK, Bench, play

from terrace.kinds.group import Group
from terrace.kinds.nested import Nested
from terrace.model.graph import Blueprint, Edge, Graph, Node, Output
from terrace.model.value import Call, Ref, aside

BOX = Blueprint(
    nodes=(
        Node("m", "Machine", {"image": "one", "memory": Call("input", ("memory",))}),
        *(Node(f"v{number}", "Value", {"value": Ref("m", ("id",))}) for number in range(4)),
    ),
    outputs={"id": Output(Ref("v3", ("value",)))},
    parameters={"memory": 64},
)


def boxes(count: int) -> Graph:
    shape = {"kind": "Nested", "type_name": "box.yaml", "blueprint": "box", "properties": {}}
    return Graph((Node("g", "Group", {"count": count, "resource_def": shape}),), {"box": BOX})


@pytest.mark.parametrize("count", [10, 60])
def test_one_childs_change_costs_no_more_than_a_few_expansions(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the group."""
    calls: Counter[str] = Counter()
    for kind in (Group, Nested):
        monkeypatch.setattr(kind, "expand", _counted(kind, calls))

    async def scene(bench: Bench) -> None:
        await bench.up(boxes(count))
        calls.clear()
        bench.outside.stop(await bench.id("g/3/m"))
        await bench.clock.sleep(5)
        await bench.settled()
        assert calls.total() <= 2
        calls.clear()
        bench.outside.remove(await bench.id("g/4/m"))
        await bench.clock.sleep(5)
        await bench.settled()
        assert calls.total() <= 2

    play(scene)


def _counted(kind: Any, calls: Counter[str]) -> Any:
    original = kind.expand

    def expand(self: Any, *given: Any) -> Any:
        calls[kind.name] += 1
        return original(self, *given)

    return expand


def test_attributes_of_members_that_are_not_known_yet() -> None:
    """A property waits for all of them, an output gives null in their places."""
    waits = {"create": 5.0}
    shape = {
        "kind": "TestResource",
        "type_name": "Terrace::TestResource",
        "properties": {"value": "n%index%", "waits": waits},
    }
    graph = Graph(
        (
            Node("g", "Group", {"count": 2, "resource_def": shape}),
            Node("all", "Value", {"value": Ref("g", ("output",))}),
        ),
        outputs={"all": Output(Ref("g", ("output",))), "map": Output(Ref("g", ("attributes", "output")))},
    )

    async def scene(bench: Bench) -> None:
        await bench.want(graph)
        await bench.clock.sleep(1)
        assert await bench.controller.outputs(STACK) == {"all": [None, None], "map": {"0": None, "1": None}}
        assert (await bench.records())["all"].applied is None
        await bench.settled()
        found = await bench.controller.outputs(STACK)
        assert found == {"all": ["n0", "n1"], "map": {"0": "n0", "1": "n1"}}

    play(scene)


def test_a_count_that_is_not_known_yet() -> None:
    shape = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": 1}}
    slow = {"value": 2, "waits": {"create": 5.0}}
    graph = Graph(
        (
            Node("slow", "TestResource", slow),
            Node("g", "Group", {"count": Ref("slow", ("output",)), "resource_def": shape}),
        ),
        outputs={"refs": Output(Ref("g", ("refs",))), "size": Output(Ref("g", ("current_size",)))},
    )

    async def scene(bench: Bench) -> None:
        await bench.want(graph)
        await bench.clock.sleep(1)
        assert await bench.controller.outputs(STACK) == {"refs": None, "size": None}
        await bench.settled()
        assert (await bench.controller.outputs(STACK))["size"] == 2

    play(scene)


def test_what_a_policy_refers_to_holds_nothing_up() -> None:
    """How many change at once is read of something that comes after the group itself."""

    def graph(batch: int, value: int) -> Graph:
        shape = {
            "kind": "Machine",
            "type_name": "Terrace::Machine",
            "properties": {"image": "one", "memory": value},
        }
        rolling = {"max_batch_size": aside(Ref("batch", ("value",))), "pause_time": 5}
        return Graph(
            (
                Node(
                    "g",
                    "Group",
                    {"count": 4, "update_policy": {"rolling_update": rolling}, "resource_def": shape},
                ),
                Node("batch", "Value", {"value": batch}, (Edge("g"),)),
            )
        )

    async def scene(bench: Bench) -> None:
        await bench.up(graph(2, 64))
        await bench.up(graph(2, 128))
        updates = [one for one in await bench.store.events(limit=10_000) if one.kind == "resource.updating"]
        at = sorted({one.at for one in updates if one.path.startswith("g/")})
        assert len(at) == 2, "two at a time"

    play(scene)
