"""Networks of Heat templates as a user has them: routers, security groups, floating addresses."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from terrace.drivers.docker.firewall.table import name_of
from tests.real.level.rig import SETTINGS, alone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

POOL = "127.0.9.0/24"
TCP = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}


@pytest.fixture(scope="module")
def server(session_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terrace]:
    """A user whose provider has floating addresses."""
    yield from alone(
        tmp_path_factory.mktemp("user"), session_engine, SETTINGS + f'floating_pool = "{POOL}"\n'
    )


def get(name: str, *path: Any) -> Any:
    return {"get_attr": [name, *path]} if path else {"get_resource": name}


def heat(kind: str, **properties: Any) -> Any:
    return {"type": f"OS::{kind}", "properties": properties}


def machine(image: str, **properties: Any) -> Any:
    command = "for p in 80 81; do nc -ll -p $p -e echo served & done; exec sleep 2147483647"
    return {
        "type": "Terrace::Machine",
        "properties": {"image": image, "memory": 32, "command": ["sh", "-c", command], **properties},
    }


def shop(image: str, *rules: Any) -> dict[str, Any]:
    """Two networks of one router, a server behind a group and a floating address, a client on the other network."""
    return {
        "front": heat("Neutron::Net"),
        "front-range": heat("Neutron::Subnet", network=get("front"), cidr="10.221.41.0/24", gateway_ip="10.221.41.9"),
        "back": heat("Neutron::Net"),
        "back-range": heat("Neutron::Subnet", network=get("back"), cidr="10.221.42.0/24"),
        "router": heat("Neutron::Router", external_gateway_info={"network": "public"}),
        "front-way": heat("Neutron::RouterInterface", router=get("router"), subnet=get("front-range")),
        "back-way": heat("Neutron::RouterInterface", router=get("router"), subnet=get("back-range")),
        "callers": heat("Neutron::SecurityGroup", name="callers"),
        "group": heat("Neutron::SecurityGroup", rules=[{**TCP, "remote_mode": "remote_group_id",
                                                        "remote_group_id": get("callers")}, *rules]),
        "port": heat(
            "Neutron::Port",
            network=get("back"),
            fixed_ips=[{"subnet": get("back-range"), "ip_address": "10.221.42.77"}],
            security_groups=[get("group")],
        ),
        "web": machine(image, networks=[{"port": get("port")}]),
        "client": machine(image, networks=[get("front")], security_groups=["callers"]),
        "other": machine(image, networks=[get("front")]),
        "address": heat("Neutron::FloatingIP", floating_network="public"),
        "lead": heat("Neutron::FloatingIPAssociation", floatingip_id=get("address"), port_id=get("port")),
    }  # fmt: skip


def reaches(terrace: Terrace, who: str, address: str, port: int) -> bool:
    words = ("exec", f"shop/{who}", "--", "nc", "-w", "2", address, str(port))
    return terrace(*words, code=None).out == "served\n"


def from_here(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 1.5) as link:
            return link.recv(16) == b"served\n"
    except OSError:
        return False


def write(terrace: Terrace, resources: dict[str, Any]) -> str:
    return terrace.write(
        "shop", resources, outputs={"address": {"value": get("address", "floating_ip_address")}}
    )


def test_a_heat_template_with_a_router_groups_and_a_floating_address(
    terrace: Terrace, tiny_image: str
) -> None:
    file = write(terrace, shop(tiny_image))
    noted = json.loads(terrace("plan", file, "-o", "json", code=2).out)["items"]
    assert {item["what"] for item in noted} == {"create"}
    terrace("up", file, "--yes")
    terrace.stands("shop", "back", "client", "front", "other", "web")
    address = terrace("output", "shop", "address", "-o", "json").json["value"]
    assert address == "127.0.9.1"
    inspected = terrace.engine.inspect(terrace.resources("shop")["front"]["provider_id"], "network")
    assert inspected["IPAM"]["Config"] == [{"Subnet": "10.221.41.0/24", "Gateway": "10.221.41.9"}]
    assert reaches(terrace, "client", "10.221.42.77", 80)
    assert not reaches(terrace, "client", "10.221.42.77", 81)
    assert not reaches(terrace, "other", "10.221.42.77", 80)
    assert not from_here(address, 80)

    write(terrace, shop(tiny_image, TCP))
    planned = terrace.plan("shop")
    assert {path: item["what"] for path, item in planned.items()} == {"group": "update"}
    assert [one["field"] for one in planned["group"]["differences"]] == ["rules"]
    before = terrace.container("shop", "web")
    terrace("up", file, "--yes")
    terrace.stands("shop", "back", "client", "front", "other", "web")
    assert terrace.container("shop", "web") == before
    assert reaches(terrace, "other", "10.221.42.77", 80)
    assert from_here(address, 80)
    assert not from_here(address, 81)

    table = name_of(terrace.installation)
    subprocess.run(["nft", "delete", "table", "inet", table], check=True)
    terrace.until(
        lambda: not from_here("10.221.42.77", 81) and from_here(address, 80), why="the rules to be back"
    )
    terrace.stands("shop", "back", "client", "front", "other", "web")
    assert not reaches(terrace, "other", "10.221.42.77", 81)
    terrace.down("shop")
    assert (
        table
        not in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    )
    assert table not in subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout


def served(terrace: Terrace, stack: str, who: str) -> None:
    """A machine that only sleeps serves on port 80 from now on."""
    serve = "nc -ll -p 80 -e echo served >/dev/null 2>&1 &"
    terrace("exec", f"{stack}/{who}", "--", "sh", "-c", serve)
    call = ("exec", f"{stack}/{who}", "--", "nc", "-w", "1", "127.0.0.1", "80")
    terrace.until(lambda: terrace(*call, code=None).out == "served\n", 20, why=f"{who} to serve")


def test_machines_on_a_network_that_was_there_before(terrace: Terrace, tiny_image: str) -> None:
    """The network, its name and its machines are not ours; groups hold on it all the same, and nothing drifts."""
    terrace.engine.cli("network", "create", "--subnet", "10.221.43.0/24", "private")
    web = {"image": tiny_image, "flavor": "m1.tiny", "security_groups": [get("group")]}
    resources = {
        "group": heat("Neutron::SecurityGroup", rules=[TCP]),
        "port": heat("Neutron::Port", network="private", security_groups=[get("group")]),
        "by-port": heat("Nova::Server", **{**web, "networks": [{"port": get("port")}]}),
        "by-name": heat("Nova::Server", **{**web, "networks": [{"network": "private"}]}),
        "address": heat("Nova::FloatingIP", pool="public"),
        "lead": heat("Nova::FloatingIPAssociation", server_id=get("by-name"), floating_ip=get("address")),
    }
    file = terrace.write("old", resources, outputs={"address": {"value": get("address", "ip")}})
    terrace("up", file, "--yes")
    terrace.stands("old", "by-name", "by-port")
    for who in ("by-port", "by-name"):
        served(terrace, "old", who)
    address = terrace("output", "old", "address", "-o", "json").json["value"]
    assert from_here(address, 80)
    terrace.write("old", {**resources, "group": heat("Neutron::SecurityGroup")})
    terrace("up", file, "--yes")
    assert not from_here(address, 80)
    terrace.down("old")
    assert terrace.engine.inspect("private", "network")["Name"] == "private"
