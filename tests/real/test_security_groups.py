"""Security groups, routers and floating addresses on a real engine, by real connections."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.firewall.table import name_of
from terrace.drivers.docker.settings import DockerSettings
from terrace.errors import PermanentError, TransientError
from terrace.model.seen import Seen
from terrace.model.spec.firewall import Rule, SecurityGroupRuleSpec, SecurityGroupSpec
from terrace.model.spec.machine import Nic
from terrace.model.spec.network import NetworkSpec
from terrace.model.spec.router import (
    FloatingIPAssociationSpec,
    FloatingIPSpec,
    RouterGatewaySpec,
    RouterInterfaceSpec,
    RouterSpec,
)
from terrace.model.step import Step, Verb
from tests.contracts.rig import HOME
from tests.real.docker_rig import DockerRig
from tests.real.engine import Engine
from tests.real.remains import note

SERVE = ("sh", "-c", "for p in 80 81; do nc -ll -p $p -e echo served & done; nc -ll -p 82 -e echo served")
TCP80 = Rule(protocol="tcp", first=80, last=80)


@pytest.fixture
async def rig(engine: Engine, tiny_image: str) -> AsyncIterator[DockerRig]:
    settings = DockerSettings(host=engine.docker_host, floating_pool="127.0.1.0/24")
    made = DockerRig(engine, tiny_image, settings)
    yield made
    await made.driver.close()


def nft(*words: str) -> str:
    """The tests share the engine's network, so this is the same packet filter."""
    done = subprocess.run(["nft", *words], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


class Net:
    """Makes networks, groups and machines on a rig."""

    def __init__(self, rig: DockerRig) -> None:
        self.rig = rig

    async def thing(self, kind: str, spec: Any) -> tuple[Step, Seen]:
        step = self.rig.step(Verb.CREATE, kind, self.rig.owner(), spec)
        seen = (await self.rig.finish(step)).seen
        assert seen is not None
        return step, seen

    async def network(self, cidr: str = "10.221.30.0/24", **more: Any) -> str:
        return (await self.thing("Network", NetworkSpec("n", cidr=cidr, **more)))[1].provider_id

    async def group(self, *rules: Rule) -> tuple[Step, str]:
        step, seen = await self.thing("SecurityGroup", SecurityGroupSpec("web", rules))
        return step, seen.provider_id

    async def machine(self, network: str, *groups: str, ip: str = "", **more: Any) -> tuple[Step, Seen]:
        return await self.rig.make(networks=(Nic(network, ip, groups=groups),), command=SERVE, **more)

    async def update(self, step: Step, seen_id: str, spec: Any, *fields: str) -> Seen:
        change = self.rig.step(Verb.UPDATE, step.kind, step.owner, spec, provider_id=seen_id, fields=fields)
        seen = (await self.rig.finish(change)).seen
        assert seen is not None
        return seen

    async def reaches(self, machine: Seen, address: str, port: int, seconds: int = 2) -> bool:
        """Whether a machine gets served at an address."""
        command = ("nc", "-w", str(seconds), address, str(port))
        return await self.rig.run(machine.provider_id, *command) == (0, "served\n")

    async def serves(self, machine: Seen, *ports: int) -> None:
        """Waits until it listens, which it tells itself: no guard is in the way of that."""
        async with asyncio.timeout(20):
            for port in ports or (80, 81, 82):
                while (await self.rig.run(machine.provider_id, "nc", "-w", "1", "127.0.0.1", str(port)))[
                    1
                ] != "served\n":
                    await self.rig.clock.sleep(0.05)


@pytest.fixture
def net(rig: DockerRig) -> Net:
    return Net(rig)


def ip(seen: Seen) -> str:
    return str(seen.attributes["first_address"])


def from_here(address: str, port: int, seconds: float = 1.5) -> bool:
    """Whether the engine's own machine gets served."""
    try:
        with socket.create_connection((address, port), seconds) as link:
            return link.recv(16) == b"served\n"
    except OSError:
        return False


# --- groups


async def test_a_group_lets_in_what_it_admits_and_nothing_else(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(TCP80)
    _, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    assert await net.reaches(client, ip(server), 80)
    assert not await net.reaches(client, ip(server), 81)
    assert from_here(ip(server), 80)
    assert not from_here(ip(server), 81)
    assert await net.reaches(server, ip(client), 81), "what it sends is not kept back"
    assert (await net.rig.run(client.provider_id, "ping", "-c", "1", "-W", "1", ip(server)))[0] != 0


async def test_a_group_without_rules_lets_nothing_in_and_everything_out(net: Net) -> None:
    network = await net.network()
    _, group = await net.group()
    _, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    await net.serves(client)
    assert not await net.reaches(client, ip(server), 80)
    assert await net.reaches(server, ip(client), 80)


async def test_groups_add_up(net: Net) -> None:
    network = await net.network()
    groups = [(await net.group(replace(TCP80, first=port, last=port)))[1] for port in (80, 82)]
    _, server = await net.machine(network, *groups)
    _, client = await net.machine(network)
    await net.serves(server)
    assert [await net.reaches(client, ip(server), port) for port in (80, 81, 82)] == [True, False, True]


async def test_icmp_is_admitted_by_a_rule(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(Rule(protocol="icmp"))
    _, server = await net.machine(network, group)
    _, client = await net.machine(network)
    assert (await net.rig.run(client.provider_id, "ping", "-c", "1", "-W", "2", ip(server)))[0] == 0
    assert not await net.reaches(client, ip(server), 80)


async def test_the_members_of_another_group_are_let_in(net: Net) -> None:
    network = await net.network()
    _, front = await net.group()
    _, back = await net.group(replace(TCP80, group=front))
    _, server = await net.machine(network, back)
    _, member = await net.machine(network, front)
    step, stranger = await net.machine(network)
    await net.serves(server)
    assert await net.reaches(member, ip(server), 80)
    assert not await net.reaches(stranger, ip(server), 80)
    spec = replace(step.spec, networks=(Nic(network, groups=(front,)),))
    joined = await net.update(step, stranger.provider_id, spec, "networks")
    assert await net.reaches(joined, ip(server), 80), "who joins a group is in it at once"


async def test_the_machines_of_one_group_talk_to_one_another(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(Rule(group="self"))
    _, one = await net.machine(network, group)
    _, other = await net.machine(network, group)
    _, stranger = await net.machine(network)
    await net.serves(one)
    await net.serves(other)
    assert await net.reaches(one, ip(other), 81)
    assert await net.reaches(other, ip(one), 80)
    assert not await net.reaches(stranger, ip(one), 80)


async def test_a_range_says_who_is_let_in(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(replace(TCP80, prefix="10.221.30.192/26"))
    _, server = await net.machine(network, group, ip="10.221.30.10")
    _, near = await net.machine(network, ip="10.221.30.200")
    _, far = await net.machine(network, ip="10.221.30.20")
    await net.serves(server)
    assert await net.reaches(near, "10.221.30.10", 80)
    assert not await net.reaches(far, "10.221.30.10", 80)


async def test_egress_rules_keep_back_what_they_do_not_admit(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(replace(TCP80, direction="egress"))
    _, closed = await net.machine(network, group)
    _, server = await net.machine(network)
    await net.serves(server)
    assert await net.reaches(closed, ip(server), 80)
    assert not await net.reaches(closed, ip(server), 81)


async def test_rules_change_in_place_and_cut_what_they_admitted(net: Net) -> None:
    network = await net.network()
    step, group = await net.group(TCP80)
    _, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    assert await net.reaches(client, ip(server), 80)
    seen = await net.update(
        step, group, SecurityGroupSpec("web", (replace(TCP80, first=81, last=81),)), "rules"
    )
    assert seen.provider_id == group
    assert not await net.reaches(client, ip(server), 80)
    assert await net.reaches(client, ip(server), 81)
    await net.update(step, group, SecurityGroupSpec("web"), "rules")
    assert not await net.reaches(client, ip(server), 81)


async def test_a_rule_is_added_and_taken_back(net: Net) -> None:
    network = await net.network()
    group_step, group = await net.group(TCP80)
    _, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    spec = SecurityGroupRuleSpec(group, replace(TCP80, first=82, last=82))
    step, rule = await net.thing("SecurityGroupRule", spec)
    assert await net.reaches(client, ip(server), 82)
    await net.update(group_step, group, group_step.spec, "rules")
    assert await net.reaches(client, ip(server), 82), "writing the group anew keeps its added rules"
    assert (await net.rig.finish(step)).seen == rule, "adding it again adds nothing"
    await net.rig.delete(step, rule)
    assert not await net.reaches(client, ip(server), 82)
    assert await net.reaches(client, ip(server), 80)


async def test_a_machine_without_groups_is_open_again_when_it_leaves_its_last(net: Net) -> None:
    network = await net.network()
    _, group = await net.group()
    step, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    assert not await net.reaches(client, ip(server), 80)
    seen = await net.update(
        step, server.provider_id, replace(step.spec, networks=(Nic(network),)), "networks"
    )
    assert await net.reaches(client, ip(seen), 80)


async def test_ossn_0011_a_group_that_is_not_there_opens_nothing(net: Net) -> None:
    """An unresolved group of Heat's admitted the whole world."""
    network = await net.network()
    with pytest.raises(TransientError, match="not there"):
        await net.machine(network, "group:00000000000000000000-1")
    with pytest.raises(PermanentError, match="there is no group"):
        await net.machine(network, "no such thing; accept")
    with pytest.raises(TransientError, match="not there"):
        await net.group(Rule(group="group:00000000000000000000-1"))
    assert [seen.kind for seen in await net.rig.ours()] == ["Network"], (
        "no machine ran, and no group was made"
    )


# --- before the guest, after the engine, without Terrace


async def test_rules_stand_before_the_guest_has_traffic(net: Net) -> None:
    """The client knocks all the while; the server counts who came in."""
    network = await net.network()
    _, group = await net.group()
    _, client = await net.machine(network)
    knock = "while :; do nc -w 1 10.221.30.77 80; done"
    await net.rig.driver.exec(client.provider_id, ["sh", "-c", knock])
    serve = ("sh", "-c", "nc -ll -p 80 -e sh -c 'echo in >> /tmp/came; echo served'")
    step, server = await net.rig.make(
        networks=(Nic(network, "10.221.30.77", groups=(group,)),), command=serve
    )
    for _ in range(3):
        await net.rig.change(Verb.RESTART, step, server)
        net.rig.engine.cli("restart", "--time", "0", server.provider_id)  # behind our back
        assert (await net.rig.run(server.provider_id, "nc", "-w", "2", "127.0.0.1", "80"))[1] == "served\n"
    assert (await net.rig.run(server.provider_id, "cat", "/tmp/came"))[1].count("in") == 3, (
        "only it itself came in"
    )


async def test_rules_survive_the_engine(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(TCP80)
    step, server = await net.machine(network, group)
    client_step, client = await net.machine(network)
    net.rig.engine.kill()
    net.rig.engine.start()
    assert {seen.kind for seen in await net.rig.ours()} == {"Network", "SecurityGroup", "Machine"}
    for made, seen in ((step, server), (client_step, client)):
        await net.rig.change(Verb.START, made, seen)
    await net.serves(server)
    assert await net.reaches(client, ip(server), 80)
    assert not await net.reaches(client, ip(server), 81)


async def test_after_a_reboot_no_machine_starts_before_its_rules_stand(net: Net) -> None:
    """The kernel forgot every rule, and the containers ended; the group comes back as another incarnation."""
    network = await net.network()
    group_step, group = await net.group(TCP80)
    step, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.rig.stop(server.provider_id)
    nft("delete", "table", "inet", name_of(HOME))
    assert {seen.kind for seen in await net.rig.ours()} == {"Network", "Machine"}
    with pytest.raises(TransientError, match="not there"):
        await net.rig.change(Verb.START, step, server)
    assert [seen.state for seen in await net.rig.of(step.owner)] == ["exited"]
    owner = replace(group_step.owner, incarnation=2)
    again = await net.rig.finish(net.rig.step(Verb.CREATE, "SecurityGroup", owner, group_step.spec))
    assert again.seen is not None
    networks = (replace(step.spec.networks[0], groups=(again.seen.provider_id,)),)
    started = net.rig.step(
        Verb.START,
        "Machine",
        step.owner,
        replace(step.spec, networks=networks),
        provider_id=server.provider_id,
    )
    seen = (await net.rig.finish(started)).seen
    assert seen is not None
    await net.serves(seen)
    assert await net.reaches(client, ip(seen), 80)
    assert not await net.reaches(client, ip(seen), 81)


async def test_what_somebody_flushed_is_seen_and_mended(net: Net) -> None:
    network = await net.network()
    group_step, group = await net.group(TCP80)
    step, server = await net.machine(network, group)
    _, client = await net.machine(network)
    await net.serves(server)
    table = name_of(HOME)
    for spoil in (
        ("flush", "chain", "inet", table, "enter_forward"),
        ("flush", "chain", "inet", table, f"genter_{group_step.owner.uid}_1"),
        ("insert", "rule", "inet", table, f"genter_{group_step.owner.uid}_1", "accept"),
    ):
        nft(*spoil)
        assert [seen.properties for seen in await net.rig.of(group_step.owner)] == [{"intact": False}], spoil
        seen = await net.update(group_step, group, group_step.spec, "intact")
        assert seen.properties == {"intact": True}
        assert not await net.reaches(client, ip(server), 81)
    nft("flush", "map", "inet", table, "enter")
    (spoiled,) = await net.rig.of(step.owner)
    assert spoiled.properties["networks"][0]["groups"] == ["broken"]
    mended = await net.update(step, server.provider_id, step.spec, "networks")
    assert mended.properties["networks"][0]["groups"] == [group]
    assert not await net.reaches(client, ip(server), 81)
    assert await net.reaches(client, ip(server), 80)


async def test_everything_goes_with_the_last_thing(net: Net) -> None:
    network = await net.network()
    group_step, group = await net.group(TCP80)
    step, server = await net.machine(network, group)
    with pytest.raises(TransientError) as caught:
        await net.rig.delete(group_step, (await net.rig.of(group_step.owner))[0])
    assert caught.value.code == "in-use"
    await net.rig.delete(step, server)
    await net.rig.delete(group_step, (await net.rig.of(group_step.owner))[0])
    assert name_of(HOME) not in nft("list", "tables")
    assert [seen.kind for seen in await net.rig.ours()] == ["Network"]


async def test_the_guard_of_a_machine_that_somebody_removed_goes_with_its_group(net: Net) -> None:
    network = await net.network()
    group_step, _ = await net.group(TCP80)
    _, server = await net.machine(network, (await net.rig.of(group_step.owner))[0].provider_id)
    await net.rig.remove(server.provider_id)
    await net.rig.delete(group_step, (await net.rig.of(group_step.owner))[0])
    assert name_of(HOME) not in nft("list", "tables")


# --- routers


async def test_a_router_joins_networks_and_shuts_those_without_a_gateway(net: Net) -> None:
    near, far = await net.network("10.221.31.0/24"), await net.network("10.221.32.0/24")
    _, one = await net.machine(near)
    _, other = await net.machine(far)
    await net.serves(other)
    assert not await net.reaches(one, ip(other), 80), "an engine keeps its networks apart"
    step, router = await net.thing("Router", RouterSpec("r"))
    for network in (near, far):
        await net.thing("RouterInterface", RouterInterfaceSpec(router.provider_id, network))
    assert await net.reaches(one, ip(other), 80)
    who = ("sh", "-c", "nc -ll -p 83 -e netstat -tn")
    await net.rig.driver.exec(other.provider_id, who)
    async with asyncio.timeout(20):
        while (told := await net.rig.run(one.provider_id, "nc", "-w", "2", ip(other), "83"))[0]:
            await net.rig.clock.sleep(0.05)
    assert f"{ip(one)}:" in told[1], "it is seen there under its own address"
    outside = Outside()
    assert not await net.reaches(one, outside.address, outside.port), "no gateway, no way out"
    gateway_step, gateway = await net.thing("RouterGateway", RouterGatewaySpec(router.provider_id, "public"))
    assert await net.reaches(one, outside.address, outside.port)
    await net.rig.delete(gateway_step, gateway)
    assert not await net.reaches(one, outside.address, outside.port)
    await net.update(step, router.provider_id, RouterSpec("r", gateway="public"), "gateway")
    assert await net.reaches(one, outside.address, outside.port)
    outside.close()


async def test_groups_hold_across_a_router(net: Net) -> None:
    near, far = await net.network("10.221.31.0/24"), await net.network("10.221.32.0/24")
    _, front = await net.group()
    _, back = await net.group(replace(TCP80, group=front))
    _, member = await net.machine(near, front)
    _, stranger = await net.machine(near)
    _, server = await net.machine(far, back)
    await net.serves(server)
    _, router = await net.thing("Router", RouterSpec("r"))
    for network in (near, far):
        await net.thing("RouterInterface", RouterInterfaceSpec(router.provider_id, network))
    assert await net.reaches(member, ip(server), 80)
    assert not await net.reaches(member, ip(server), 81)
    assert not await net.reaches(stranger, ip(server), 80)


# --- floating addresses


async def test_a_floating_address_leads_to_a_machine_and_moves(net: Net) -> None:
    network = await net.network()
    _, one = await net.machine(network)
    _, other = await net.machine(network)
    await net.serves(one)
    await net.serves(other)
    step, floating = await net.thing("FloatingIP", FloatingIPSpec(pool="public"))
    address = floating.attributes["ip"]
    assert address == "127.0.1.1"
    assert not from_here(address, 80)
    spec = FloatingIPAssociationSpec(floating.provider_id, machine=one.provider_id)
    tie, bound = await net.thing("FloatingIPAssociation", spec)
    assert from_here(address, 80)
    net.rig.engine.cli("pause", one.provider_id)
    assert not from_here(address, 80)
    moved = await net.update(
        tie, bound.provider_id, replace(spec, target=ip(other), machine=""), "target", "machine"
    )
    assert moved.provider_id == bound.provider_id
    assert from_here(address, 80)
    await net.rig.delete(tie, bound)
    assert not from_here(address, 80)
    await net.rig.delete(step, floating)
    assert [seen.kind for seen in await net.rig.ours() if seen.kind.startswith("Floating")] == []


async def test_a_floating_address_does_not_open_what_a_group_shuts(net: Net) -> None:
    network = await net.network()
    _, group = await net.group(TCP80)
    _, server = await net.machine(network, group)
    await net.serves(server)
    _, floating = await net.thing("FloatingIP", FloatingIPSpec(target=ip(server)))
    assert from_here(floating.attributes["ip"], 80)
    assert not from_here(floating.attributes["ip"], 81)


class Outside:
    """Something that serves beyond the engine's networks: on the engine's uplink's other end there is nothing of ours,
    so it stands in a namespace of its own, reached over a pair of interfaces."""

    address, port = "192.0.2.2", 80
    space = f"tt-outside-{os.getpid()}"

    def __init__(self) -> None:
        note("ip", "netns", "del", self.space)
        for line in (
            f"ip netns add {self.space}",
            f"ip link add tt-out0 type veth peer name tt-out1 netns {self.space}",
            "ip addr add 192.0.2.1/24 dev tt-out0",
            "ip link set tt-out0 up",
            f"ip -n {self.space} addr add 192.0.2.2/24 dev tt-out1",
            f"ip -n {self.space} link set tt-out1 up",
        ):
            subprocess.run(line.split(), check=True, capture_output=True)
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", self.space, "busybox", "nc", "-ll", "-p", "80", "-e", "echo", "served"]
        )

    def close(self) -> None:
        self.server.kill()
        self.server.wait()
        subprocess.run(["ip", "netns", "del", self.space], check=False)
