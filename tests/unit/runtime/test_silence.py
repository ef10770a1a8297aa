"""A provider that says nothing is what a stack says it waits for."""

from __future__ import annotations

from tests.unit.runtime.bench import Bench, play

from terrace.model.graph import Graph, Node
from terrace.model.value import Ref


def many() -> Graph:
    """A machine that holds up the going of all its volumes."""
    names = [f"v{number}" for number in range(9)]
    mounts = [{"volume": Ref(name), "path": f"/{name}"} for name in names]
    web = Node("web", "Machine", {"image": "one", "volumes": mounts})
    return Graph((*(Node(name, "Volume", {}) for name in names), web))


def test_a_stack_on_its_way_out_names_the_cause_not_what_waits_for_it() -> None:
    async def scene(bench: Bench) -> None:
        stack = await bench.up(many())
        bench.away()
        await bench.clock.sleep(60)
        await bench.want(Graph(), deleting=True)
        await bench.clock.sleep(60)
        head = await bench.store.stack(stack.id)
        assert head is not None
        assert "cannot be reached" in head.why
        bench.back()
        await bench.down()

    play(scene)
