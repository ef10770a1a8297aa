"""Each trouble of the simulated provider does what its name says, and is counted where it struck."""

from __future__ import annotations

import pytest

from terrace.drivers.sim.driver import SimDriver
from terrace.drivers.sim.faults import Faults, Rule, Trouble
from terrace.drivers.sim.outside import Outside
from terrace.drivers.sim.settings import SimSettings
from terrace.drivers.sim.world import World
from terrace.errors import InvariantError, PermanentError, TransientError
from terrace.model.seen import Names, Owner, Seen
from terrace.model.spec import AttachmentSpec, MachineSpec, NetworkSpec, PortSpec, ValueSpec, VolumeSpec
from terrace.model.spec.machine import File, Mount, Nic
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import CreateOnce
from tests.contracts.rig import CountingFence, SteppingClock

HOME = Owner("home", "a" * 20, 1, "d")


class Stage:
    """A world, a driver and short words for steps."""

    def __init__(self, *rules: Rule, create_once: CreateOnce = CreateOnce.BY_NAME, **faults: object) -> None:
        self.clock = SteppingClock()
        self.world = World("stage", create_once)
        self.world.faults = Faults(rules=rules, **faults)  # type: ignore[arg-type]
        self.driver = SimDriver(self.world, self.clock)
        self.outside = Outside(self.world, self.clock)

    async def apply(
        self,
        verb: Verb,
        kind: str,
        spec: object,
        owner: Owner = HOME,
        provider_id: str = "",
        handle: str = "",
    ) -> Receipt:
        step = Step(verb, kind, owner, Names(), spec, provider_id=provider_id, handle=handle)
        return await self.driver.apply(step, CountingFence())

    async def create(self, kind: str, spec: object, uid: str = "a" * 20) -> Seen:
        seen = (await self.apply(Verb.CREATE, kind, spec, Owner("home", uid, 1, "d"))).seen
        assert seen is not None
        return seen

    async def delete(self, seen: Seen) -> Receipt:
        assert seen.owner is not None
        return await self.apply(Verb.DELETE, seen.kind, None, seen.owner, seen.provider_id)

    async def listed(self) -> list[str]:
        return [seen.provider_id for seen in (await self.driver.observe("home", ())).items]


@pytest.mark.parametrize(
    ("trouble", "point", "done"),
    [
        (Trouble.THROTTLED, "before", False),
        (Trouble.CONFLICT, "before", False),
        (Trouble.BROKEN, "before", False),
        (Trouble.LOST, "before", False),
        (Trouble.LOST, "after", True),
        (Trouble.BROKEN, "after", True),
    ],
)
async def test_passing_trouble(trouble: Trouble, point: str, done: bool) -> None:
    stage = Stage(Rule(trouble, verb="create", point=point, times=1, seconds=7.0))
    with pytest.raises(TransientError) as caught:
        await stage.create("Volume", VolumeSpec("v"))
    assert caught.value.retry_after == (7.0 if trouble is Trouble.THROTTLED else None)
    assert len(stage.world.things) == done
    assert stage.world.hits["create/Volume", trouble.value, point] == 1
    await stage.create("Volume", VolumeSpec("v"))
    assert len(stage.world.things) == 1


async def test_a_late_create_comes_all_the_same() -> None:
    stage = Stage(Rule(Trouble.LATE, times=1, seconds=3.0))
    with pytest.raises(TransientError):
        await stage.create("Volume", VolumeSpec("v"))
    assert await stage.listed() == []
    stage.clock.time += 3
    assert len(await stage.listed()) == 1


async def test_without_create_once_a_late_create_is_a_second_thing() -> None:
    stage = Stage(Rule(Trouble.LATE, times=1, seconds=3.0), create_once=CreateOnce.NONE)
    with pytest.raises(TransientError):
        await stage.create("Volume", VolumeSpec("v"))
    await stage.create("Volume", VolumeSpec("v"))
    stage.clock.time += 3
    assert len(await stage.listed()) == 2
    assert len(stage.world.duplicates) == 1


async def test_a_ghost_goes_by_itself() -> None:
    stage = Stage(Rule(Trouble.GHOST, times=1, seconds=10.0))
    seen = await stage.create("Volume", VolumeSpec("v"))
    assert (await stage.delete(seen)).handle
    assert (await stage.delete(seen)).handle
    stage.clock.time += 10
    assert (await stage.delete(seen)).seen is None


