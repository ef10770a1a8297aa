"""Generations that fail, and what the owner chose to happen then."""

from __future__ import annotations

from tests.unit.runtime.bench import STACK, Bench, play, shop

from terrace.model.graph import Graph, Node
from terrace.model.stack import OnFailure


def thing(value: str, fail: bool = False, **more: object) -> Graph:
    """One resource that fails on demand."""
    return Graph((Node("t", "TestResource", {"value": value, "fail": fail, **more}),))


def test_a_generation_fails_at_its_first_permanent_error_and_is_kept_at() -> None:
    async def scene(bench: Bench) -> None:
        await bench.want(thing("a", fail=True))
        await bench.clock.sleep(5)
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert stack.phase == "failing"
        assert stack.why.startswith("t is failing")
        generation = await bench.store.generation(STACK, 1)
        assert generation is not None
        assert generation.failed.startswith("t: ")
        assert await bench.events("stack.failed")
        await bench.up(thing("a"))

    play(scene)


def test_rollback_restores_the_last_settled_generation() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(thing("good"))
        await bench.want(thing("bad", fail=True), on_failure=OnFailure.ROLLBACK)
        stack = await bench.settled()
        assert stack.generation == 3
        generation = await bench.store.generation(STACK, 3)
        assert generation is not None
        assert generation.restores == 1
        assert generation.graph == thing("good")
        record = (await bench.records())["t"]
        assert record.applied is not None
        assert record.applied["value"] == "good"
        assert len(await bench.events("stack.rollback")) == 1

    play(scene)


def test_a_first_generation_has_nothing_to_go_back_to_and_says_so() -> None:
    async def scene(bench: Bench) -> None:
        await bench.want(thing("bad", fail=True), on_failure=OnFailure.ROLLBACK)
        await bench.clock.sleep(5)
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert stack.generation == 1
        assert await bench.events("stack.kept")

    play(scene)


def test_a_generation_that_takes_too_long_fails_and_is_still_worked_on() -> None:
    async def scene(bench: Bench) -> None:
        bench.away()
        await bench.want(shop(), timeout=100.0)
        await bench.clock.sleep(90)
        assert not await bench.events("stack.failed")
        await bench.clock.sleep(20)
        assert len(await bench.events("stack.failed")) == 1
        bench.back()
        await bench.settled()

    play(scene)


def test_retry_tries_at_once_what_was_refused() -> None:
    async def scene(bench: Bench) -> None:
        await bench.want(thing("a", fail=True))
        await bench.clock.sleep(5)
        before = (await bench.records())["t"].fault
        assert before is not None
        assert before.permanent
        await bench.clock.sleep(60)
        unchanged = (await bench.records())["t"].fault
        assert unchanged is not None
        assert unchanged.attempts == before.attempts
        await bench.store.bump_retries(STACK)
        bench.controller.wake(STACK)
        await bench.clock.sleep(1)
        after = (await bench.records())["t"].fault
        assert after is not None
        assert after.attempts == before.attempts + 1

    play(scene)


def test_a_change_during_a_change_wins() -> None:
    async def scene(bench: Bench) -> None:
        await bench.want(shop(web=3))
        await bench.want(shop(web=1, image="two"))
        stack = await bench.settled()
        assert stack.generation == 2
        records = await bench.records()
        assert set(records) == {"net", "data", "db", "web0"}
        assert all(r.applied["image"] == "two" for r in records.values() if r.kind == "Machine" and r.applied)
        assert len(bench.world.things) == 4

    play(scene)


def test_down_removes_everything_in_order() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        await bench.down()
        assert not bench.world.things
        assert await bench.store.records(STACK) == []
        gone = await bench.events("resource.gone")
        assert gone.index("web0") < gone.index("db") < gone.index("net")
        assert gone.index("db") < gone.index("data")

    play(scene)


def test_a_new_process_takes_up_where_the_old_one_died() -> None:
    async def scene(bench: Bench) -> None:
        await bench.want(shop(web=4))
        await bench.clock.sleep(0)
        await bench.controller.stop()
        bench.store.crash()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.settled()
        owners = [(t.owner.uid, t.owner.incarnation) for t in bench.world.things.values() if t.owner]
        assert len(owners) == len(set(owners)) == 7

    play(scene)
