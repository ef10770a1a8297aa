"""What is replaced: the new one first, unless both would hold the same thing."""

from __future__ import annotations

from tests.unit.runtime.bench import Bench, play, shop

from terrace.model.graph import Edge, Graph, Node, Until
from terrace.model.value import Ref


async def words(bench: Bench, path: str, after: int) -> list[str]:
    """What events say of a path since event number `after`, in order."""
    found = await bench.store.events(after=after, limit=10_000)
    return [event.kind.removeprefix("resource.") for event in found if event.path == path]


async def last(bench: Bench) -> int:
    """The number of the newest event."""
    return (await bench.store.events(limit=1, newest=True))[-1].number


def test_the_old_one_stays_until_the_new_one_is_ready() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop(web=1))
        old, seen = await bench.id("web0"), await last(bench)
        await bench.up(shop(web=1, image="two"))
        assert await words(bench, "web0", seen) == ["creating", "ready", "deleting", "gone"]
        assert await bench.id("web0") != old

    play(scene)


def test_where_both_would_write_one_volume_the_old_one_goes_first() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop(web=0))
        seen = await last(bench)
        await bench.up(shop(web=0, image="two"))
        assert await words(bench, "db", seen) == ["deleting", "gone", "creating", "ready"]
        assert await words(bench, "data", seen) == []

    play(scene)


def test_an_attachment_is_made_again_with_its_end() -> None:
    def attached(image: str) -> Graph:
        ends = {"machine": Ref("m"), "volume": Ref("v"), "path": "/data"}
        edges = (Edge("m", Until.BOUND), Edge("v", Until.BOUND))
        machine = Node("m", "Machine", {"image": image, "publish": [{"guest": 80, "host": 8080}]})
        return Graph((Node("v", "Volume", {}), machine, Node("at", "VolumeAttachment", ends, edges)))

    async def scene(bench: Bench) -> None:
        await bench.up(attached("one"))
        seen = await last(bench)
        await bench.up(attached("two"))
        assert await words(bench, "at", seen) == ["deleting", "gone", "creating", "ready"]
        assert await words(bench, "m", seen) == ["deleting", "gone", "creating", "ready"]

    play(scene)


def test_two_that_swap_what_they_hold_do_not_wait_for_each_other() -> None:
    def ports(a: int, b: int) -> Graph:
        def machine(path: str, port: int) -> Node:
            return Node(path, "Machine", {"image": "one", "publish": [{"guest": 80, "host": port}]})

        return Graph((machine("a", a), machine("b", b)))

    async def scene(bench: Bench) -> None:
        await bench.up(ports(8001, 8002))
        await bench.up(ports(8002, 8001))
        assert len(bench.world.things) == 2

    play(scene)
