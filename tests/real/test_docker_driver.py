"""The Docker driver on a real engine: the contract of every driver, and what only an engine can show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from terrace.errors import PermanentError, TransientError
from terrace.model.spec.machine import Mount, Nic, Publish
from terrace.model.spec.network import PortSpec, SubnetSpec
from terrace.model.spec.simple import ImageSpec
from terrace.model.spec.volume import AttachmentSpec
from terrace.model.step import Verb
from tests.contracts.driver_contract import DriverContract
from tests.contracts.rig import CountingFence
from tests.real.docker_rig import DockerRig, Watching
from tests.real.engine import Engine


@pytest.fixture
async def rig(engine: Engine, tiny_image: str, base_image: str, proxy_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, tiny_image)
    yield made
    await made.driver.close()


@pytest.fixture
async def debian(engine: Engine, base_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, base_image)
    yield made
    await made.driver.close()


class TestContract(DriverContract):
    """The contract of every driver."""


def count_reads(rig: DockerRig, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    engine: Any = rig.driver._engine
    read = engine.read

    async def counting(path: str, params: Any = None) -> Any:
        asked.append(path)
        return await read(path, params)

    monkeypatch.setattr(engine, "read", counting)
    return asked


# --- settled is quiet, drift is seen


async def test_a_settled_engine_is_listed_in_bulk(rig: DockerRig, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(12):
        await rig.make()
    async with Watching(rig.driver):
        await rig.ours()
        asked = count_reads(rig, monkeypatch)
        assert len(await rig.ours()) == 12
    assert len([path for path in asked if not path.endswith("/json")]) == 2
    assert len([path for path in asked if path.endswith("/json")]) <= 1 + 4


async def test_a_limit_changed_by_hand_is_seen_at_once(rig: DockerRig) -> None:
    _, seen = await rig.make()
    async with Watching(rig.driver) as watching:
        await rig.ours()
        rig.engine.cli("update", "--memory", "96m", "--memory-swap", "96m", seen.provider_id)
        await watching.hear(seen.provider_id)
        assert [one.properties["memory"] for one in await rig.ours()] == [96]


async def test_a_limit_changed_while_nobody_listened_is_seen(rig: DockerRig) -> None:
    _, seen = await rig.make()
    async with Watching(rig.driver):
        await rig.ours()
    rig.engine.cli("update", "--memory", "96m", "--memory-swap", "96m", seen.provider_id)
    async with Watching(rig.driver):
        assert [one.properties["memory"] for one in await rig.ours()] == [96]


async def test_a_network_taken_away_by_hand_is_seen_and_given_back(rig: DockerRig) -> None:
    _, network = await rig.make("Network", cidr="10.221.9.0/24")
    nic = Nic(network.provider_id, ip="10.221.9.40")
    step, seen = await rig.make(networks=(nic,), aliases=("db",))
    async with Watching(rig.driver) as watching:
        await rig.ours()
        rig.engine.cli("network", "disconnect", network.provider_id, seen.provider_id)
        await watching.hear(seen.provider_id)
        (bare,) = await rig.of(step.owner)
        assert bare.properties["networks"] == ()
        change = rig.step(
            Verb.UPDATE,
            "Machine",
            step.owner,
            step.spec,
            provider_id=seen.provider_id,
            fields=("networks",),
        )
        mended = (await rig.finish(change)).seen
        assert mended is not None
        assert mended.properties["networks"] == ({"network": network.provider_id, "ip": "10.221.9.40"},)
    assert (await rig.run(seen.provider_id, "nslookup", "db"))[0] == 0


async def test_what_is_not_ours_gives_no_hint(rig: DockerRig) -> None:
    _, seen = await rig.make()
    async with Watching(rig.driver) as watching:
        await rig.ours()
        await rig.foreign()
        await rig.stop(seen.provider_id)
        assert await watching.next() == seen.provider_id


# --- limits


async def test_limits_hold_change_and_go(rig: DockerRig) -> None:
    step, seen = await rig.make(memory=64, cpu=0.5, pids=20)
    for memory, cpu, pids in ((64, 0.5, 20), (128, 0.25, 40), (0, 0.0, 0), (96, 1.0, 30)):
        after = await rig.change(Verb.UPDATE, step, seen, memory=memory, cpu=cpu, pids=pids)
        assert after is not None
        assert [after.properties[name] for name in ("memory", "cpu", "pids")] == [memory, cpu, pids]
    assert (await rig.run(seen.provider_id, "sh", "-c", "for n in $(seq 60); do sleep 9 & done"))[0] != 0


# --- create


async def test_somebody_elses_name_is_in_the_way(rig: DockerRig) -> None:
    step = rig.create()
    name = f"{step.names.path}-{step.owner.uid}-1"
    rig.engine.cli("create", "--name", name, rig.image)
    with pytest.raises(PermanentError, match="not ours"):
        await rig.finish(step)
    assert rig.engine.containers() == [name]


async def test_what_never_ran_and_is_wanted_otherwise_now_is_made_again(rig: DockerRig) -> None:
    step = rig.create(command=("no-such-program",))
    with pytest.raises(PermanentError) as caught:
        await rig.finish(step)
    assert caught.value.code == "command-not-found"
    (left,) = await rig.of(step.owner)
    assert not left.complete
    better = msgspec.structs.replace(
        rig.create(), owner=msgspec.structs.replace(step.owner, digest="better"), names=step.names
    )
    seen = (await rig.finish(better)).seen
    assert seen is not None
    assert seen.state == "running"
    assert [one.provider_id for one in await rig.of(step.owner)] == [seen.provider_id]
    assert seen.provider_id != left.provider_id


async def test_a_volume_that_is_gone_is_not_made_by_accident(rig: DockerRig) -> None:
    with pytest.raises(TransientError, match="is gone"):
        await rig.make(volumes=(Mount("never-was", "/data"),))
    assert rig.engine.cli("volume", "ls", "--quiet") == ""


async def test_a_volume_in_use_stays(rig: DockerRig) -> None:
    made, volume = await rig.make("Volume", size=3)
    assert volume.attributes["size"] == 3
    step, seen = await rig.make(volumes=(Mount(volume.provider_id, "/data"),))
    with pytest.raises(TransientError, match="in use"):
        await rig.delete(made, volume)
    assert [one.attributes["state"] for one in await rig.of(made.owner)] == ["in-use"]
    await rig.delete(step, seen)
    await rig.delete(made, volume)
    assert rig.engine.cli("volume", "ls", "--quiet") == ""


async def test_a_network_in_use_stays(rig: DockerRig) -> None:
    made, network = await rig.make("Network")
    step, seen = await rig.make(networks=(Nic(network.provider_id),))
    with pytest.raises(TransientError, match="in use"):
        await rig.delete(made, network)
    await rig.delete(step, seen)
    assert (await rig.delete(made, network)).seen is None


async def test_published_ports_answer_and_are_held_once(rig: DockerRig) -> None:
    serve = ("sh", "-c", "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www")
    publish = (Publish(80, 18081),)
    await rig.make(command=serve, publish=publish)
    async with asyncio.timeout(10):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", 18081)
                writer.write(b"GET / HTTP/1.0\r\n\r\n")
                said = await reader.read()
                writer.close()
            except OSError:
                said = b""
            if said:
                break
    assert said.endswith(b"hello\n")
    with pytest.raises(TransientError) as caught:
        await rig.make(command=serve, publish=publish)
    assert caught.value.code == "port-taken"


# --- images


async def test_an_image_that_is_nowhere_fails_with_one_line(rig: DockerRig) -> None:
    step = rig.create(image="nowhere.invalid/never:1")
    with pytest.raises((PermanentError, TransientError)) as caught:
        await rig.finish(step)
    assert "\n" not in caught.value.message
    assert "nowhere.invalid" in caught.value.message
    with pytest.raises(PermanentError, match="no recipe nope"):
        await rig.finish(rig.step(Verb.CREATE, "Image", rig.owner(), ImageSpec("recipe:nope")))


async def test_an_image_that_is_there_is_not_fetched(rig: DockerRig) -> None:
    receipt = await rig.finish(rig.step(Verb.CREATE, "Image", rig.owner(), ImageSpec(rig.image)))
    assert receipt.seen is not None
    step, seen = await rig.make(image=receipt.seen.provider_id)
    assert seen.state == "running"
    assert step.spec.image == receipt.seen.provider_id


# --- first boot


async def test_packages_install_on_a_network_of_ours_and_user_data_runs_once(debian: DockerRig) -> None:
    _, network = await debian.make("Network")
    script = (
        "#!/bin/sh\nset -e\necho installing\napt-get -qq update\n"
        "apt-get -qq -y install --no-install-recommends busybox >/dev/null\necho once >>/ran\nexit 5\n"
    )
    nics = (Nic(network.provider_id),)
    await debian.make(networks=nics, name="beta", aliases=("db",))
    step, seen = await debian.make(
        networks=nics, user_data=script, memory=256, keys=("ssh-ed25519 K me",), cpu=2.0
    )
    ended = await debian.until(lambda one: one.boot == "failed", seen)
    assert "exit code 5" in ended.why
    said = b"".join([chunk.data async for chunk in debian.driver.logs(seen.provider_id)])
    assert b"installing" in said
    assert b"exit code 5" in said
    assert (await debian.run(seen.provider_id, "busybox", "true"))[0] == 0
    for name in ("beta", "db"):
        assert (await debian.run(seen.provider_id, "getent", "hosts", name))[0] == 0
    # a path inside the guest
    assert await debian.run(seen.provider_id, "cat", "/root/.ssh/authorized_keys") == (
        0,
        "ssh-ed25519 K me\n",
    )
    await debian.stop(seen.provider_id)
    again = await debian.change(Verb.START, step, seen)
    assert again is not None
    assert again.boot == "failed"
    assert "exit code 5" in again.why
    assert await debian.run(seen.provider_id, "cat", "/ran") == (0, "once\n")


async def test_other_user_data_waits_and_says_so(debian: DockerRig) -> None:
    _, seen = await debian.make(user_data="just words\n")
    assert seen.boot == "waiting"
    assert "nothing here runs it" in seen.why
    assert (await debian.run(seen.provider_id, "cat", "/var/lib/terrace/user-data"))[1] == "just words\n"


# --- attachments, subnets, ports


async def test_a_volume_joins_a_running_machine_and_leaves_it(rig: DockerRig) -> None:
    _, volume = await rig.make("Volume")
    machine, seen = await rig.make()
    spec = AttachmentSpec(volume.provider_id, seen.provider_id, "/mnt/deep")
    step = rig.step(Verb.CREATE, "VolumeAttachment", rig.owner(), spec)
    attached = (await rig.finish(step)).seen
    assert attached is not None
    assert (await rig.finish(step)).seen == attached
    assert await rig.of(step.owner) == [attached]
    assert (await rig.run(seen.provider_id, "sh", "-c", "echo kept > /mnt/deep/file"))[0] == 0

    other = DockerRig(rig.engine, rig.image)  # a driver that remembers nothing
    assert await other.of(step.owner) == [attached]
    await other.driver.close()

    await rig.change(Verb.RESTART, machine, seen)
    assert await rig.of(step.owner) == []
    again = (await rig.finish(step)).seen
    assert again is not None
    assert await rig.run(seen.provider_id, "cat", "/mnt/deep/file") == (0, "kept\n")
    for _ in range(2):
        assert (await rig.delete(step, again)).seen is None
        assert await rig.of(step.owner) == []
    assert (await rig.run(seen.provider_id, "ls", "/mnt/deep")) == (0, "")


async def test_a_volume_waits_for_its_machine(rig: DockerRig) -> None:
    _, volume = await rig.make("Volume")
    _, seen = await rig.make()
    await rig.stop(seen.provider_id)
    spec = AttachmentSpec(volume.provider_id, seen.provider_id, "/mnt/x")
    with pytest.raises(TransientError, match="does not run"):
        await rig.finish(rig.step(Verb.CREATE, "VolumeAttachment", rig.owner(), spec))


async def test_ports_hold_addresses_of_their_own(rig: DockerRig) -> None:
    _, network = await rig.make("Network", cidr="10.221.10.0/28")
    await rig.make(networks=(Nic(network.provider_id, ip="10.221.10.9"),))
    ports = [rig.step(Verb.CREATE, "Port", rig.owner(), PortSpec(network.provider_id)) for _ in range(12)]
    found = [(await rig.finish(port)).seen for port in ports]
    addresses = {one.attributes["ip"] for one in found if one is not None}
    assert len(addresses) == 12
    assert not addresses & {"10.221.10.1", "10.221.10.9"}
    with pytest.raises(TransientError, match="every address"):
        await rig.finish(rig.step(Verb.CREATE, "Port", rig.owner(), PortSpec(network.provider_id)))
    await rig.finish(rig.step(Verb.DELETE, "Port", ports[0].owner))
    await rig.finish(rig.step(Verb.CREATE, "Port", rig.owner(), PortSpec(network.provider_id)))
    with pytest.raises(PermanentError, match="outside"):
        await rig.finish(
            rig.step(Verb.CREATE, "Port", rig.owner(), PortSpec(network.provider_id, "10.1.1.1"))
        )


async def test_a_subnet_is_the_networks_range(rig: DockerRig) -> None:
    _, network = await rig.make("Network", cidr="10.221.11.0/24")
    spec = SubnetSpec(network.provider_id, "10.221.11.0/24")
    receipt = await rig.finish(rig.step(Verb.CREATE, "Subnet", rig.owner(), spec))
    assert receipt.seen is not None
    assert receipt.seen.attributes["gateway"] == "10.221.11.1"
    other = SubnetSpec(network.provider_id, "10.221.12.0/24")
    with pytest.raises(PermanentError, match="one range"):
        await rig.finish(rig.step(Verb.CREATE, "Subnet", rig.owner(), other))


async def test_without_a_fence_nothing_changes(rig: DockerRig) -> None:
    """Create and start: each asks the fence."""
    step = rig.create(networks=())
    fence = CountingFence(None)
    await rig.finish(step, fence)
    assert fence.checks == 2
