"""Removing networks that the engine will not let go of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from terrace.drivers.docker.networks import Networks, pick_in, uplink_mtu
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import TransientError
from terrace.model.seen import Names, Owner
from terrace.model.spec.network import PortSpec
from terrace.model.step import Step, Verb

STEP = Step(Verb.DELETE, "Network", Owner("home", "u", 1), Names("p", "s", "net"), provider_id="N")


class Kept:
    """An engine that keeps the place of a container which is gone, beside one that is there."""

    def __init__(self) -> None:
        self.changed: list[tuple[str, str, Any]] = []

    async def read(self, path: str, params: Any = None) -> Any:
        if path == "/networks/N":
            return {"Id": "N", "Containers": {"dead": {}, "alive": {}}}
        if path == "/containers/alive/json":
            return {"Id": "alive"}
        raise Refusal(404, "no such container")

    async def change(self, fence: Any, method: str, path: str, params: Any = None, body: Any = None) -> Any:
        self.changed.append((method, path, body))
        if method == "DELETE":
            raise Refusal(403, "error while removing network: network net has active endpoints")


def test_places_of_containers_that_are_gone_are_taken_off() -> None:
    engine = Kept()
    networks = Networks(engine, DockerSettings(), None)  # type: ignore[arg-type]
    with pytest.raises(TransientError, match="still in use"):
        asyncio.run(networks.apply(STEP, None))  # type: ignore[arg-type]
    assert engine.changed == [
        ("DELETE", "/networks/N", None),
        ("POST", "/networks/N/disconnect", {"Container": "dead", "Force": True}),
    ]


class Miscounting(Kept):
    """An engine that keeps a network on which nothing is."""

    async def read(self, path: str, params: Any = None) -> Any:
        return {"Id": "N", "Containers": {}}


def test_a_network_whose_users_the_engine_cannot_count_is_left_until_it_counts_anew() -> None:
    networks = Networks(Miscounting(), DockerSettings(), None)  # type: ignore[arg-type]
    receipt = asyncio.run(networks.apply(STEP, None))  # type: ignore[arg-type]
    assert receipt.seen is None
    assert "until it is restarted" in receipt.note


def test_the_mtu_is_that_of_the_way_out(tmp_path: Path) -> None:
    table = tmp_path / "route"
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    table.write_text(
        f"{head}br0 0000D60A 00000000 0001 0 0 0 00FFFFFF 0 0 0\nup0 00000000 01FFD60A 0003 0 0 0 00000000 0 0 0\n"
    )
    assert uplink_mtu(table, {"up0": 1400}.__getitem__) == 1400
    table.write_text(f"{head}lo 00000000 00000000 0003 0 0 0 00000000 0 0 0\n")
    assert uplink_mtu(table) == 65536
    table.write_text(f"{head}gone0 00000000 00000000 0003 0 0 0 00000000 0 0 0\n")
    assert uplink_mtu(table) == 0
    table.write_text(head)
    assert uplink_mtu(table) == 0


def test_addresses_come_from_pools_until_there_is_none_left() -> None:
    pools = (("10.0.0.5", "10.0.0.6"), ("10.0.0.9", "10.0.0.9"))
    taken: set[str] = set()
    while address := pick_in(pools, taken, f"port {len(taken)}"):
        taken.add(address)
    assert taken == {"10.0.0.5", "10.0.0.6", "10.0.0.9"}


class Slow:
    """An engine that lets others go on while it answers, with one network that holds nothing."""

    async def read(self, path: str, params: Any = None) -> Any:
        await asyncio.sleep(0)
        network = {"Id": "N", "IPAM": {"Config": [{"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1"}]}}
        return network if path.startswith("/networks/") else []


def test_ports_that_choose_at_the_same_moment_choose_differently() -> None:
    networks = Networks(Slow(), DockerSettings(), None)  # type: ignore[arg-type]
    spec = PortSpec("N", pools=(("10.0.0.100", "10.0.0.120"),))

    async def choose() -> list[str]:
        steps = [
            Step(Verb.CREATE, "Port", Owner("home", f"u{n}", 1), Names("p", "s", "a"), spec)
            for n in range(21)
        ]
        receipts = await asyncio.gather(*(networks.apply_port(step) for step in steps))
        return [receipt.seen.attributes["ip"] for receipt in receipts if receipt.seen is not None]

    assert len(set(asyncio.run(choose()))) == 21
