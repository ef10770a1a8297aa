"""The types of OpenStack Heat that our kinds answer to: their properties, and how these are said in our
own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from terrace.kinds.builtin import ACTIONS, CLASSES
from terrace.kinds.group import MEMBER
from terrace.kinds.guest.properties import PROPERTIES as MACHINE
from terrace.kinds.keypair import PUBLIC_KEY
from terrace.kinds.rules.address import NAME, wrong_address, wrong_range
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Ref

CLOUD = "it means something to an OpenStack cloud only"
FILTER = "traffic between machines is not filtered by this provider"
DATA = "making a volume from existing data is not supported: it would come up empty"

TEXT: Final = Property(Type.STRING)
REQUIRED_TEXT: Final = Property(Type.STRING, required=True, minimum=1)
ADDRESS: Final = Property(Type.STRING, check=wrong_address)
RANGE: Final = Property(Type.STRING, check=wrong_range)
BOOLEAN: Final = Property(Type.BOOLEAN)
SECONDS: Final = Property(Type.DURATION)


def _ignored(names: str, why: str = CLOUD) -> dict[str, Property]:
    return {name: Property(Type.ANY, ignored=why) for name in names.split()}


def _refused(names: str, why: str) -> dict[str, Property]:
    return {name: Property(Type.ANY, refused=why) for name in names.split()}


def _renamed(properties: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in properties.items() if name in names and value is not None}


def _first(properties: dict[str, Any], *names: str) -> Any:
    """The first of those properties that is given."""
    return next((properties[name] for name in names if properties.get(name) is not None), None)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to the maps of a list; expressions stay."""
    if not isinstance(value, list | tuple):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


# --- OS::Nova::Server
_NIC: Final = Property(
    Type.MAP,
    properties={
        **dict.fromkeys(("network", "uuid", "port", "subnet"), TEXT),
        "fixed_ip": ADDRESS,
        **_ignored("tag port_extra_properties"),
        **_refused(
            "floating_ip", "floating addresses are not supported yet; use publish of Terrace::Machine"
        ),
        "allocate_network": Property(Type.STRING, allowed=("auto", "none"), ignored=CLOUD),
    },
)
SERVER: Final[dict[str, Property]] = {
    "name": MACHINE["name"],
    "image": TEXT,
    "flavor": REQUIRED_TEXT,
    "key_name": TEXT,
    "networks": Property(Type.LIST, items=_NIC),
    "metadata": Property(Type.MAP),
    "user_data": MACHINE["user_data"],
    "user_data_format": MACHINE["user_data_format"],
    "personality": Property(Type.MAP, items=Property(Type.STRING, secret=True)),
    "block_device_mapping_v2": Property(Type.LIST, items=Property(Type.MAP)),
    **_ignored("security_groups", FILTER),
    **_ignored(
        "admin_pass admin_user availability_zone block_device_mapping config_drive deployment_swift_data "
        "diskConfig flavor_update_policy image_update_policy reservation_id scheduler_hints "
        "software_config_transport tags user_data_update_policy hypervisor_hostname"
    ),
}


def _server_nic(nic: dict[str, Any]) -> dict[str, Any]:
    network = _first(nic, "network", "uuid")
    subnet = nic.get("subnet")
    if network is None and isinstance(subnet, Ref) and not subnet.path:
        network = Ref(subnet.node, ("network_id",))
    return _given(network=network, ip=nic.get("fixed_ip"), port=nic.get("port"))


