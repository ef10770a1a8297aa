"""Floating addresses of a range that is routed to the engine's computer, seen from another one: a network namespace at
the end of a wire of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.level.rig import SETTINGS, alone
from tests.real.level.test_networks import TCP, from_here, get, heat, machine
from tests.real.remains import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

POOL = "203.0.113.0/28"
HERE, THERE = "198.51.100.1", "198.51.100.2"
ASK = """\
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 2) as link:
        print(link.recv(16).decode().strip())
except OSError as error:
    print(error)
"""


class Computer:
    """Another computer: what it sends to the pool comes here by the wire between."""

    def __init__(self) -> None:
        self.name = f"terrace-far-{os.getpid()}"
        self.wire = f"tf{os.getpid()}"

    def build(self) -> None:
        note("ip", "netns", "delete", self.name)
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "address", "add", f"{HERE}/30", "dev", self.wire)
        run("ip", "link", "set", self.wire, "up")
        for words in (
            ("address", "add", f"{THERE}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", HERE),
        ):
            run("ip", "-n", self.name, *words)

    def destroy(self) -> None:
        for words in (("link", "delete", self.wire), ("netns", "delete", self.name)):
            subprocess.run(["ip", *words], check=False, capture_output=True)

    def asks(self, address: str, port: int) -> str:
        """What a service answers to this computer, or why none does."""
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", ASK, address, str(port)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def far() -> Iterator[Computer]:
    computer = Computer()
    try:
        computer.build()
        yield computer
    finally:
        computer.destroy()


@pytest.fixture(scope="module")
def server(session_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """A user whose provider has addresses that are routed to it."""
    settings = SETTINGS + f'floating_pool = "{POOL}"\n'
    yield from alone(tmp_path_factory.mktemp("user"), session_engine, settings)


def shop(image: str, *rules: Any, leads: bool = True) -> dict[str, Any]:
    lead = heat("Neutron::FloatingIPAssociation", floatingip_id=get("address"), port_id=get("port"))
    return {
        "net": heat("Neutron::Net"),
        "range": heat("Neutron::Subnet", network=get("net"), cidr="10.221.71.0/24"),
        "group": heat("Neutron::SecurityGroup", rules=list(rules)),
        "port": heat("Neutron::Port", network=get("net"), security_groups=[get("group")]),
        "web": machine(image, networks=[{"port": get("port")}]),
        "address": heat("Neutron::FloatingIP", floating_network="public"),
    } | ({"lead": lead} if leads else {})


def test_another_computer_reaches_a_machine_by_a_routed_address(
    terrace: Terrace, tiny_image: str, far: Computer
) -> None:
    def up(*rules: Any, leads: bool = True) -> None:
        resources = shop(tiny_image, *rules, leads=leads)
        outputs = {"address": {"value": get("address", "floating_ip_address")}}
        terrace("up", terrace.write("shop", resources, outputs=outputs), "--yes")

    up(TCP)
    address = terrace("output", "shop", "address", "-o", "json").json["value"]
    assert address == "203.0.113.1"
    terrace.until(lambda: far.asks(address, 80) == "served", 20, why="the machine to serve")
    assert from_here(address, 80)
    # what the group does not admit does not pass, nor does the way past the address lead anywhere else
    assert far.asks(address, 81) != "served"
    assert far.asks("203.0.113.2", 80) != "served"

    up()
    assert far.asks(address, 80) != "served"
    up({**TCP, "remote_ip_prefix": f"{THERE}/32"})
    assert far.asks(address, 80) == "served"
    up({**TCP, "remote_ip_prefix": f"{HERE}/32"})
    assert far.asks(address, 80) != "served"

    up(TCP)
    assert far.asks(address, 80) == "served"
    up(TCP, leads=False)
    assert far.asks(address, 80) != "served"
    terrace.down("shop")
