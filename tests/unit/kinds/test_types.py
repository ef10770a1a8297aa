"""The names that templates use: our own and Heat's."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.errors import SpecError
from terrace.kinds import KINDS, SCHEMAS, TYPES, check_properties, find_type
from terrace.kinds.schema import Property, Type
from terrace.model.value import Call, Ref
from tests.unit.kinds.asking import spec

HEAT = sorted(name for name in TYPES if name.startswith("OS::"))

OPENSTACK = """
    Aodh::Alarm Aodh::CompositeAlarm Aodh::EventAlarm Aodh::GnocchiAggregationByMetricsAlarm
    Aodh::GnocchiAggregationByResourcesAlarm Aodh::GnocchiResourcesAlarm Aodh::LBMemberHealthAlarm
    Aodh::PrometheusAlarm Ceilometer::Alarm Ceilometer::GnocchiAggregationByMetricsAlarm
    Ceilometer::GnocchiAggregationByResourcesAlarm Ceilometer::GnocchiResourcesAlarm Metering::Alarm
    Heat::CWLiteAlarm
    Cinder::Volume Cinder::VolumeAttachment Glance::Image Glance::WebImage Heat::AutoScalingGroup
    Heat::CloudConfig Heat::Delay Heat::DeployedServer Heat::InstanceGroup Heat::MultipartMime
    Heat::None Heat::RandomString Heat::ResourceChain Heat::ResourceGroup Heat::ScalingPolicy
    Heat::SoftwareComponent Heat::SoftwareConfig Heat::SoftwareDeployment
    Heat::SoftwareDeploymentGroup Heat::SoftwareDeployments Heat::Stack Heat::StructuredConfig
    Heat::StructuredDeployment Heat::StructuredDeploymentGroup Heat::StructuredDeployments
    Heat::TestResource Heat::Value Heat::WaitCondition Heat::WaitConditionHandle Neutron::FloatingIP
    Neutron::FloatingIPAssociation Neutron::Net Neutron::Port Neutron::Router Neutron::RouterGateway
    Neutron::RouterInterface Neutron::SecurityGroup Neutron::SecurityGroupRule Neutron::Subnet
    Nova::Flavor Nova::FloatingIP Nova::FloatingIPAssociation Nova::KeyPair Nova::Server
    Nova::ServerGroup Octavia::HealthMonitor Octavia::Listener Octavia::LoadBalancer Octavia::Pool
    Octavia::PoolMember Zun::Container
