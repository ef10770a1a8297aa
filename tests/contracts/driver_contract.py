"""What every driver of machines promises. A test module makes a class of it and gives it a fixture `rig`."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from terrace.errors import LeaseLostError, PermanentError
from terrace.kinds import KINDS
from terrace.model.spec.balance import (
    HealthMonitorSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolMemberSpec,
    PoolSpec,
)
from terrace.model.spec.firewall import Rule, SecurityGroupRuleSpec
from terrace.model.spec.machine import File, Mount, Nic
from terrace.model.spec.router import (
    FloatingIPAssociationSpec,
    FloatingIPSpec,
    RouterGatewaySpec,
    RouterInterfaceSpec,
)
from terrace.model.step import Verb
from terrace.ports.driver import CreateOnce
from tests.contracts.rig import AWAY, HOME, CountingFence, Rig

THINGS = ("Machine", "Volume", "Network", "SecurityGroup", "Router")
MOST_REQUESTS = 20


class DriverContract:
    """Subclass it, name the class Test..., and offer the fixture `rig`."""

    # ---- at most one

    @pytest.mark.parametrize("kind", THINGS)
    async def test_creating_twice_gives_one(self, rig: Rig, kind: str) -> None:
        step, first = await rig.make(kind)
        if rig.driver.capabilities.create_once is CreateOnce.NONE:
            await rig.clock.sleep(rig.driver.capabilities.lag)
        again = (await rig.finish(step)).seen
        assert again is not None
        assert again.provider_id == first.provider_id
        assert len(await rig.of(step.owner)) == 1

    async def test_a_create_that_broke_off_anywhere_is_resumed(self, rig: Rig) -> None:
        for allowed in range(MOST_REQUESTS):
            step = rig.create(files=(File("/etc/told", "hello"),))
            fence = CountingFence(allowed)
            try:
                await rig.finish(step, fence)
            except LeaseLostError:
                for half in await rig.of(step.owner):
                    assert not half.complete
            else:
                break
            seen = (await rig.finish(step)).seen
            assert seen is not None
            assert seen.complete
            assert seen.state == "running"
            assert await rig.run(seen.provider_id, "cat", "/etc/told") in ((0, "hello"), (0, "hello\n"))
            assert [one.provider_id for one in await rig.of(step.owner)] == [seen.provider_id]
            await rig.delete(step, seen)
        else:
            pytest.fail("a create takes more requests than any should")
        assert allowed > 0

    async def test_incarnations_are_things_of_their_own(self, rig: Rig) -> None:
        step, old = await rig.make()
        owner = msgspec.structs.replace(step.owner, incarnation=2)
        _, new = await rig.make(owner=owner)
        assert new.provider_id != old.provider_id
        assert len(await rig.ours()) == 2

    # ---- steps may happen twice

    async def test_updating_twice(self, rig: Rig) -> None:
        step, seen = await rig.make()
        for _ in range(2):
            after = await rig.change(Verb.UPDATE, step, seen, memory=128)
            assert after is not None
            assert after.provider_id == seen.provider_id
            assert after.properties["memory"] == 128
        assert [one.properties["memory"] for one in await rig.of(step.owner)] == [128]

    @pytest.mark.parametrize("kind", THINGS)
    async def test_deleting_twice(self, rig: Rig, kind: str) -> None:
        step, seen = await rig.make(kind)
        assert (await rig.delete(step, seen)).seen is None
        assert (await rig.delete(step, seen)).seen is None
        assert await rig.of(step.owner) == []

    async def test_deleting_what_somebody_took_away(self, rig: Rig) -> None:
        step, seen = await rig.make()
        await rig.remove(seen.provider_id)
        assert (await rig.delete(step, seen)).seen is None

    async def test_changing_what_somebody_took_away_shows_nothing(self, rig: Rig) -> None:
        step, seen = await rig.make()
        await rig.remove(seen.provider_id)
        assert await rig.change(Verb.UPDATE, step, seen, memory=128) is None
        assert await rig.change(Verb.START, step, seen) is None

    # ---- ours only

    async def test_observe_shows_all_of_ours_and_nothing_else(self, rig: Rig) -> None:
        mine = {(await rig.make(kind))[1].provider_id for kind in THINGS}
        _, theirs = await rig.make(owner=rig.owner(AWAY))
        stray = await rig.foreign()
        assert {seen.provider_id for seen in await rig.ours(HOME)} == mine
        assert [seen.provider_id for seen in await rig.ours(AWAY)] == [theirs.provider_id]
        adopted = await rig.driver.observe(HOME, [stray, "never-was-there"])
        assert {seen.provider_id for seen in adopted.items} == mine | {stray}

    @pytest.mark.parametrize("kind", THINGS)
    async def test_the_label_says_whose_it_is(self, rig: Rig, kind: str) -> None:
        owner = msgspec.structs.replace(rig.owner(), incarnation=7)
        _, made = await rig.make(kind, owner)
        assert made.owner == owner
        (seen,) = await rig.of(owner)
        assert seen.owner == owner
        assert seen.kind == kind
        assert seen.data == (kind in rig.driver.capabilities.data)

    # ---- what lets traffic pass, and leads it

    async def test_what_stands_on_others_is_seen_and_goes(self, rig: Rig) -> None:
        """Each of these refers to things that were made before it."""
        _, network = await rig.make("Network", cidr="10.221.8.0/24")
        _, group = await rig.make("SecurityGroup")
        _, router = await rig.make("Router")
        made = [
            await rig.of_kind(
                "SecurityGroupRule", SecurityGroupRuleSpec(group.provider_id, Rule(protocol="udp"))
            ),
            await rig.of_kind(
                "RouterInterface", RouterInterfaceSpec(router.provider_id, network.provider_id)
            ),
            await rig.of_kind("RouterGateway", RouterGatewaySpec(router.provider_id, "public")),
            await rig.of_kind("FloatingIP", FloatingIPSpec("public")),
        ]
        lead = FloatingIPAssociationSpec(made[-1][1].provider_id, target="10.221.8.9")
        made.append(await rig.of_kind("FloatingIPAssociation", lead))
        for step, seen in made:
            promised: Any = KINDS[step.kind]
            for shown in (seen, *(await rig.of(step.owner))):
                assert shown.kind == step.kind
                assert shown.owner == step.owner
                assert set(promised.schema.attributes) - set(shown.attributes) == set()
            assert (await rig.finish(step)).seen == seen, "making it again makes nothing"
        for step, seen in reversed(made):
            assert (await rig.delete(step, seen)).seen is None
            assert await rig.of(step.owner) == []

    async def test_what_stands_on_a_load_balancer_is_seen_and_goes(self, rig: Rig) -> None:
        """Each of these refers to things that were made before it."""
        _, network = await rig.make("Network", cidr="10.221.8.0/24")
        made = [await rig.of_kind("LoadBalancer", LoadBalancerSpec("lb", network.provider_id))]
        lb = made[0][1].provider_id
        made.append(await rig.of_kind("Listener", ListenerSpec("HTTP", 80, balancer=lb, name="front")))
        pool = PoolSpec("HTTP", "ROUND_ROBIN", listener=made[1][1].provider_id, name="webs")
        made.append(await rig.of_kind("Pool", pool))
        webs = made[2][1].provider_id
        made.append(await rig.of_kind("PoolMember", PoolMemberSpec(webs, "10.221.8.9", 80)))
        made.append(await rig.of_kind("HealthMonitor", HealthMonitorSpec(webs, "TCP", 5, 3, 2)))
        for step, seen in made:
            promised: Any = KINDS[step.kind]
            for shown in (seen, *(await rig.of(step.owner))):
                assert shown.kind == step.kind
                assert shown.owner == step.owner
                assert set(promised.schema.attributes) - set(shown.attributes) == set()
                for field, value in shown.properties.items():
                    assert value == msgspec.to_builtins(getattr(step.spec, field, True)), field
            again = (await rig.finish(step)).seen
            assert again is not None
            assert again.provider_id == seen.provider_id, "making it again makes nothing"
        after = await rig.change(Verb.UPDATE, *made[3], weight=7)
        assert after is not None
        assert after.properties["weight"] == 7
        for step, seen in reversed(made):
            for _ in range(2):
                assert (await rig.delete(step, seen)).seen is None
            assert await rig.of(step.owner) == []

    async def test_the_groups_of_a_machine_are_seen(self, rig: Rig) -> None:
        _, network = await rig.make("Network", cidr="10.221.8.0/24")
        _, group = await rig.make("SecurityGroup")
        nic = Nic(network.provider_id, "10.221.8.9", groups=(group.provider_id,))
        step, seen = await rig.make(networks=(nic,))
        wanted = [{"network": network.provider_id, "ip": "10.221.8.9", "groups": [group.provider_id]}]
        for shown in (seen, *(await rig.of(step.owner))):
            assert msgspec.json.decode(msgspec.json.encode(shown.properties["networks"])) == wanted

    # ---- what is seen

    @pytest.mark.parametrize("kind", THINGS)
    async def test_nothing_has_drifted_at_first(self, rig: Rig, kind: str) -> None:
        step, seen = await rig.make(kind)
        for shown in (seen, *(await rig.of(step.owner))):
            for field, value in shown.properties.items():
                assert value == msgspec.to_builtins(getattr(step.spec, field, True)), field

    @pytest.mark.parametrize("kind", THINGS)
    async def test_attributes_are_those_that_the_kind_promises(self, rig: Rig, kind: str) -> None:
        step, seen = await rig.make(kind)
        promised: Any = KINDS[kind]
        for shown in (seen, *(await rig.of(step.owner))):
            assert set(promised.schema.attributes) - set(shown.attributes) == set()
            assert shown.attributes["id"] == shown.provider_id
            assert shown.attributes["name"] == step.spec.name
        assert seen.attributes.keys() == (await rig.of(step.owner))[0].attributes.keys()

    async def test_a_machine_has_an_address_on_its_network(self, rig: Rig) -> None:
        _, network = await rig.make("Network", cidr="10.221.7.0/24")
        step, seen = await rig.make(networks=(Nic(network.provider_id, ip="10.221.7.9"),))
        assert seen.attributes["first_address"] == "10.221.7.9"
        name = network.attributes["name"]
        assert seen.attributes["networks"] == {name: ["10.221.7.9"]}
        assert [one.attributes["networks"] for one in await rig.of(step.owner)] == [{name: ["10.221.7.9"]}]

    async def test_what_happens_to_a_machine_is_seen_and_mended(self, rig: Rig) -> None:
        step, seen = await rig.make()
        assert seen.state == "running"
        await rig.pause(seen.provider_id)
        assert [one.state for one in await rig.of(step.owner)] == ["paused"]
        assert (await rig.change(Verb.UNPAUSE, step, seen)).state == "running"  # type: ignore[union-attr]
        await rig.stop(seen.provider_id)
        (ended,) = await rig.of(step.owner)
        assert ended.state == "exited"
        assert ended.exit_code is not None
        assert ended.finished > 0
        assert ended.complete
        assert (await rig.change(Verb.START, step, seen)).state == "running"  # type: ignore[union-attr]
        assert (await rig.change(Verb.RESTART, step, seen)).state == "running"  # type: ignore[union-attr]
        assert [one.state for one in await rig.of(step.owner)] == ["running"]

    @pytest.mark.parametrize("frozen", [False, True])
    async def test_a_machine_is_stopped_twice_and_keeps_all_it_holds(self, rig: Rig, frozen: bool) -> None:
        step, seen = await rig.make()
        if frozen:
            await rig.pause(seen.provider_id)
        for _ in range(2):
            stopped = await rig.change(Verb.STOP, step, seen)
            assert stopped is not None
            assert (stopped.state, stopped.complete) == ("exited", True)
        assert [one.state for one in await rig.of(step.owner)] == ["exited"]
        again = await rig.change(Verb.START, step, seen)
        assert again is not None
        assert (again.state, again.provider_id) == ("running", seen.provider_id)

    async def test_a_volume_keeps_its_data_when_its_machine_is_replaced(self, rig: Rig) -> None:
        _, volume = await rig.make("Volume")
        mounts = (Mount(volume.provider_id, "/data"),)
        step, old = await rig.make(volumes=mounts)
        assert (await rig.run(old.provider_id, "sh", "-c", "echo kept > /data/file"))[0] == 0
        await rig.delete(step, old)
        _, new = await rig.make(volumes=mounts)
        assert await rig.run(new.provider_id, "cat", "/data/file") == (0, "kept\n")

    # ---- snapshots

    async def test_a_snapshot_holds_what_its_volume_held(self, rig: Rig) -> None:
        assert rig.driver.capabilities.snapshots
        made, volume = await rig.make("Volume", size=2)
        mounts = (Mount(volume.provider_id, "/data"),)
        _, writer = await rig.make(volumes=mounts)
        assert (await rig.run(writer.provider_id, "sh", "-c", "echo one > /data/file"))[0] == 0
        own = rig.owner()
        asked = msgspec.structs.replace(made, verb=Verb.SNAPSHOT, provider_id=volume.provider_id, copy=own)
        snapshot = (await rig.finish(asked)).seen
        await rig.clock.sleep(rig.driver.capabilities.lag)
        again = (await rig.finish(asked)).seen
        assert snapshot is not None
        assert again is not None
        assert again.provider_id == snapshot.provider_id != volume.provider_id
        assert (snapshot.kind, snapshot.owner, snapshot.data) == ("VolumeSnapshot", own, True)
        assert snapshot.attributes["volume_id"] == volume.provider_id
        assert [one.complete for one in await rig.of(own)] == [True]
        assert [one.state for one in await rig.ours() if one.kind == "Machine"] == ["running"]

        assert (await rig.run(writer.provider_id, "sh", "-c", "echo two > /data/file"))[0] == 0
        _, copy = await rig.make("Volume", source=snapshot.provider_id)
        _, reader = await rig.make(volumes=(Mount(copy.provider_id, "/data"),))
        assert await rig.run(reader.provider_id, "cat", "/data/file") == (0, "one\n")
        assert await rig.run(writer.provider_id, "cat", "/data/file") == (0, "two\n")
        back = msgspec.structs.replace(
            made, verb=Verb.RESTORE, provider_id=volume.provider_id, source=snapshot.provider_id
        )
        assert (await rig.finish(back)).seen.provider_id == volume.provider_id  # type: ignore[union-attr]
        assert await rig.run(writer.provider_id, "cat", "/data/file") == (0, "one\n")

    async def test_a_snapshot_outlives_its_volume_and_goes_when_told(self, rig: Rig) -> None:
        made, volume = await rig.make("Volume")
        step, snapshot = await rig.make("VolumeSnapshot", volume=volume.provider_id)
        await rig.delete(made, volume)
        assert [one.provider_id for one in await rig.ours()] == [snapshot.provider_id]
        assert (await rig.delete(step, snapshot)).seen is None
        assert await rig.ours() == []

    async def test_a_clone_begins_with_what_another_volume_holds(self, rig: Rig) -> None:
        _, volume = await rig.make("Volume")
        _, writer = await rig.make(volumes=(Mount(volume.provider_id, "/data"),))
        assert (await rig.run(writer.provider_id, "sh", "-c", "echo one > /data/file"))[0] == 0
        _, copy = await rig.make("Volume", source=volume.provider_id)
        _, reader = await rig.make(volumes=(Mount(copy.provider_id, "/data"),))
        assert await rig.run(reader.provider_id, "cat", "/data/file") == (0, "one\n")

    async def test_a_volume_grows(self, rig: Rig) -> None:
        step, volume = await rig.make("Volume", size=1)
        assert "size" in rig.driver.capabilities.in_place["Volume"]
        grown = await rig.change(Verb.UPDATE, step, volume, size=3)
        assert grown is not None
        assert grown.attributes["size"] == 3

    async def test_lookup_finds_by_id(self, rig: Rig) -> None:
        stray = await rig.foreign()
        seen = await rig.driver.lookup("Machine", stray)
        assert seen is not None
        assert seen.provider_id == stray
        assert seen.owner is None
        assert await rig.driver.lookup("Machine", "never-was-there") is None

    # ---- the fence

    async def test_without_a_lease_nothing_is_sent(self, rig: Rig) -> None:
        step, seen = await rig.make()
        lost = CountingFence(0)
        with pytest.raises(LeaseLostError):
            await rig.driver.apply(rig.create(), lost)
        for verb, spec in (
            (Verb.UPDATE, rig.machine(memory=128)),
            (Verb.DELETE, None),
            (Verb.RESTART, step.spec),
        ):
            with pytest.raises(LeaseLostError):
                await rig.driver.apply(
                    rig.step(
                        verb, "Machine", step.owner, spec, provider_id=seen.provider_id, fields=("memory",)
                    ),
                    lost,
                )
        (still,) = await rig.ours()
        assert (still.provider_id, still.state) == (seen.provider_id, "running")
        assert still.properties["memory"] == step.spec.memory

    # ---- errors, hints, guests

    async def test_a_no_for_good_is_permanent(self, rig: Rig) -> None:
        with pytest.raises(PermanentError) as caught:
            await rig.finish(rig.refused())
        assert caught.value.message
        assert "\n" not in caught.value.message

    async def test_a_change_by_others_gives_a_hint(self, rig: Rig) -> None:
        _, seen = await rig.make()
        hints = rig.driver.watch()
        first = asyncio.ensure_future(anext(hints))
        for _ in range(3):
            await asyncio.sleep(0)
        await rig.stop(seen.provider_id)
        async with asyncio.timeout(10):
            hint = await first
            while hint not in ("", seen.provider_id):
                hint = await anext(hints)

    async def test_programs_in_guests(self, rig: Rig) -> None:
        _, seen = await rig.make()
        assert await rig.run(seen.provider_id, "echo", "two", "words") == (0, "two words\n")
        assert (await rig.run(seen.provider_id, "false"))[0] == 1
        driver: Any = rig.driver
        session = await driver.exec(seen.provider_id, ["cat"], stdin=True)
        await session.write(b"to and fro")
        await session.close_input()
        assert b"".join([chunk.data async for chunk in session.output()]) == b"to and fro"
        assert await session.wait() == 0
