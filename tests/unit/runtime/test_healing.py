"""What happens behind Terrace's back is mended."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.unit.runtime.bench import Bench, play, shop

from terrace.engine.ghosts import RESTORED
from terrace.model.graph import Graph, Keep, Node
from terrace.model.seen import Owner
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.volume import VolumeSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence
from terrace.ports.store import Commit
from terrace.runtime.controller import Tuning


@pytest.mark.parametrize("accident", ["stop", "pause", "remove", "drift"])
def test_accident_is_mended(accident: str) -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        web = await bench.id("web0")
        if accident == "stop":
            bench.outside.stop(web, 137)
        elif accident == "pause":
            bench.outside.pause(web)
        elif accident == "remove":
            bench.outside.remove(web)
        else:
            bench.outside.alter(web, memory=7)
        await bench.clock.sleep(1)
        await bench.settled()
        record = (await bench.records())["web0"]
        assert record.seen is not None
        assert record.seen.state == "running"
        assert record.seen.properties["memory"] == 64
        assert record.incarnation == (2 if accident == "remove" else 1)
        assert (record.provider_id == web) is (accident != "remove")

    play(scene)


def test_reboot_starts_everything_again() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        before = {path: record.provider_id for path, record in (await bench.records()).items()}
        bench.outside.reboot()
        await bench.clock.sleep(1)
        await bench.settled()
        assert {path: record.provider_id for path, record in (await bench.records()).items()} == before

    play(scene)


def test_a_dependent_follows_an_address_that_changed() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        bench.outside.remove(await bench.id("db"))
        await bench.clock.sleep(1)
        await bench.settled()
        records = await bench.records()
        address = records["db"].seen.attributes["first_address"]  # type: ignore[union-attr]
        assert records["web0"].applied["environment"]["DB"] == address  # type: ignore[index]

    play(scene)


def test_crash_loop_backs_off_and_says_the_last_words() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        web = await bench.id("web0")
        for _ in range(4):
            if bench.world.things[web].state == "running":
                bench.outside.stop(web, 3)
            await bench.clock.sleep(2)
        record = (await bench.records())["web0"]
        assert record.state == "failing"
        assert "crash-looping" in record.why
        assert "last lines" in record.why
        await bench.clock.sleep(30)
        await bench.settled()
        assert any(
            "code 3" in e.message for e in await bench.store.events(limit=1000) if e.kind == "resource.exited"
        )

    play(scene)


def test_settled_is_quiet() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        await bench.clock.sleep(60)
        events = len(await bench.store.events(limit=100_000))
        calls = dict(bench.world.requests)
        written = bench.writes
        await bench.clock.sleep(300)
        assert len(await bench.store.events(limit=100_000)) == events
        assert bench.writes == written
        requests = bench.world.requests
        made = {
            name: requests[name] - calls.get(name, 0)
            for name in requests
            if requests[name] != calls.get(name)
        }
        assert set(made) == {"list"}
        assert made["list"] <= 300 / bench.tuning.resync + 1

    play(scene)


def test_a_provider_that_is_away_is_unknown_and_nothing_is_declared_gone() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        bench.away()
        await bench.clock.sleep(120)
        records = await bench.records()
        assert records["web0"].state == "unknown"
        assert "cannot be reached" in records["web0"].why
        assert len(records) == 5
        bench.back()
        await bench.settled()
        assert not await bench.events("resource.vanished")

    play(scene)


def test_ghosts_are_reaped_after_a_grace_and_only_ours() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        ours = await bench.store.installation()
        ghost = bench.outside.plant("Machine", MachineSpec("g", "one"), Owner(ours, "ghost", 1))
        data = bench.outside.plant("Volume", VolumeSpec("d"), Owner(ours, "data", 1))
        other = bench.outside.plant("Machine", MachineSpec("o", "one"), Owner("elsewhere", "x", 1))
        foreign = bench.outside.plant("Machine", MachineSpec("f", "one"), None)
        await bench.clock.sleep(40)
        assert ghost.provider_id in bench.world.things, "a ghost is not reaped at first sight"
        await bench.clock.sleep(120)
        assert ghost.provider_id not in bench.world.things
        for kept in (data, other, foreign):
            assert kept.provider_id in bench.world.things
        assert [g.seen.provider_id for g in await bench.controller.ghosts()] == [data.provider_id]
        await bench.controller.reap("local", data.provider_id)
        assert data.provider_id not in bench.world.things

    play(scene)


def test_nothing_is_reaped_when_labels_are_newer_than_the_database() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        ours = await bench.store.installation()
        uid = (await bench.records())["web0"].uid
        newer = bench.outside.plant("Machine", MachineSpec("n", "one"), Owner(ours, uid, 9))
        unknown = bench.outside.plant("Machine", MachineSpec("u", "one"), Owner(ours, "later", 1))
        await bench.clock.sleep(300)
        for thing in (newer, unknown):
            assert thing.provider_id in bench.world.things
        assert {ghost.kept for ghost in await bench.controller.ghosts()} == {RESTORED}
        await bench.controller.reap("local", unknown.provider_id)
        assert unknown.provider_id not in bench.world.things

    play(scene)


def test_retained_is_kept_and_taken_back() -> None:
    def kept() -> Graph:
        return Graph((Node("web", "Machine", {"image": "one"}, keep=Keep.RETAIN),))

    async def scene(bench: Bench) -> None:
        await bench.up(kept())
        web = await bench.id("web")
        await bench.up(Graph())
        await bench.clock.sleep(200)
        assert web in bench.world.things, "what is retained is no ghost"
        await bench.up(kept())
        assert await bench.id("web") == web
        assert await bench.store.rulings("local") == []

    play(scene)


def test_forget_gives_up_what_cannot_be_reached() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop(web=1))
        bench.away()
        await bench.want(Graph(), deleting=True)
        await bench.clock.sleep(100)
        assert await bench.store.stack("s1") is not None
        await bench.store.mark_forget("s1")
        bench.controller.wake("s1")

        async def gone() -> bool:
            return await bench.store.stack("s1") is None

        await bench.until(gone)
        assert set(await bench.events("resource.forgotten")) == {"net", "data", "db", "web0"}

    play(scene)


def test_what_a_provider_keeps_for_now_holds_no_stack_up_and_is_reaped_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop(web=1))
        net = await bench.id("net")
        driver = bench.controller.drivers["local"]
        apply, keeps = driver.apply, True

        async def keeping(step: Step, fence: Fence) -> Receipt:
            if keeps and step.verb is Verb.DELETE and step.kind == "Network":
                return Receipt.left("it is kept until the engine is restarted")
            return await apply(step, fence)

        monkeypatch.setattr(driver, "apply", keeping)
        await bench.want(Graph(), deleting=True)

        async def gone() -> bool:
            return await bench.store.stack("s1") is None

        await bench.until(gone)
        assert await bench.events("resource.left") == ["net"]
        await bench.clock.sleep(300)
        assert [ghost.seen.provider_id for ghost in await bench.controller.ghosts()] == [net]
        assert await bench.events("ghost.reaped") == []
        keeps = False
        await bench.clock.sleep(100)
        assert net not in bench.world.things
        assert await bench.controller.ghosts() == []

    play(scene)


def test_the_intent_is_written_before_the_step_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bench: Bench) -> None:
        driver = bench.controller.drivers["local"]
        apply, unannounced = driver.apply, list[str]()

        async def watching(step: Step, fence: Fence) -> Receipt:
            known = {record.key: record for record in await bench.store.records("s1")}
            record = known.get((step.owner.uid, step.owner.incarnation))
            if record is None or record.intent is None or record.intent.verb is not step.verb:
                unannounced.append(f"{step.verb} {step.names.path}")
            return await apply(step, fence)

        commit = bench.store.commit

        async def slowly(commits: Sequence[Commit]) -> list[bool]:
            await bench.clock.sleep(0.1)
            return await commit(commits)

        monkeypatch.setattr(driver, "apply", watching)
        monkeypatch.setattr(bench.store, "commit", slowly)
        await bench.up(shop(web=3))
        bench.outside.stop(await bench.id("web0"), 1)
        await bench.clock.sleep(60)
        await bench.up(Graph())
        assert unannounced == []

    play(scene)


def test_a_lost_lease_stops_the_worker() -> None:
    async def scene(bench: Bench) -> None:
        await bench.up(shop())
        await bench.clock.sleep(1)
        await bench.steal()
        bench.outside.stop(await bench.id("web0"), 1)
        await bench.clock.sleep(30)
        assert bench.world.things[await bench.id("web0")].state == "exited"

    play(scene, Tuning(lease=10.0))


def test_a_provider_that_comes_later_is_waited_for() -> None:
    async def scene(bench: Bench) -> None:
        bench.away()
        await bench.want(shop())
        await bench.clock.sleep(5)
        record = (await bench.records())["net"]
        assert record.why
        assert record.state in ("failing", "waiting")
        bench.back()
        await bench.settled()

    play(scene)
