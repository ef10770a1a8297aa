"""Machines of OpenStack Nova."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.guest.properties import PROPERTIES as MACHINE
from terrace.kinds.heat.words import (
    ADDRESS,
    CLOUD,
    FILTER,
    REQUIRED_TEXT,
    TEXT,
    each,
    entry,
    first,
    given,
    ignored,
    refused,
    renamed,
)
from terrace.kinds.keypair import PUBLIC_KEY
from terrace.kinds.rules.address import NAME
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Ref

_NIC: Final = Property(
    Type.MAP,
    properties={
        **dict.fromkeys(("network", "uuid", "port", "subnet"), TEXT),
        "fixed_ip": ADDRESS,
        **ignored("tag port_extra_properties"),
        **refused("floating_ip", "floating addresses are not supported yet; use publish of Terrace::Machine"),
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
    **ignored("security_groups", FILTER),
    **ignored(
        "admin_pass admin_user availability_zone block_device_mapping config_drive deployment_swift_data "
        "diskConfig flavor_update_policy image_update_policy reservation_id scheduler_hints "
        "software_config_transport tags user_data_update_policy hypervisor_hostname"
    ),
}


def _server_nic(nic: dict[str, Any]) -> dict[str, Any]:
    network = first(nic, "network", "uuid")
    subnet = nic.get("subnet")
    if network is None and isinstance(subnet, Ref) and not subnet.path:
        network = Ref(subnet.node, ("network_id",))
    return given(network=network, ip=nic.get("fixed_ip"), port=nic.get("port"))


def _server(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(
        properties,
        {name: name for name in ("name", "image", "flavor", "user_data", "user_data_format", "metadata")},
    )
    if properties.get("key_name") is not None:
        native["keys"] = [properties["key_name"]]
    if properties.get("networks") is not None:
        native["networks"] = each(properties["networks"], _server_nic)
    personality = properties.get("personality")
    if isinstance(personality, dict):
        native["files"] = [{"path": path, "content": content} for path, content in personality.items()]
    devices = properties.get("block_device_mapping_v2")
    for device in devices if isinstance(devices, list) else []:
        if isinstance(device, dict) and device.get("image") is not None:
            native.setdefault("image", device["image"])
    return native


KEYPAIR: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, required=True, pattern=NAME),
    "public_key": Property(Type.STRING, pattern=PUBLIC_KEY),
    **ignored("save_private_key", "a private key that was made is always kept, sealed"),
    **ignored("type user"),
}


def _keypair(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name", "public_key": "public_key"})


_MACHINE_GIVES = "name id first_address addresses networks state host"
NOVA: Final[tuple[TypeEntry, ...]] = (
    entry(
        "OS::Nova::Server",
        "Machine",
        SERVER,
        _MACHINE_GIVES,
        _server,
        instance_name="name",
        accessIPv4="first_address",
    ),
    entry("OS::Nova::KeyPair", "KeyPair", KEYPAIR, "name public_key private_key fingerprint", _keypair),
)
