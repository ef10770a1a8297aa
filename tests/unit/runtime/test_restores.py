"""After an older copy of the database was put back."""

from __future__ import annotations

import copy

from tests.unit.runtime.bench import STACK, Bench, play, shop

from terrace.model.graph import Graph, Node


async def put_back(bench: Bench, tables: object) -> None:
    """The server is stopped, an older copy of its database is put in place, and it is started again."""
    await bench.controller.stop()
    leases = bench.store._tables.leases
    bench.store._tables = tables  # type: ignore[assignment]
    bench.store._tables.leases = leases
    bench.controller = bench.build()
    await bench.controller.start()


def machine(image: str) -> Graph:
    return Graph((Node("web", "Machine", {"image": image, "memory": 64}),))


def test_a_later_incarnation_becomes_current_and_nothing_is_replaced_without_a_yes() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(machine("one"))
        backup = copy.deepcopy(bench.store._tables)
        await bench.up(machine("two"))
        web = await bench.id("web")
        await put_back(bench, backup)
        await bench.clock.sleep(300)
        record = (await bench.records())["web"]
        assert (record.incarnation, record.provider_id) == (2, web)
        assert set(bench.world.things) == {web}
        assert "accept-restore" in record.why
        assert [len(await bench.events(kind)) for kind in ("stack.restored", "resource.restored")] == [
            1,
            1,
        ]
        await bench.controller.stop()
        bench.controller = bench.build()
        await bench.controller.start()
        await bench.clock.sleep(300)
        assert set(bench.world.things) == {web}, "the doubt outlives the process"
        assert await bench.controller.accept_restore() == ["local"]
        await bench.clock.sleep(60)
        await bench.settled()
        assert len(bench.world.things) == 1
        assert web not in bench.world.things, "what the database wants is right"
        assert await bench.controller.accept_restore() == []

    play(scene)


def test_what_fits_the_older_wish_stays_as_it_is() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        backup = copy.deepcopy(bench.store._tables)
        db = await bench.id("db")
        bench.outside.remove(db)
        await bench.clock.sleep(10)
        await bench.settled()
        now = {path: record.provider_id for path, record in (await bench.records()).items()}
        await put_back(bench, backup)
        await bench.clock.sleep(120)
        assert (await bench.records())["db"].provider_id == now["db"]
        assert set(now.values()) == set(bench.world.things)
        await bench.controller.accept_restore()
        await bench.clock.sleep(120)
        await bench.settled()
        assert {path: record.provider_id for path, record in (await bench.records()).items()} == now

    play(scene)


def test_nothing_is_deleted_without_a_yes() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(machine("one"))
        backup = copy.deepcopy(bench.store._tables)
        await bench.up(machine("two"))
        await put_back(bench, backup)
        await bench.clock.sleep(10)
        await bench.want(Graph(), deleting=True)
        await bench.clock.sleep(300)
        assert len(bench.world.things) == 1
        stack = await bench.store.stack(STACK)
        assert stack is not None
        assert "accept-restore" in stack.why
        await bench.controller.accept_restore()
        await bench.until(bench._gone)
        assert not bench.world.things

    play(scene)