def _server(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(
        properties,
        {name: name for name in ("name", "image", "flavor", "user_data", "user_data_format", "metadata")},
    )
    if properties.get("key_name") is not None:
        native["keys"] = [properties["key_name"]]
    if properties.get("networks") is not None:
        native["networks"] = _each(properties["networks"], _server_nic)
    personality = properties.get("personality")
    if isinstance(personality, dict):
        native["files"] = [{"path": path, "content": content} for path, content in personality.items()]
    devices = properties.get("block_device_mapping_v2")
    for device in devices if isinstance(devices, list) else []:
        if isinstance(device, dict) and device.get("image") is not None:
            native.setdefault("image", device["image"])
    return native


# --- OS::Cinder
VOLUME: Final[dict[str, Property]] = {
    "name": TEXT,
    "size": Property(Type.INTEGER, minimum=1),
    "metadata": Property(Type.MAP),
    **_ignored("availability_zone description volume_type scheduler_hints multiattach read_only"),
    **_refused("snapshot_id backup_id image source_volid", DATA),
}
ATTACHMENT: Final[dict[str, Property]] = {
    "instance_uuid": REQUIRED_TEXT,
    "volume_id": REQUIRED_TEXT,
    "mountpoint": TEXT,
}


def _volume(properties: dict[str, Any]) -> dict[str, Any]:
    return _renamed(properties, {"name": "name", "size": "size", "metadata": "metadata"})


def _attachment(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(properties, {"instance_uuid": "machine", "volume_id": "volume", "mountpoint": "path"})
    path = native.get("path")
    if isinstance(path, str) and (not path.startswith("/") or path.startswith("/dev/")):
        del native["path"]  # the name of a device, which a container does not have
    return native


# --- OS::Neutron
NET: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, pattern=NAME),
    **_ignored(
        "admin_state_up availability_zone_hints dhcp_agent_ids dns_domain port_security_enabled "
        "qos_policy shared tags tenant_id value_specs"
    ),
}
_POOL: Final = Property(
    Type.MAP,
    properties={
        "start": Property(Type.STRING, required=True, check=wrong_address),
        "end": Property(Type.STRING, required=True, check=wrong_address),
    },
)
SUBNET: Final[dict[str, Property]] = {
    "network": TEXT,
    "network_id": TEXT,
    "cidr": Property(Type.STRING, required=True, check=wrong_range),
    "gateway_ip": Property(
        Type.STRING, check=lambda value: "" if value in ("~", "null") else wrong_address(value)
    ),
    "name": Property(Type.STRING, pattern=NAME),
    "allocation_pools": Property(Type.LIST, items=_POOL),
    "ip_version": Property(Type.INTEGER, allowed=(4, 6), ignored="it follows from the range"),
    **_ignored(
        "dns_nameservers enable_dhcp host_routes ipv6_address_mode ipv6_ra_mode prefixlen segment "
        "subnetpool tags tenant_id value_specs"
    ),
}
_FIXED: Final = Property(Type.MAP, properties={"subnet": TEXT, "subnet_id": TEXT, "ip_address": ADDRESS})
PORT: Final[dict[str, Property]] = {
    "network": TEXT,
    "network_id": TEXT,
    "name": Property(Type.STRING, pattern=NAME),
    "fixed_ips": Property(Type.LIST, items=_FIXED),
    "mac_address": TEXT,
    **_ignored("security_groups", FILTER),
    **_ignored(
        "admin_state_up allowed_address_pairs binding:vnic_type device_id device_owner dns_name "
        "no_fixed_ips port_security_enabled propagate_uplink_status qos_policy tags value_specs"
    ),
}


def _net(properties: dict[str, Any]) -> dict[str, Any]:
    return _renamed(properties, {"name": "name"})


def _subnet(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(
        properties, {"cidr": "cidr", "gateway_ip": "gateway", "name": "name", "allocation_pools": "pools"}
    )
    native |= _given(network=_first(properties, "network", "network_id"))
    if native.get("gateway") in ("~", "null"):
        del native["gateway"]
    return native


def _port(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(properties, {"name": "name", "mac_address": "mac"})
    fixed = properties.get("fixed_ips")
    first = fixed[0] if isinstance(fixed, list) and fixed and isinstance(fixed[0], dict) else {}
    network = _first(properties, "network", "network_id")
    subnet = _first(first, "subnet", "subnet_id")
    if network is None and isinstance(subnet, Ref) and not subnet.path:
        network = Ref(subnet.node, ("network_id",))
    return native | _given(network=network, ip=first.get("ip_address"))


# --- the rest
KEYPAIR: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, required=True, pattern=NAME),
    "public_key": Property(Type.STRING, pattern=PUBLIC_KEY),
    **_ignored("save_private_key", "a private key that was made is always kept, sealed"),
    **_ignored("type user"),
}
_LEAST: Final = Property(Type.INTEGER, minimum=0, maximum=512)
RANDOM: Final[dict[str, Property]] = {
    "length": Property(Type.INTEGER, minimum=1, maximum=512),
    "sequence": Property(Type.STRING, allowed=CLASSES),
    "character_classes": Property(
        Type.LIST,
        items=Property(Type.MAP, properties={"class": Property(Type.STRING, allowed=CLASSES), "min": _LEAST}),
    ),
    "character_sequences": Property(
        Type.LIST, items=Property(Type.MAP, properties={"sequence": REQUIRED_TEXT, "min": _LEAST})
    ),
    "salt": TEXT,
}
DELAY: Final[dict[str, Property]] = {
    "min_wait": SECONDS,
    "max_jitter": SECONDS,
    "jitter_multiplier": Property(Type.NUMBER, minimum=0),
    "actions": Property(Type.LIST, items=Property(Type.STRING, allowed=(*ACTIONS, "SUSPEND", "RESUME"))),
}
TEST: Final[dict[str, Property]] = {
    "value": TEXT,
    "fail": BOOLEAN,
    "update_replace": BOOLEAN,
    "update_replace_value": TEXT,
    "wait_secs": SECONDS,
    "action_wait_secs": Property(
        Type.MAP, properties={"create": SECONDS, "update": SECONDS, "delete": SECONDS}
    ),
    **_ignored(
        "attr_wait_secs client_name constraint_prop_secs entity_name",
        "it slows Heat itself down, for testing it",
    ),
}
GROUP: Final[dict[str, Property]] = {
    "count": Property(Type.INTEGER, minimum=0, maximum=100_000),
    "index_var": Property(Type.STRING, minimum=3),
    "resource_def": Property(Type.MAP, required=True, properties=MEMBER),
    "removal_policies": Property(
        Type.LIST, items=Property(Type.MAP, properties={"resource_list": Property(Type.LIST)})
    ),
    **_ignored("removal_policies_mode", "removed members never come back"),
}