async def test_what_is_stuck_goes_when_it_is_deleted_again() -> None:
    stage = Stage(Rule(Trouble.STUCK, times=1))
    seen = await stage.create("Volume", VolumeSpec("v"))
    assert (await stage.delete(seen)).handle
    stage.clock.time += 1000
    assert len(await stage.listed()) == 1
    assert (await stage.delete(seen)).seen is None


async def test_a_zombie_comes_back() -> None:
    stage = Stage(Rule(Trouble.ZOMBIE, times=1, seconds=10.0))
    seen = await stage.create("Volume", VolumeSpec("v"))
    assert (await stage.delete(seen)) == Receipt.done(None)
    assert await stage.listed() == []
    stage.clock.time += 10
    assert await stage.listed() == [seen.provider_id]


async def test_the_quota() -> None:
    stage = Stage(quota={"Volume": 1})
    first = await stage.create("Volume", VolumeSpec("v"))
    with pytest.raises(PermanentError, match="quota"):
        await stage.create("Volume", VolumeSpec("w"), "b" * 20)
    assert stage.world.hits["create/Volume", "quota", "before"] == 1
    await stage.delete(first)
    await stage.create("Volume", VolumeSpec("w"), "b" * 20)


async def test_a_partial_listing_is_an_error() -> None:
    stage = Stage(Rule(Trouble.PARTIAL, verb="list", times=1))
    with pytest.raises(TransientError):
        await stage.listed()
    assert await stage.listed() == []


async def test_a_provider_that_is_down() -> None:
    stage = Stage()
    stage.world.weather.go_down(stage.clock.now() + 60)
    with pytest.raises(TransientError):
        await stage.listed()
    stage.clock.time += 60
    assert await stage.listed() == []


async def test_listings_lag_behind_but_never_longer_than_said() -> None:
    stage = Stage(lag=5.0)
    seen = await stage.create("Volume", VolumeSpec("v"))
    assert await stage.listed() == []
    stage.clock.time += 5
    assert await stage.listed() == [seen.provider_id]
    await stage.delete(seen)
    assert await stage.listed() == [seen.provider_id]
    stage.clock.time += 5
    assert await stage.listed() == []


async def test_long_work_goes_on_under_a_handle() -> None:
    stage = Stage(work={"Machine": 3.0})
    spec = MachineSpec("m", "debian-12", files=(File("/f", "x"),))
    receipt = await stage.apply(Verb.CREATE, "Machine", spec)
    waits = 0
    while receipt.handle:
        assert receipt.seen is not None
        assert not receipt.seen.complete
        stage.clock.time += receipt.look_again
        receipt = await stage.apply(Verb.CREATE, "Machine", spec, handle=receipt.handle)
        waits += 1
    assert waits == 3
    assert receipt.seen is not None
    assert receipt.seen.complete
    assert stage.world.requests["create"] == 1


async def test_requests_take_time() -> None:
    stage = Stage(latency={"create": (2.0, 2.0)})
    before = stage.clock.now()
    await stage.create("Volume", VolumeSpec("v"))
    assert stage.clock.now() - before == 2.0


async def test_checkpoints_stand_around_every_request() -> None:
    names: list[tuple[str, str, str]] = []
    stage = Stage()
    driver = SimDriver(stage.world, stage.clock, checkpoint=lambda *where: names.append(where))
    spec = MachineSpec("m", "debian-12", files=(File("/f", "x"),))
    await driver.apply(Step(Verb.CREATE, "Machine", HOME, Names(), spec), CountingFence())
    points = ("before", "after")
    assert names == [(verb, "Machine", point) for verb in ("create", "files", "start") for point in points]


async def test_what_stands_on_something_keeps_it() -> None:
    stage = Stage()
    network = await stage.create("Network", NetworkSpec("n"), "n" * 20)
    volume = await stage.create("Volume", VolumeSpec("v"), "v" * 20)
    spec = MachineSpec(
        "m", "i", networks=(Nic(network.provider_id),), volumes=(Mount(volume.provider_id, "/d"),)
    )
    machine = await stage.create("Machine", spec)
    for held in (network, volume):
        with pytest.raises(TransientError, match="in use"):
            await stage.delete(held)
    with pytest.raises(TransientError, match="in use"):
        await stage.create("Machine", spec, "o" * 20)
    await stage.delete(machine)
    for held in (network, volume):
        assert (await stage.delete(held)).seen is None


