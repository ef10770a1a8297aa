"""Templates of servers, volumes, networks and what runs inside."""

from __future__ import annotations

import json
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.corpus.test_values import output

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.level.rig import Terrace

SERVER = ("-p", "key_name=stack_key", "-p", "flavor=m1.tiny")
ANSWER = "while true; do nc -l -p {port} -e echo served; done"


@pytest.fixture
def private(terrace: Terrace) -> str:
    """A network that was there before, as an operator has made it."""
    terrace.engine.cli("network", "create", "--subnet", "10.221.50.0/24", "private")
    return "private"


def up(terrace: Terrace, file: Path, stack: str, *words: str) -> None:
    terrace("up", str(file), "-s", stack, "--yes", *words, timeout=300)
    terrace.settled(stack)


def inside(terrace: Terrace, stack: str, path: str, *words: str) -> str:
    return terrace("exec", f"{stack}/{path}", "--", *words).out


def open_from_here(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 2):
            return True
    except OSError:
        return False


def test_hello_world(terrace: Terrace, corpus: Path, base_image: str) -> None:
    """Its user data runs, with the parameter put in; the hidden password is shown nowhere."""
    words = ("-p", "image=debian-12", *SERVER, "-p", "admin_pass=-", "-p", "db_port=50505")
    file = str(corpus / "hello_world.yaml")
    terrace("up", file, "-s", "hello", "--yes", *words, given="Secret9\n", timeout=300)
    terrace.until(lambda: "50505" in terrace("logs", "hello/server").out, why="its user data to run")
    addresses = output(terrace, "hello", "server_networks")
    (ends,) = [one["NetworkSettings"]["Networks"] for one in terrace.inspect_all()]
    assert sorted(one for found in addresses.values() for one in found) == sorted(
        end["IPAddress"] for end in ends.values()
    )
    for shown in (terrace("status", "hello", "-o", "json").out, terrace("events", "hello").out, terrace.log):
        assert "Secret9" not in shown
    terrace.down("hello")


def test_vm_with_cinder(terrace: Terrace, corpus: Path, tiny_image: str, private: str) -> None:
    """The volume is mounted, written to, and still full in the machine's next incarnation."""
    file = corpus / "vm_with_cinder.yaml"
    words = ("-p", f"image={tiny_image}", *SERVER, "-p", f"network={private}")
    up(terrace, file, "disk", *words)
    (mount,) = mounts(terrace, "disk", "my_instance")
    inside(terrace, "disk", "my_instance", "sh", "-c", f"echo kept > {mount}/note")
    assert set(output(terrace, "disk", "instance_networks")) == {private}
    terrace.engine.cli("rm", "--force", terrace.container("disk", "my_instance"))
    terrace.until(lambda: len(running(terrace)) == 1, why="the machine to be made again")
    terrace.settled("disk")
    (mount,) = mounts(terrace, "disk", "my_instance")
    assert inside(terrace, "disk", "my_instance", "cat", f"{mount}/note") == "kept\n"
    terrace.down("disk")


def running(terrace: Terrace) -> list[dict[str, Any]]:
    return [one for one in terrace.inspect_all() if one["State"]["Running"]]


def mounts(terrace: Terrace, stack: str, path: str) -> list[str]:
    """Where volumes are mounted in a guest, as the guest itself sees it."""
    table = inside(terrace, stack, path, "cat", "/proc/mounts")
    return sorted({line.split()[1] for line in table.splitlines() if line.split()[1].startswith("/mnt")})


def test_server_with_volumes(terrace: Terrace, corpus: Path, tiny_image: str) -> None:
    """A group of nested templates, each a volume attached to one server; one more is attached while it runs."""
    file = corpus / "resource_group" / "server_with_volumes.yaml"
    words = ("-p", f"image_id={tiny_image}")
    up(terrace, file, "disks", *words)
    found = mounts(terrace, "disks", "instance")
    assert len(found) == 2
    before = terrace.container("disks", "instance")
    up(terrace, file, "disks", *words, "-p", "num_volumes=3")
    assert len(mounts(terrace, "disks", "instance")) == 3
    assert terrace.container("disks", "instance") == before
    for place in found:
        inside(terrace, "disks", "instance", "sh", "-c", f"echo here > {place}/note")
    terrace.down("disks")


def test_native_waitcondition(terrace: Terrace, corpus: Path, base_image: str) -> None:
    """Five signals sent with curl from the guest; what they carry comes out."""
    up(terrace, corpus / "native_waitcondition.yaml", "told", "-p", "image=debian-12")
    told = json.loads(output(terrace, "told", "wc_data"))
    assert len(told) == 5
    assert {"data3", "data4"} <= set(told.values())
    assert "5" in told
    terrace.down("told")