def _keypair(properties: dict[str, Any]) -> dict[str, Any]:
    return _renamed(properties, {"name": "name", "public_key": "public_key"})


def _random(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(
        properties,
        {
            "length": "length",
            "salt": "salt",
            "character_classes": "classes",
            "character_sequences": "sequences",
        },
    )
    if "classes" in native:
        native["classes"] = _each(
            native["classes"], lambda one: _renamed(one, {"class": "class", "min": "minimum"})
        )
    if "sequences" in native:
        native["sequences"] = _each(
            native["sequences"], lambda one: _renamed(one, {"sequence": "characters", "min": "minimum"})
        )
    if properties.get("sequence") is not None:
        native.setdefault("classes", [{"class": properties["sequence"], "minimum": 1}])
    return native


def _delay(properties: dict[str, Any]) -> dict[str, Any]:
    native = _renamed(
        properties,
        {
            "min_wait": "minimum",
            "max_jitter": "jitter",
            "jitter_multiplier": "multiplier",
            "actions": "actions",
        },
    )
    if isinstance(native.get("actions"), list):
        native["actions"] = [
            action for action in native["actions"] if not isinstance(action, str) or action in ACTIONS
        ]
    return native


def _test(properties: dict[str, Any]) -> dict[str, Any]:
    native = {"value": "test_string"} | _renamed(properties, {"value": "value", "fail": "fail"})
    native |= _given(replace=_first(properties, "update_replace_value", "update_replace"))
    waits = dict.fromkeys(("create", "update", "delete"), properties.get("wait_secs"))
    each = properties.get("action_wait_secs")
    if isinstance(each, dict):
        waits |= each
    waits = _given(**waits)
    return native | ({"waits": waits} if waits else {})


def _group(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in properties.items()
        if name != "removal_policies_mode" and value is not None
    }


def _value(properties: dict[str, Any]) -> dict[str, Any]:
    return dict(properties)


def _entry(
    name: str,
    kind: str,
    properties: dict[str, Property],
    attributes: str,
    translate: Callable[[dict[str, Any]], dict[str, Any]],
    **renamed: str,
) -> TypeEntry:
    names = {one: one for one in attributes.split()} | renamed
    return TypeEntry(name, kind, properties, names, translate, description=f"Answers to Heat's {name}.")


_VALUE_TYPES = ("string", "number", "comma_delimited_list", "json", "boolean")
_VALUE: Final = {
    "value": Property(Type.ANY, required=True),
    "type": Property(Type.STRING, allowed=_VALUE_TYPES),
}
_MACHINE_GIVES = "name id first_address addresses networks state host"

HEAT: Final[dict[str, TypeEntry]] = {
    entry.type: entry
    for entry in (
        _entry(
            "OS::Nova::Server",
            "Machine",
            SERVER,
            _MACHINE_GIVES,
            _server,
            instance_name="name",
            accessIPv4="first_address",
        ),
        _entry(
            "OS::Cinder::Volume",
            "Volume",
            VOLUME,
            "name id size",
            _volume,
            display_name="name",
            status="state",
        ),
        _entry("OS::Cinder::VolumeAttachment", "VolumeAttachment", ATTACHMENT, "path", _attachment),
        _entry("OS::Neutron::Net", "Network", NET, "name id subnets mtu", _net, network_id="id"),
        _entry(
            "OS::Neutron::Subnet", "Subnet", SUBNET, "name id cidr network_id", _subnet, gateway_ip="gateway"
        ),
        _entry("OS::Neutron::Port", "Port", PORT, "name id network_id fixed_ips", _port, mac_address="mac"),
        _entry("OS::Nova::KeyPair", "KeyPair", KEYPAIR, "name public_key private_key fingerprint", _keypair),
        _entry("OS::Heat::RandomString", "RandomString", RANDOM, "value", _random),
        _entry("OS::Heat::Value", "Value", _VALUE, "value", _value),
        TypeEntry(
            "OS::Heat::None",
            "None",
            {},
            {},
            _value,
            open=True,
            any_attribute=True,
            description="Answers to Heat's OS::Heat::None.",
        ),
        _entry("OS::Heat::Delay", "Delay", DELAY, "", _delay),
        _entry("OS::Heat::TestResource", "TestResource", TEST, "output", _test),
        TypeEntry(
            "OS::Heat::ResourceGroup",
            "Group",
            GROUP,
            {},
            _group,
            any_attribute=True,
            description="Answers to Heat's OS::Heat::ResourceGroup.",
        ),
    )
}
