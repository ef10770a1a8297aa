"""Resources under another name are the same things."""

from __future__ import annotations

from msgspec.structs import replace
from tests.unit.runtime.bench import STACK, Bench, play, shop
from tests.unit.runtime.test_orders import order

from terrace.model.graph import Edge, Graph, Node
from terrace.model.plan import Planned
from terrace.model.value import Ref


def renamed(graph: Graph, old: str, new: str) -> Graph:
    """The graph with one node under another path, and everything that refers to it."""

    def value(item: object) -> object:
        if isinstance(item, Ref) and item.node == old:
            return Ref(new, item.path)
        if isinstance(item, dict):
            return {key: value(one) for key, one in item.items()}
        return [value(one) for one in item] if isinstance(item, list) else item

    nodes = [
        replace(
            node,
            path=new if node.path == old else node.path,
            properties=value(node.properties),
            edges=tuple(Edge(new, edge.until) if edge.node == old else edge for edge in node.edges),
        )
        for node in graph.nodes
    ]
    return replace(graph, nodes=tuple(nodes))


def test_what_the_environment_moved_stays_the_same_thing() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        before = {path: record.provider_id for path, record in (await bench.records()).items()}
        graph = replace(renamed(shop(), "db", "store"), moved={"db": "store"})
        plan = await bench.controller.plan(await bench.store.stack(STACK), graph)
        assert {item.path for item in plan.items} == {"net", "data", "store", "web0", "web1"}
        sure = {item.what for item in plan.items if item.certain}
        assert not sure & {Planned.CREATE, Planned.REPLACE, Planned.DELETE}
        await bench.up(graph)
        after = {path: record.provider_id for path, record in (await bench.records()).items()}
        assert after.pop("store") == before.pop("db")
        assert after == before
        assert await bench.events("resource.moved") == ["store"]
        await bench.clock.sleep(100)
        bench.outside.stop(await bench.id("store"))
        await bench.clock.sleep(10)
        await bench.settled()
        await bench.up(shop())
        assert await bench.id("db") == (await bench.records())["db"].provider_id
        assert {path: record.provider_id for path, record in (await bench.records()).items()} == {
            **before,
            "db": await bench.id("db"),
        }
        await bench.down()
        assert not bench.world.things

    play(scene)


def test_going_back_to_the_old_name_makes_nothing_anew() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        db = await bench.id("db")
        await bench.up(replace(renamed(shop(), "db", "store"), moved={"db": "store"}))
        await bench.up(shop())
        assert await bench.id("db") == db

    play(scene)


def test_mv_takes_effect_with_the_next_template() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        db = await bench.id("db")
        await order(bench, "store", "moved", "db")
        await bench.up(shop())
        assert await bench.id("db") == db
        await bench.up(renamed(shop(), "db", "store"))
        assert await bench.id("store") == db
        assert await bench.store.directives(STACK) == []
        await bench.controller.stop()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(60)
        await bench.settled()
        assert await bench.id("store") == db

    play(scene)


def test_a_group_moves_with_all_that_is_in_it() -> None:
    def group(path: str, count: int, **more: object) -> Graph:
        shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": {"image": "one"}}
        return Graph((Node(path, "Group", {"count": count, "resource_def": shape}),), **more)  # type: ignore[arg-type]

    async def scene(bench: Bench) -> None:
        await bench.up(group("web", 2))
        before = set(bench.world.things)
        await bench.up(group("front", 3, moved={"web": "front"}))
        records = await bench.records()
        assert before < set(bench.world.things)
        assert len(bench.world.things) == 3
        assert {records["front/0"].provider_id, records["front/1"].provider_id} == before
        assert set(records) == {"front", "front/0", "front/1", "front/2"}
        await bench.down()
        assert not bench.world.things

    play(scene)


def test_what_stands_under_the_new_name_is_not_overwritten() -> None:
    async def scene(bench: Bench) -> None:
        two = Graph((Node("a", "Value", {"value": 1}), Node("b", "Value", {"value": 2})))
        await bench.up(two)
        b = (await bench.records())["b"].uid
        await bench.up(Graph((Node("b", "Value", {"value": 2}),), moved={"a": "b"}))
        assert (await bench.records())["b"].uid == b

    play(scene)