def test_servers_in_new_neutron_net(terrace: Terrace, corpus: Path, tiny_image: str) -> None:
    """A network with its own range, a router to the outside, two servers that are reached from there."""
    words = ["-p", f"image={tiny_image}", *SERVER, "-p", "public_net=public"]
    for name, value in {
        "private_net_name": "inner",
        "private_net_cidr": "10.221.60.0/24",
        "private_net_gateway": "10.221.60.1",
        "private_net_pool_start": "10.221.60.100",
        "private_net_pool_end": "10.221.60.120",
    }.items():
        words += ["-p", f"{name}={value}"]
    up(terrace, corpus / "servers_in_new_neutron_net.yaml", "two", *words)
    for number in (1, 2):
        address = output(terrace, "two", f"server{number}_private_ip")
        assert 100 <= int(address.rpartition(".")[2]) <= 120
        serve = ANSWER.format(port=2222)
        inside(terrace, "two", f"server{number}", "sh", "-c", f"({serve}) >/dev/null 2>&1 &")
        public = output(terrace, "two", f"server{number}_public_ip")
        terrace.until(lambda public=public: open_from_here(public, 2222), 10, why=f"{public} to answer")
    other = output(terrace, "two", "server2_private_ip")
    assert inside(terrace, "two", "server1", "nc", "-w", "3", other, "2222") == "served\n"
    terrace.down("two")


def test_servers_in_existing_neutron_net(
    terrace: Terrace, corpus: Path, tiny_image: str, private: str
) -> None:
    """A security group lets one port in and not another; the network was there before, and stays."""
    words = ("-p", f"image={tiny_image}", *SERVER, "-p", "public_net_id=public")
    words += ("-p", f"private_net_id={private}", "-p", f"private_subnet_id={private}")
    up(terrace, corpus / "servers_in_existing_neutron_net.yaml", "guarded", *words)
    for port in (22, 23):
        serve = ANSWER.format(port=port)
        inside(terrace, "guarded", "server2", "sh", "-c", f"({serve}) >/dev/null 2>&1 &")
    address, public = (output(terrace, "guarded", f"server2_{which}_ip") for which in ("private", "public"))
    terrace.until(lambda: open_from_here(public, 22), 10, why="port 22 to be let in")
    assert not open_from_here(public, 23)
    assert inside(terrace, "guarded", "server1", "nc", "-w", "3", address, "22") == "served\n"
    assert not terrace("exec", "guarded/server1", "--", "nc", "-w", "2", address, "23", code=None).out
    inside(terrace, "guarded", "server1", "ping", "-c", "1", "-W", "2", address)
    terrace.down("guarded")
    assert private in terrace.engine.cli("network", "ls", "--format", "{{.Name}}").split()


def test_script_of_a_software_deployment(terrace: Terrace, corpus: Path, base_image: str) -> None:
    """Scripts run in the guest with their inputs, and what they put out comes back."""
    folder = terrace.folder / "script"
    (folder / "config-scripts").mkdir(parents=True)
    shutil.copy(corpus / "software-config" / "example-templates" / "example-script-template.yaml", folder)
    (folder / "config-scripts" / "example-script.sh").write_text(
        '#!/bin/sh\necho writing\necho oops >&2\necho -n "$bar and $foo" > $heat_outputs_path.result\n'
        'echo "$foo" >> /tmp/ran\n'
    )
    file = folder / "example-script-template.yaml"
    up(terrace, file, "scripted", "-p", "image=debian-12", *SERVER)
    assert output(terrace, "scripted", "result") == "baaaaa and fooooo"
    assert output(terrace, "scripted", "other_result") == "barmy and fu"
    assert output(terrace, "scripted", "stdout") == "writing\n"
    assert output(terrace, "scripted", "stderr") == "oops\n"
    assert output(terrace, "scripted", "status_code") == 0
    assert sorted(inside(terrace, "scripted", "server", "cat", "/tmp/ran").split()) == ["fooooo", "fu"]
    terrace.down("scripted")


def test_cloud_init(terrace: Terrace, corpus: Path, base_image: str) -> None:
    """Boot data of many parts, nested once: each leaves its file."""
    up(
        terrace,
        corpus / "software-config" / "example-templates" / "example-cloud-init.yaml",
        "parts",
        "-p",
        "image=debian-12",
        *SERVER,
    )
    for word in ("one", "two", "three", "four", "five"):
        assert inside(terrace, "parts", "server", "cat", f"/tmp/{word}").strip() == f"The {word} is bar"
    terrace.down("parts")


def test_webapp_of_containers(terrace: Terrace, corpus: Path, tiny_image: str, private: str) -> None:
    """Two containers told of each other, behind a group, one with an address for the outside."""
    for name in ("mysql:5.7", "wordpress:latest"):
        terrace.engine.cli("tag", tiny_image, name)
    up(terrace, corpus / "zun" / "webapp.yaml", "press")
    assert output(terrace, "press", "url")
    environment = inside(terrace, "press", "wordpress", "env").split()
    (database,) = [one.partition("=")[2] for one in environment if one.startswith("WORDPRESS_DB_HOST=")]
    for port in (80, 81):
        serve = ANSWER.format(port=port)
        inside(terrace, "press", "wordpress", "sh", "-c", f"({serve}) >/dev/null 2>&1 &")
    url = output(terrace, "press", "url")
    terrace.until(lambda: open_from_here(url, 80), 10, why="the site to answer")
    assert not open_from_here(url, 81)
    inside(terrace, "press", "wordpress", "ping", "-c", "1", "-W", "2", database)
    terrace.down("press")
    for name in ("mysql:5.7", "wordpress:latest"):
        terrace.engine.cli("rmi", name)
