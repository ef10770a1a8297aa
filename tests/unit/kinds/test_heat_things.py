"""Heat's names for machines, volumes, images and software, said in our own words."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds import TYPES, check_properties
from terrace.model.value import Call, Ref
from tests.unit.kinds.asking import spec

# type, properties as Heat has them, properties as we have them
TRANSLATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "OS::Nova::Server",
        {
            "flavor": "m1.tiny",
            "image": "debian-12",
            "networks": [{"allocate_network": "auto"}],
            "admin_pass": "s",
            "tags": ["a"],
            "scheduler_hints": {"group": Ref("g")},
            "block_device_mapping": [{"device_name": "/dev/vdc", "volume_id": Ref("v")}],
            "block_device_mapping_v2": [{"volume_id": Ref("w"), "boot_index": 1}],
        },
        {
            "flavor": "m1.tiny",
            "image": "debian-12",
            "password": "s",
            "tags": ["a"],
            "group": Ref("g"),
            "volumes": [{"volume": Ref("v"), "path": "/mnt/vdc"}, {"volume": Ref("w"), "path": "/mnt/vdb"}],
        },
    ),
    (
        "OS::Nova::Server",
        {"flavor": "m1.tiny", "block_device_mapping_v2": [{"volume_id": Ref("v"), "boot_index": 0}]},
        {"flavor": "m1.tiny", "boot_volume": Ref("v")},
    ),
    (
        "OS::Nova::Flavor",
        {"ram": 64, "vcpus": 1, "disk": 2, "extra_specs": {"a": "b"}},
        {"memory": 64, "cpu": 1, "disk": "2G", "extra": {"a": "b"}},
    ),
    (
        "OS::Nova::ServerGroup",
        {"name": "g", "policies": ["affinity"]},
        {"name": "g", "policies": ["affinity"]},
    ),
    (
        "OS::Glance::WebImage",
        {
            "location": "https://i.example/a.tar",
            "disk_format": "raw",
            "container_format": "docker",
            "min_ram": 1,
        },
        {"source": "https://i.example/a.tar", "format": "archive"},
    ),
    (
        "OS::Zun::Container",
        {
            "image": "nginx:1",
            "command": "nginx -g daemon",
            "cpu": 0.5,
            "memory": 64,
            "environment": {"A": "b"},
            "restart_policy": "on-failure:3",
            "labels": {"a": "b"},
            "mounts": [{"volume_id": Ref("v"), "mount_path": "/data"}],
            "networks": [{"network": Ref("n"), "fixed_ip": "10.0.0.5"}],
        },
        {
            "image": "nginx:1",
            "command": "nginx -g daemon",
            "cpu": 0.5,
            "memory": 64,
            "environment": {"A": "b"},
            "restart": "on-failure",
            "metadata": {"a": "b"},
            "volumes": [{"volume": Ref("v"), "path": "/data"}],
            "networks": [{"network": Ref("n"), "ip": "10.0.0.5"}],
        },
    ),
    (
        "AWS::EC2::Instance",
        {
            "ImageId": "debian-12",
            "InstanceType": "m1.tiny",
            "KeyName": Ref("k"),
            "UserData": "#!/bin/sh",
            "SubnetId": Ref("s"),
            "Tags": [{"Key": "a", "Value": "b"}],
            "Volumes": [{"VolumeId": Ref("v"), "Device": "/dev/vdc"}],
        },
        {
            "image": "debian-12",
            "flavor": "m1.tiny",
            "keys": [Ref("k")],
            "user_data": "#!/bin/sh",
            "networks": [{"network": Ref("s", ("network_id",))}],
            "metadata": {"a": "b"},
            "volumes": [{"volume": Ref("v"), "path": "/mnt/vdc"}],
        },
    ),
    ("AWS::EC2::Volume", {"Size": 2, "SnapshotId": Ref("s")}, {"size": 2, "source": Ref("s")}),
    (
        "AWS::EC2::VolumeAttachment",
        {"InstanceId": Ref("m"), "VolumeId": Ref("v"), "Device": "/dev/vdb"},
        {"machine": Ref("m"), "volume": Ref("v"), "path": "/mnt/vdb"},
    ),
    ("OS::Cinder::Volume", {"size": 1, "snapshot_id": Ref("s")}, {"size": 1, "source": Ref("s")}),
    ("OS::Heat::SoftwareConfig", {"group": "script", "config": "a"}, {"group": "script", "config": "a"}),
    (
        "OS::Heat::SoftwareComponent",
        {"configs": [{"tool": "script", "config": "a"}]},
        {
            "group": "component",
            "config": {"configs": [{"actions": ["CREATE", "UPDATE"], "tool": "script", "config": "a"}]},
        },
    ),
    (
        "OS::Heat::SoftwareDeployment",
        {"server": Ref("m"), "config": Ref("c"), "input_values": {"a": 1}, "signal_transport": "NO_SIGNAL"},
        {"machine": Ref("m"), "config": Ref("c"), "inputs": {"a": 1}},
    ),
    (
        "OS::Heat::SoftwareDeploymentGroup",
        {"servers": {"a": Ref("m")}, "config": Ref("c")},
        {"servers": {"a": Ref("m")}, "config": Ref("c")},
    ),
    ("OS::Heat::CloudConfig", {"cloud_config": {"a": 1}}, {"cloud_config": {"a": 1}}),
    ("OS::Heat::MultipartMime", {"parts": [{"config": Ref("c")}]}, {"parts": [{"config": Ref("c")}]}),
    ("OS::Heat::DeployedServer", {"name": "bare"}, {"name": "bare"}),
]


@pytest.mark.parametrize(("name", "given", "expected"), TRANSLATIONS)
def test_translations(name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert check_properties(name, given) == []
    assert TYPES[name].translate(given) == expected


@pytest.mark.parametrize(
    ("name", "given"), [one[:2] for one in TRANSLATIONS if not one[0].endswith(("Server", "Group"))]
)
def test_what_is_translated_fits_the_kind(name: str, given: dict[str, Any]) -> None:
    plain = {key: "plain" if isinstance(value, Ref | Call) else value for key, value in given.items()}
    native = TYPES[name].translate(plain)
    native = {key: "plain" if isinstance(value, Ref | Call) else value for key, value in native.items()}
    spec(TYPES[name].kind, native)


def test_the_size_of_a_flavor_may_be_worked_out() -> None:
    native = TYPES["OS::Nova::Flavor"].translate({"ram": 1, "vcpus": 1, "disk": Ref("size", ("value",))})
    assert native["disk"] == Call("str_replace", ("NG", {"N": Ref("size", ("value",))}))