"""


def test_the_types_are_these() -> None:
    assert {name for name in TYPES if name.startswith("Terrace::")} == {
        f"Terrace::{name}" for name in KINDS if name != "Nested"
    }
    assert set(HEAT) == {f"OS::{name}" for name in OPENSTACK.split()}


# type, properties as Heat has them, properties as we have them
TRANSLATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "OS::Nova::Server",
        {
            "name": "web",
            "image": "debian-12",
            "flavor": "m1.tiny",
            "key_name": Ref("key"),
            "networks": [
                {"network": Ref("net"), "fixed_ip": "10.0.0.5"},
                {"uuid": "n2"},
                {"port": Ref("port")},
                {"subnet": Ref("sub")},
                Call("input", ("nic",)),
            ],
            "metadata": {"a": 1},
            "user_data": "#!/bin/sh",
            "user_data_format": "RAW",
            "personality": {"/etc/motd": "hello"},
            "security_groups": ["default"],
            "config_drive": True,
            "admin_pass": None,
        },
        {
            "name": "web",
            "image": "debian-12",
            "flavor": "m1.tiny",
            "keys": [Ref("key")],
            "networks": [
                {"network": Ref("net"), "ip": "10.0.0.5"},
                {"network": "n2"},
                {"port": Ref("port")},
                {"network": Ref("sub", ("network_id",))},
                Call("input", ("nic",)),
            ],
            "metadata": {"a": 1},
            "user_data": "#!/bin/sh",
            "user_data_format": "RAW",
            "files": [{"path": "/etc/motd", "content": "hello"}],
            "security_groups": ["default"],
        },
    ),
    (
        "OS::Nova::Server",
        {"flavor": "m1.tiny", "block_device_mapping_v2": [{"image": "debian-12", "boot_index": 0}]},
        {"flavor": "m1.tiny", "image": "debian-12"},
    ),
    ("OS::Cinder::Volume", {"size": 1, "name": "v", "volume_type": "ssd"}, {"size": 1, "name": "v"}),
    (
        "OS::Cinder::VolumeAttachment",
        {"instance_uuid": Ref("m"), "volume_id": Ref("v"), "mountpoint": "/dev/vdb"},
        {"machine": Ref("m"), "volume": Ref("v")},
    ),
    (
        "OS::Cinder::VolumeAttachment",
        {"instance_uuid": Ref("m"), "volume_id": Ref("v"), "mountpoint": "/data"},
        {"machine": Ref("m"), "volume": Ref("v"), "path": "/data"},
    ),
    ("OS::Neutron::Net", {"name": "n", "admin_state_up": True}, {"name": "n"}),
    (
        "OS::Neutron::Subnet",
        {
            "network_id": Ref("n"),
            "cidr": "10.0.0.0/24",
            "gateway_ip": "10.0.0.1",
            "allocation_pools": [{"start": "10.0.0.5", "end": "10.0.0.9"}],
            "dns_nameservers": ["8.8.8.8"],
        },
        {
            "network": Ref("n"),
            "cidr": "10.0.0.0/24",
            "gateway": "10.0.0.1",
            "pools": [{"start": "10.0.0.5", "end": "10.0.0.9"}],
            "dns": ["8.8.8.8"],
        },
    ),
    (
        "OS::Neutron::Subnet",
        {"network": "n", "cidr": "10.0.0.0/24", "gateway_ip": "null"},
        {"network": "n", "cidr": "10.0.0.0/24", "internal": True},
    ),
    (
        "OS::Neutron::Port",
        {
            "network": Ref("n"),
            "fixed_ips": [{"subnet": Ref("s"), "ip_address": "10.0.0.5"}],
            "security_groups": [],
        },
        {"network": Ref("n"), "ip": "10.0.0.5", "subnets": [Ref("s")], "security_groups": []},
    ),
    (
        "OS::Neutron::Port",
        {"fixed_ips": [{"subnet_id": Ref("s")}], "mac_address": "02:00:00:00:00:01"},
        {"network": Ref("s", ("network_id",)), "mac": "02:00:00:00:00:01", "subnets": [Ref("s")]},
    ),
    (
        "OS::Neutron::Port",
        {"network": "n", "fixed_ips": [{"ip_address": "10.0.0.5"}, {"ip_address": "10.0.0.6"}]},
        {"network": "n", "ip": "10.0.0.5", "more": ["10.0.0.6"]},
    ),
    (
        "OS::Neutron::SecurityGroup",
        {
            "name": "web",
            "rules": [
                {"protocol": "icmp"},
                {"protocol": "", "remote_mode": "remote_group_id"},
                {
                    "port_range_min": 22,
                    "port_range_max": 23,
                    "protocol": "tcp",
                    "remote_ip_prefix": "10.0.0.0/8",
                },
                {"remote_group_id": Ref("g"), "remote_ip_prefix": "0.0.0.0/0", "direction": "egress"},
            ],
        },
        {
            "name": "web",
            "rules": [
                {"protocol": "icmp"},
                {"group": "self"},
                {"from_port": 22, "to_port": 23, "protocol": "tcp", "cidr": "10.0.0.0/8"},
                {"group": Ref("g"), "direction": "egress"},
            ],
        },
    ),
    (
        "OS::Neutron::SecurityGroupRule",
        {"security_group": Ref("g"), "protocol": "tcp", "port_range_min": 80, "remote_group": Ref("h")},
        {"security_group": Ref("g"), "protocol": "tcp", "from_port": 80, "group": Ref("h")},
    ),
    (
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "web",
            "SecurityGroupIngress": [
                {"IpProtocol": "icmp", "FromPort": "-1", "ToPort": "-1", "CidrIp": "0.0.0.0/0"},
                {"IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "SourceSecurityGroupId": Ref("g")},
            ],
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}],
        },
        {
            "description": "web",
            "rules": [
                {"direction": "ingress", "protocol": "icmp", "cidr": "0.0.0.0/0"},
                {
                    "direction": "ingress",
                    "protocol": "tcp",
                    "from_port": "80",
                    "to_port": "80",
                    "group": Ref("g"),
                },
                {"direction": "egress", "cidr": "10.0.0.0/8"},
            ],
        },
    ),
    (
        "OS::Neutron::Router",
        {"name": "r", "external_gateway_info": {"network": "public", "enable_snat": True}},
        {"name": "r", "gateway": "public"},
    ),
    (
        "OS::Neutron::RouterInterface",
        {"router_id": Ref("r"), "subnet": Ref("s")},
        {"router": Ref("r"), "network": Ref("s", ("network_id",))},
    ),
    (
        "OS::Neutron::RouterInterface",
        {"router": Ref("r"), "port_id": Ref("p")},
        {"router": Ref("r"), "network": Ref("p", ("network_id",))},
    ),
    (
        "OS::Neutron::RouterGateway",
        {"router_id": Ref("r"), "network": "public"},
        {"router": Ref("r"), "network": "public"},
    ),
    (
        "OS::Neutron::FloatingIP",
        {"floating_network": "public", "port_id": Ref("p")},
        {"pool": "public", "port": Ref("p"), "target": Ref("p", ("ip",))},
    ),
    (
        "OS::Neutron::FloatingIPAssociation",
        {"floatingip_id": Ref("f"), "port_id": Ref("m", ("addresses", "n", 0, "port"))},
        {"floating_ip": Ref("f"), "port": Ref("m", ("addresses", "n", 0, "port"))},
    ),
    ("OS::Nova::FloatingIP", {"pool": "public"}, {"pool": "public"}),
    (
        "OS::Nova::FloatingIPAssociation",
        {"server_id": Ref("m"), "floating_ip": Ref("f")},
        {"floating_ip": Ref("f"), "machine": Ref("m"), "target": Ref("m", ("first_address",))},
    ),
    ("OS::Nova::KeyPair", {"name": "k", "save_private_key": True}, {"name": "k"}),
    (
        "OS::Heat::RandomString",
        {
            "length": 8,
            "character_classes": [{"class": "digits", "min": 2}, {"class": "letters"}],
            "character_sequences": [{"sequence": "%$", "min": 1}],
        },
        {
            "length": 8,
            "classes": [{"class": "digits", "minimum": 2}, {"class": "letters"}],
            "sequences": [{"characters": "%$", "minimum": 1}],
        },
    ),
    ("OS::Heat::RandomString", {"sequence": "digits"}, {"classes": [{"class": "digits", "minimum": 1}]}),
    ("OS::Heat::Value", {"value": Ref("a"), "type": "json"}, {"value": Ref("a"), "type": "json"}),
    ("OS::Heat::None", {"any": 1}, {"any": 1}),
    (
        "OS::Heat::Delay",
        {"min_wait": 1, "max_jitter": 2, "jitter_multiplier": 0.5, "actions": ["CREATE", "SUSPEND"]},
        {"minimum": 1, "jitter": 2, "multiplier": 0.5, "actions": ["CREATE"]},
    ),
    ("OS::Heat::TestResource", {}, {"value": "test_string"}),
    (
        "OS::Heat::TestResource",
        {"value": "x", "fail": True, "wait_secs": 1, "action_wait_secs": {"delete": 3}, "entity_name": "e"},
        {"value": "x", "fail": True, "waits": {"create": 1, "update": 1, "delete": 3}},
    ),
    ("OS::Heat::TestResource", {"update_replace": True}, {"value": "test_string", "replace": True}),
    (
        "OS::Heat::TestResource",
        {"update_replace": True, "update_replace_value": "b"},
        {"value": "test_string", "replace": "b"},
    ),
    (
        "OS::Heat::ResourceGroup",
        {"count": 2, "resource_def": {"type": "OS::Heat::Value"}, "removal_policies_mode": "append"},
        {"count": 2, "resource_def": {"type": "OS::Heat::Value"}, "removal_policies_mode": "append"},
    ),
]


@pytest.mark.parametrize(("name", "given", "expected"), TRANSLATIONS)
def test_translations(name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert check_properties(name, given) == []
    assert TYPES[name].translate(given) == expected


@pytest.mark.parametrize(
    ("name", "given"),
    [one[:2] for one in TRANSLATIONS if one[0] not in ("OS::Heat::ResourceGroup", "OS::Nova::Server")],
)
def test_what_is_translated_fits_the_kind(name: str, given: dict[str, Any]) -> None:
    plain = {key: "plain" if isinstance(value, Ref | Call) else value for key, value in given.items()}
    native = TYPES[name].translate(plain)
    native = {key: "plain" if isinstance(value, Ref | Call) else value for key, value in native.items()}
    spec(TYPES[name].kind, native)


@pytest.mark.parametrize(
    ("name", "given", "path", "code"),
    [
        ("OS::Nova::Server", {}, ("flavor",), "missing-property"),
        ("OS::Nova::Server", {"flavor": "f", "imag": "x"}, ("imag",), "unknown-property"),
        (
            "OS::Nova::Server",
            {"flavor": "f", "networks": [{"fixed_ip": "x"}]},
            ("networks", 0, "fixed_ip"),
            "invalid-property",
        ),
        (
            "OS::Nova::Server",
            {"flavor": "f", "networks": [{"floating_ip": "x"}]},
            ("networks", 0, "floating_ip"),
            "not-supported",
        ),
        ("OS::Cinder::Volume", {"size": "big"}, ("size",), "wrong-type"),
        ("OS::Cinder::Volume", {"size": 1, "backup_id": "s"}, ("backup_id",), "not-supported"),
        ("OS::Neutron::Subnet", {"network": "n"}, ("cidr",), "missing-property"),
        ("OS::Nova::KeyPair", {}, ("name",), "missing-property"),
        ("OS::Heat::Value", {}, ("value",), "missing-property"),
        ("OS::Heat::ResourceGroup", {"count": 1}, ("resource_def",), "missing-property"),
        ("OS::Heat::ResourceGroup", {"resource_def": {}}, ("resource_def", "type"), "missing-property"),
        ("Terrace::Machine", {"image": "x", "provider": 1.5}, ("provider",), "wrong-type"),
        ("Terrace::Value", {"value": 1, "provider": "x"}, ("provider",), "unknown-property"),
    ],
)
def test_mistakes_have_their_paths(
    name: str, given: dict[str, Any], path: tuple[Any, ...], code: str
) -> None:
    assert [(one.path, one.code) for one in check_properties(name, given)] == [(path, code)]


def test_a_type_that_is_not_is_guessed() -> None:
    with pytest.raises(SpecError) as caught:
        find_type("OS::Nova::Sever")
    assert caught.value.hint == 'did you mean "OS::Nova::Server"?'


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("OS::Nova::Server", ("first_address",), ("first_address",)),
        ("OS::Nova::Server", ("networks", "net", 0), ("networks", "net", 0)),
        ("OS::Nova::Server", ("instance_name",), ("name",)),
        ("OS::Nova::Server", ("colour",), None),
        ("OS::Neutron::Port", ("fixed_ips", 0, "ip_address"), ("fixed_ips", 0, "ip_address")),
        ("OS::Neutron::Port", ("mac_address",), ("mac",)),
        ("OS::Neutron::Subnet", ("gateway_ip",), ("gateway",)),
        ("OS::Heat::ResourceGroup", ("anything", 1), ("anything", 1)),
        ("OS::Heat::None", ("anything",), ("anything",)),
        ("Terrace::Machine", ("host",), ("host",)),
        ("Terrace::Machine", ("colour",), None),
        ("Terrace::Machine", (), ()),
    ],
)
def test_attributes(name: str, path: tuple[Any, ...], expected: Any) -> None:
    assert TYPES[name].attribute(path) == expected


def test_foreign_attributes_are_attributes_of_the_kind() -> None:
    for entry in TYPES.values():
        assert set(entry.attributes.values()) <= set(SCHEMAS[entry.kind].attributes), entry.type


def everything(table: dict[str, Property]) -> list[tuple[str, Property]]:
    found = []
    for name, prop in table.items():
        found.append((name, prop))
        found += everything(prop.properties)
        found += everything(prop.items.properties) if prop.items else []
    return found


def test_every_property_and_attribute_of_ours_is_described() -> None:
    for schema in SCHEMAS.values():
        assert schema.description
        assert all(schema.attributes.values())
        for name, prop in everything(schema.properties):
            assert prop.description, name


def test_only_lists_and_maps_have_parts() -> None:
    for entry in TYPES.values():
        for name, prop in everything(entry.properties):
            assert prop.items is None or prop.type in (Type.LIST, Type.MAP), name
            assert not prop.properties or prop.type is Type.MAP, name
