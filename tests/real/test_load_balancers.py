"""Load balancers on a real engine: what they are sent comes to their members, whatever changes meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.balance.changes import standings
from terrace.drivers.docker.balance.parts import KINDS
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.seen import Seen
from terrace.model.spec.balance import (
    HealthMonitorSpec,
    ListenerSpec,
    LoadBalancerSpec,
    PoolMemberSpec,
    PoolSpec,
)
from terrace.model.spec.firewall import Rule, SecurityGroupSpec
from terrace.model.spec.machine import Nic
from terrace.model.spec.network import NetworkSpec
from terrace.model.step import Step, Verb
from tests.contracts.rig import CountingFence
from tests.real.crowd import Crowd, get
from tests.real.docker_rig import DockerRig
from tests.real.engine import Engine

SERVE = "mkdir -p /www; echo {name} > /www/index.html; echo {name} > /www/up; exec httpd -f -p 80 -h /www"

SLOW = """mkdir -p /www/cgi-bin; cd /www/cgi-bin
printf '#!/bin/sh\\nsleep 3; printf "\\\\nslow\\\\n"' > slow; chmod +x slow
"""


@pytest.fixture
async def rig(engine: Engine, tiny_image: str, proxy_image: str) -> AsyncIterator[DockerRig]:
    made = DockerRig(engine, tiny_image)
    yield made
    await made.driver.close()


class Site:
    """A load balancer with one listener and one pool, and machines that tell their names."""

    def __init__(self, rig: DockerRig) -> None:
        self.rig = rig
        self.network = ""
        self.made: dict[str, tuple[Step, Seen]] = {}

    async def thing(self, name: str, kind: str, spec: Any) -> Seen:
        step = self.rig.step(Verb.CREATE, kind, self.rig.owner(), spec)
        seen = (await self.rig.finish(step)).seen
        assert seen is not None
        self.made[name] = (step, seen)
        return seen

    async def stand(self, **pool: Any) -> Site:
        self.network = (
            await self.thing("net", "Network", NetworkSpec("n", cidr="10.221.40.0/24"))
        ).provider_id
        balancer = await self.thing("lb", "LoadBalancer", LoadBalancerSpec("lb", self.network))
        listener = await self.thing(
            "listener", "Listener", ListenerSpec("HTTP", 80, balancer=balancer.provider_id, name="front")
        )
        wanted = {"protocol": "HTTP", "algorithm": "ROUND_ROBIN", "listener": listener.provider_id, **pool}
        await self.thing("pool", "Pool", PoolSpec(**wanted))
        return self

    async def machine(self, name: str, first: str = "", network: str = "") -> None:
        command = ("sh", "-c", first + SERVE.format(name=name))
        self.made[name] = await self.rig.make(networks=(Nic(network or self.network),), command=command)
        address = self.made[name][1].attributes["first_address"]
        async with asyncio.timeout(20):
            while await asyncio.to_thread(get, address) != name:
                await asyncio.sleep(0.05)

    async def monitor(self, **more: Any) -> Seen:
        wanted = {"pool": self.id("pool"), "delay": 1, "timeout": 1, "retries": 1, **more}
        return await self.thing("monitor", "HealthMonitor", HealthMonitorSpec(**wanted))

    async def change(self, name: str, **fields: Any) -> None:
        step, seen = self.made[name]
        spec = replace(step.spec, **fields)
        step = replace(step, verb=Verb.UPDATE, spec=spec, provider_id=seen.provider_id, fields=tuple(fields))
        after = (await self.rig.finish(step)).seen
        assert after is not None
        self.made[name] = (replace(step, verb=Verb.CREATE, provider_id="", fields=()), after)

    def id(self, name: str) -> str:
        return self.made[name][1].provider_id

    def token(self, name: str) -> str:
        return self.made[f"member {name}"][0].owner.token

    async def answer(self, *names: str) -> None:
        """Waits until all of these answer."""
        async with asyncio.timeout(20):
            while set(await asked(self.address, 2 * len(names))) != set(names):
                await asyncio.sleep(0.05)

    async def status(self, name: str, wanted: str) -> None:
        """Waits until a member is seen to be as wanted."""
        owner = self.made[f"member {name}"][0].owner
        async with asyncio.timeout(20):
            while (await self.rig.of(owner))[0].attributes["operating_status"] != wanted:
                await asyncio.sleep(0.1)

    async def busy(self, name: str) -> bool:
        """Whether a member has a connection now."""
        question = "echo 'show stat' | socat - UNIX-CONNECT:/var/lib/terrace/balance/admin.sock"
        told = self.rig.engine.cli("exec", self.id("lb"), "sh", "-c", question)
        return standings(told)[self.token(name)].connections > 0

    async def member(self, name: str, **more: Any) -> Seen:
        address = self.made[name][1].attributes["first_address"]
        spec = PoolMemberSpec(self.made["pool"][1].provider_id, address, 80, **more)
        return await self.thing(f"member {name}", "PoolMember", spec)

    async def delete(self, name: str) -> None:
        await self.rig.delete(*self.made.pop(name))

    @property
    def address(self) -> str:
        return str(self.made["lb"][1].attributes["address"])


async def asked(address: str, times: int) -> Counter[str]:
    """Who answers how often."""
    return Counter([await asyncio.to_thread(get, address) for _ in range(times)])


async def test_what_comes_in_is_shared_by_two_members(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    for name in ("one", "two"):
        await site.machine(name)
        await site.member(name)
    assert await asked(site.address, 10) == {"one": 5, "two": 5}


async def test_members_come_and_go_and_no_request_fails(rig: DockerRig) -> None:
    """By the proxy's runtime interface, and by reloads where it takes one."""
    site = await Site(rig).stand()
    for name in ("one", "two", "three"):
        await site.machine(name)
    await site.member("one")
    with Crowd(site.address) as crowd:
        await crowd.hears("one")
        await site.member("two")
        await crowd.hears("one", "two")
        await site.delete("member one")
        await site.delete("one")
        await site.member("three", weight=3)
        await crowd.hears("two", "three")
        listener = ListenerSpec("HTTP", 81, balancer=site.made["lb"][1].provider_id, pool=site.id("pool"))
        await site.thing("second", "Listener", listener)
        assert await asyncio.to_thread(get, site.address, 81) in ("two", "three")
        await site.change("pool", algorithm="LEAST_CONNECTIONS")
        await site.monitor(type="TCP")
        await site.delete("member two")
        await site.delete("two")
        await crowd.hears("three")
    crowd.judge()


