"""Load balancers on a real engine: what they are sent comes to their members, whatever changes meanwhile."""

from __future__ import annotations

import asyncio
import http.client
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from terrace.model.seen import Seen
from terrace.model.spec.balance import (
    ListenerSpec,
    LoadBalancerSpec,
    PoolMemberSpec,
    PoolSpec,
)
from terrace.model.spec.machine import Nic
from terrace.model.spec.network import NetworkSpec
from terrace.model.step import Step, Verb
from tests.real.docker_rig import DockerRig
from tests.real.engine import Engine
from tests.real.images import recipe_image

SERVE = "mkdir -p /www; echo {name} > /www/index.html; exec httpd -f -p 80 -h /www"


@pytest.fixture(scope="session")
def proxy_image(session_engine: Engine) -> str:
    return recipe_image(session_engine, "haproxy")


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

    async def machine(self, name: str) -> Seen:
        command = ("sh", "-c", SERVE.format(name=name))
        step, seen = await self.rig.make(networks=(Nic(self.network),), command=command)
        self.made[name] = (step, seen)
        return seen

    async def member(self, name: str, **more: Any) -> Seen:
        address = self.made[name][1].attributes["first_address"]
        spec = PoolMemberSpec(self.made["pool"][1].provider_id, address, 80, **more)
        return await self.thing(f"member {name}", "PoolMember", spec)

    async def delete(self, name: str) -> None:
        await self.rig.delete(*self.made.pop(name))

    @property
    def address(self) -> str:
        return str(self.made["lb"][1].attributes["address"])


def get(address: str, port: int = 80, seconds: float = 5.0) -> str:
    """The name of the machine that answers, "" for none, or the status when it is not 200."""
    link = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        link.request("GET", "/")
        answer = link.getresponse()
        text = answer.read().decode().strip()
        return text if answer.status == 200 else str(answer.status)
    except OSError:
        return ""
    finally:
        link.close()


async def asked(address: str, times: int) -> Counter[str]:
    """Who answers how often."""
    return Counter([await asyncio.to_thread(get, address) for _ in range(times)])


async def test_what_comes_in_is_shared_by_two_members(rig: DockerRig) -> None:
    site = await Site(rig).stand()
    for name in ("one", "two"):
        await site.machine(name)
        await site.member(name)
    assert await asked(site.address, 10) == {"one": 5, "two": 5}