async def test_an_attachment_dies_with_its_machine() -> None:
    stage = Stage()
    volume = await stage.create("Volume", VolumeSpec("v"), "v" * 20)
    machine = await stage.create("Machine", MachineSpec("m", "i"))
    spec = AttachmentSpec(volume.provider_id, machine.provider_id, "/d")
    attachment = await stage.create("VolumeAttachment", spec, "t" * 20)
    stage.outside.remove(machine.provider_id)
    assert await stage.listed() == [volume.provider_id]
    assert (await stage.delete(attachment)).seen is None


async def test_addresses_are_held_by_one_at_a_time() -> None:
    stage = Stage()
    network = (await stage.create("Network", NetworkSpec("n", "10.9.0.0/29"), "n" * 20)).provider_id
    port = await stage.create("Port", PortSpec(network, "10.9.0.5"), "p" * 20)
    with pytest.raises(TransientError):
        await stage.create("Machine", MachineSpec("m", "i", networks=(Nic(network, "10.9.0.5"),)))
    spec = MachineSpec("m", "i", networks=(Nic(network, "10.9.0.5", port=port.provider_id),))
    assert (await stage.create("Machine", spec)).attributes["first_address"] == "10.9.0.5"
    free = MachineSpec("m", "i", networks=(Nic(network),))
    given = [await stage.create("Machine", free, f"{n}" * 20) for n in range(4)]
    assert len({seen.attributes["first_address"] for seen in given}) == 4
    with pytest.raises(TransientError, match="no address is left"):
        await stage.create("Machine", free, "9" * 20)
    await stage.delete(given[0])
    await stage.create("Machine", free, "9" * 20)


async def test_the_world_tells_on_who_touches_what_is_not_theirs() -> None:
    stage = Stage()
    stray = stage.outside.plant("Volume", VolumeSpec("stray"))
    await stage.apply(Verb.DELETE, "Volume", None, HOME, stray.provider_id)
    assert len(stage.world.violations) == 1
    adopted = stage.outside.plant("Volume", VolumeSpec("mine"))
    stage.world.adopted.add(adopted.provider_id)
    await stage.apply(Verb.DELETE, "Volume", None, HOME, adopted.provider_id)
    assert len(stage.world.violations) == 1


async def test_a_delete_names_what_it_deletes() -> None:
    with pytest.raises(InvariantError):
        await Stage().apply(Verb.DELETE, "Volume", None)


async def test_a_reboot_stops_every_machine_and_loses_none() -> None:
    stage = Stage()
    for uid in "abc":
        await stage.create("Machine", MachineSpec("m", "i"), uid * 20)
    stage.outside.reboot()
    items = (await stage.driver.observe("home", ())).items
    assert [(seen.state, seen.exit_code) for seen in items] == [("exited", 137)] * 3


async def test_drift_is_shown_and_an_update_mends_only_what_it_names() -> None:
    stage = Stage()
    seen = await stage.create("Machine", MachineSpec("m", "i", memory=64, pids=10))
    stage.outside.alter(seen.provider_id, memory=999, pids=999)
    step = Step(
        Verb.UPDATE,
        "Machine",
        HOME,
        Names(),
        MachineSpec("m", "i", memory=64, pids=10),
        seen.provider_id,
        ("memory",),
    )
    after = (await stage.driver.apply(step, CountingFence())).seen
    assert after is not None
    assert (after.properties["memory"], after.properties["pids"]) == (64, 999)


def test_settings_become_faults_and_capabilities() -> None:
    settings = SimSettings(
        latency=(0.1, 0.2), unreliable=0.2, lag=1.0, quota={"Machine": 3}, create_once="none"
    )
    driver = SimDriver.from_settings(settings, SteppingClock())
    assert driver.world.create_once is CreateOnce.NONE
    assert driver.capabilities.lag == 1.0
    assert len(driver.world.faults.rules) == 2
    for wrong in ({"latency": (2.0, 1.0)}, {"unreliable": 1.0}, {"timeout": 0.0}, {"concurrency": 0}):
        with pytest.raises(ValueError):
            SimSettings(**wrong)  # type: ignore[arg-type]


async def test_the_same_seed_strikes_the_same() -> None:
    async def struck() -> list[bool]:
        stage = Stage(Rule(Trouble.BROKEN, 0.5))
        found = []
        for uid in range(30):
            try:
                await stage.create("Value", ValueSpec(1), str(uid))
                found.append(False)
            except TransientError:
                found.append(True)
        return found

    first = await struck()
    assert first == await struck()
    assert 3 < sum(first) < 27