async def test_a_member_finishes_what_it_began_before_it_goes(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    await site.machine("one", SLOW)
    await site.member("one")
    await site.machine("two")
    await site.member("two", backup=True)
    asking = asyncio.create_task(asyncio.to_thread(get, site.address, 80, 20.0, "/cgi-bin/slow"))
    async with asyncio.timeout(10):
        while not await site.busy("one"):
            await asyncio.sleep(0.05)
    step, seen = site.made["member one"]
    gone = rig.step(Verb.DELETE, "PoolMember", step.owner, provider_id=seen.provider_id)
    receipt = await rig.driver.apply(gone, CountingFence())
    assert receipt.handle
    assert receipt.note == "it finishes 1 connection"
    assert receipt.seen is not None
    assert receipt.seen.attributes["operating_status"] == "DRAINING"
    assert await asked(site.address, 3) == {"two": 3}, "what is new goes to others"
    await site.delete("member one")
    assert await asking == "slow"
    assert await rig.of(step.owner) == []


async def test_a_monitor_leaves_out_what_is_dead(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    await site.monitor(type="HTTP", path="/up", delay=1, timeout=1, retries=1, failures=1)
    for name in ("one", "two"):
        await site.machine(name)
        await site.member(name)
    await site.answer("one", "two")
    rig.engine.cli("exec", site.made["two"][1].provider_id, "rm", "/www/up")
    await site.status("two", "ERROR")
    assert await asked(site.address, 6) == {"one": 6}
    rig.engine.cli("exec", site.made["two"][1].provider_id, "sh", "-c", "echo up > /www/up")
    await site.status("two", "ONLINE")
    await site.answer("one", "two")


async def test_clients_are_kept_with_their_member(rig: DockerRig) -> None:
    site = await Site(rig).stand(persistence="SOURCE_IP")
    for name in ("one", "two"):
        await site.machine(name)
        await site.member(name)
    assert len(await asked(site.address, 8)) == 1
    await site.change("pool", persistence="HTTP_COOKIE")
    assert len(await asked(site.address, 8)) == 2, "without the cookie nobody is kept"
    assert (
        len({await asyncio.to_thread(get, site.address, cookie=f"SRV={site.token('one')}") for _ in range(4)})
        == 1
    )


async def test_a_listener_of_tcp_passes_on_what_it_is_sent(rig: DockerRig) -> None:
    """To a member on another network, which the proxy joins for it, and from a range that is allowed."""
    site = await Site(rig).stand()
    far = (await site.thing("far", "Network", NetworkSpec("far", cidr="10.221.41.0/24"))).provider_id
    lb = site.id("lb")
    pool = await site.thing("plain", "Pool", PoolSpec("TCP", "SOURCE_IP", balancer=lb))
    listener = ListenerSpec("TCP", 2222, balancer=lb, pool=pool.provider_id, allowed=("10.221.40.0/24",))
    await site.thing("in", "Listener", listener)
    await site.machine("one", network=far)
    address = site.made["one"][1].attributes["first_address"]
    spec = PoolMemberSpec(pool.provider_id, address, 80, subnet=f"x@{far}")
    await site.thing("member", "PoolMember", spec)
    assert await asyncio.to_thread(get, site.address, 2222) == "one"
    await site.change("in", allowed=("192.0.2.0/24",))
    assert await asyncio.to_thread(get, site.address, 2222) == ""
    await site.delete("member")
    networks = rig.engine.inspect(lb)["NetworkSettings"]["Networks"].values()
    assert [end["NetworkID"] for end in networks] == [site.network]


async def test_security_groups_say_who_may_come_in(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    await site.machine("one")
    await site.member("one")
    await site.answer("one")
    web, other = [
        (await site.thing(f"group {port}", "SecurityGroup", SecurityGroupSpec("g", rules))).provider_id
        for port, rules in ((80, (Rule(protocol="tcp", first=80, last=80),)), (443, ()))
    ]
    await site.change("lb", security_groups=(web,))
    assert await asked(site.address, 2) == {"one": 2}
    await site.change("lb", security_groups=(other,))
    assert await asyncio.to_thread(get, site.address, seconds=1.5) == ""
    (seen,) = await rig.of(site.made["lb"][0].owner)
    assert seen.properties["security_groups"] == (other,)
    await site.change("lb", security_groups=())
    assert await asked(site.address, 2) == {"one": 2}


async def test_what_does_not_fit_is_said(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    lb = site.id("lb")
    plain = await site.thing("plain", "Pool", PoolSpec("TCP", "ROUND_ROBIN", balancer=lb))
    with pytest.raises(PermanentError, match="sends to a pool of HTTP or PROXY, not of TCP"):
        await site.change("listener", pool=plain.provider_id)
    with pytest.raises(CapabilityError, match="HAProxy carries no UDP"):
        await site.thing("u", "Listener", ListenerSpec("UDP", 53, balancer=lb))


# --- what others do to it


async def test_what_others_do_to_it_is_seen_and_mended(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    await site.machine("one")
    await site.member("one")
    step, lb = site.made["lb"]
    folder = "/var/lib/terrace/balance"
    assert await intact(site)
    rig.engine.cli("exec", lb.provider_id, "sed", "-i", "/member_/d", f"{folder}/haproxy.cfg")
    assert not await intact(site)
    update = replace(step, verb=Verb.UPDATE, provider_id=lb.provider_id, fields=("intact",))
    await rig.finish(update)
    assert await intact(site)
    assert await asked(site.address, 2) == {"one": 2}
    rig.engine.cli("exec", lb.provider_id, "rm", f"{folder}/parts.json")
    assert [seen.kind for seen in await rig.ours() if seen.kind in KINDS] == ["LoadBalancer"], (
        "nothing is on it"
    )
    await rig.finish(update)
    for name in ("listener", "pool", "member one"):
        again = (await rig.finish(site.made[name][0])).seen
        assert again == site.made[name][1]
    assert await asked(site.address, 2) == {"one": 2}


async def test_a_proxy_that_ended_or_was_frozen_goes_on(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    await site.machine("one")
    await site.member("one")
    step, lb = site.made["lb"]
    await rig.stop(lb.provider_id)
    (seen,) = await rig.of(step.owner)
    assert seen.state == "exited"
    with pytest.raises(TransientError, match="does not run"):
        await site.member("one", weight=2)
    assert (await rig.change(Verb.START, step, lb)) is not None
    await site.answer("one")
    await rig.pause(lb.provider_id)
    assert (await rig.change(Verb.UNPAUSE, step, lb)) is not None
    await site.answer("one")
    await rig.stop(lb.provider_id)
    await site.delete("member one")
    await rig.change(Verb.START, step, lb)
    await site.answer("503")
    assert {one.kind for one in await rig.ours()} >= {"LoadBalancer", "Listener", "Pool"}
    assert not [one for one in await rig.ours() if one.kind == "PoolMember"]


async def test_the_next_incarnation_has_the_same_address(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    step, lb = site.made["lb"]
    await rig.remove(lb.provider_id)
    again = replace(step, owner=replace(step.owner, incarnation=2))
    seen = (await rig.finish(again)).seen
    assert seen is not None
    assert seen.attributes["address"] == site.address
    third = (await rig.finish(replace(step, owner=replace(step.owner, incarnation=3)))).seen
    assert third is not None
    assert third.attributes["address"] != site.address, "which the second still has"


async def intact(site: Site) -> bool:
    (seen,) = [one for one in await site.rig.ours() if one.kind == "LoadBalancer"]
    return bool(seen.properties["intact"])
