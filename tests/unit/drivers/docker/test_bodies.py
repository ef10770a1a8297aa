"""Request bodies from specs: tests/cases/docker/*.yaml, and what does not fit into YAML."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from terrace.drivers.docker import bodies, labels
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.faults import Refusal, translate
from terrace.errors import PermanentError, ProviderError
from terrace.model.seen import Names, Owner
from terrace.model.spec.machine import File, MachineSpec
from terrace.model.spec.network import NetworkSpec
from terrace.model.spec.volume import VolumeSpec
from terrace.model.value import Secret

CASES = Path(__file__).parents[3] / "cases/docker"
OWNER = Owner("inst", "abcdefghij0123456789", 2, "d1")
NAMES = Names("p", "s", "group/0")


def cases(name: str) -> list[Any]:
    found = yaml.safe_load((CASES / name).read_text())
    return [pytest.param(case, id=str(case.get("name") or case.get("says"))) for case in found]


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    return bool(whole == part)


@pytest.mark.parametrize("case", cases("container.yaml"))
def test_container(case: dict[str, Any]) -> None:
    spec = msgspec.convert(case["spec"], MachineSpec)
    settings = msgspec.convert(case.get("settings", {}), DockerSettings)
    if "error" in case:
        with pytest.raises(ProviderError, match=case["error"]):
            bodies.container(spec, OWNER, NAMES, settings)
        return
    body = bodies.container(spec, OWNER, NAMES, settings)
    part = body[case["part"]] if "part" in case else body
    assert contains(part, case["body"]), part


@pytest.mark.parametrize("case", cases("faults.yaml"))
def test_what_the_engine_says(case: dict[str, Any]) -> None:
    error = translate(Refusal(case["status"], case["says"]))
    assert (type(error).__name__, error.code) == (case["error"], case["code"])
    assert error.message == case.get("message", case["says"])


def test_no_machine_is_ever_privileged_or_sees_the_host() -> None:
    host = bodies.container(MachineSpec("m", "i"), OWNER, NAMES, DockerSettings())["HostConfig"]
    assert not set(host) & {"Privileged", "Binds", "CapAdd", "Devices", "PidMode", "IpcMode", "UsernsMode"}


def test_secrets_end_in_the_guest_and_nowhere_else() -> None:
    spec = MachineSpec(
        "m", "i", environment={"P": Secret("hush")}, files=(File("/etc/p", Secret("quiet"), "0600"),)
    )
    body = bodies.container(spec, OWNER, NAMES, DockerSettings())
    assert body["Env"] == ["P=hush"]
    assert "hush" not in str({**body, "Env": []})
    assert b"quiet" in bodies.archive(spec)


def test_a_password_goes_only_where_something_takes_it() -> None:
    for image, there in (("terrace/debian-12:1", True), ("nginx:1", False)):
        packed = bodies.archive(MachineSpec("m", image, password=Secret("s3cret")))
        assert (b"s3cret" in packed) is there


def test_archive_holds_files_keys_and_user_data() -> None:
    spec = MachineSpec(
        "m", "i", files=(File("/etc/a", "1", "0640"),), keys=("ssh-ed25519 K me",), user_data="#!/bin/sh\n"
    )
    with tarfile.open(fileobj=io.BytesIO(bodies.archive(spec))) as tar:
        found = {entry.name: (entry.mode, tar.extractfile(entry)) for entry in tar}
        texts = {name: held.read().decode() if held else None for name, (_, held) in found.items()}
    assert {name: mode for name, (mode, _) in found.items()} == {
        "root/.ssh": 0o700,
        "root/.ssh/authorized_keys": 0o600,
        "etc/a": 0o640,
        "var/lib/terrace/user-data": 0o700,
    }
    assert texts["root/.ssh/authorized_keys"] == "ssh-ed25519 K me\n"
    assert texts["etc/a"] == "1"


def test_nothing_to_put_is_no_archive() -> None:
    assert bodies.archive(MachineSpec("m", "i")) == b""


def test_limits_can_be_taken_away() -> None:
    assert bodies.limits(MachineSpec("m", "i")) == {
        "Memory": bodies.NO_MEMORY_LIMIT,
        "MemorySwap": bodies.NO_MEMORY_LIMIT,
        "CpuPeriod": 100000,
        "CpuQuota": -1,
        "PidsLimit": -1,
    }


def test_network_names_its_range_so_that_addresses_can_be_fixed() -> None:
    body = bodies.network(NetworkSpec("front", cidr="10.9.0.0/24", internal=True), OWNER, NAMES, 1400)
    assert body["IPAM"]["Config"] == [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]
    assert body["Internal"] is True
    assert body["CheckDuplicate"] is True
    assert body["Options"] == {bodies.MTU: "1400"}
    assert bodies.network(NetworkSpec("f", cidr="10.9.0.0/24", mtu=9000), OWNER, NAMES, 1400)["Options"] == {
        bodies.MTU: "9000"
    }


def test_volume_writes_its_size_down() -> None:
    assert bodies.volume(VolumeSpec("v", size=5), OWNER, NAMES)["Labels"][labels.SIZE] == "5"


def test_the_engine_name_follows_from_uid_and_incarnation_not_from_the_stack() -> None:
    name = labels.engine_name(OWNER, NAMES)
    assert name == "group-0-abcdefghij0123456789-2"
    assert labels.engine_name(OWNER, Names("p", "renamed", "group/0")) == name
    assert labels.engine_name(OWNER, Names("p", "s", "ä" * 90)).startswith("thing-")


def test_labels_that_make_no_sense_are_nobodys() -> None:
    whole = labels.written(OWNER, NAMES, "web")
    assert labels.read(whole) == OWNER
    assert labels.read(None) is None
    assert labels.read({**whole, labels.UID: ""}) is None
    assert labels.read({**whole, labels.INCARNATION: "two"}) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "/var/run/docker.sock"}, "host must begin with"),
        ({"host": "tcp://engine.example:2376"}, "needs tls"),
        ({"host": "tcp://engine.example"}, "needs a name and a port"),
        ({"timeout": 0}, "timeout must lie"),
        ({"concurrency": 0}, "concurrency must be"),
        ({"network_size": 8}, "network_size must lie"),
        ({"publish": "everything"}, "everything"),
        ({"registries": {"r.example": {"user": "u", "password": "inline"}}}, "password"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(given, DockerSettings)


def test_closed_by_default() -> None:
    assert DockerSettings().publish == "loopback"
    with pytest.raises(PermanentError):
        bodies.published(
            msgspec.convert([{"guest": 1, "address": "192.0.2.1"}], tuple[bodies.Publish, ...]), "loopback"
        )
