"""Machines of OpenStack Nova."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.guest.placement import POLICIES
from terrace.kinds.guest.properties import PROPERTIES as MACHINE
from terrace.kinds.heat.words import (
    ADDRESS,
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
from terrace.kinds.rules.address import fitted
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.model.value import Call, Ref

_NIC: Final = Property(
    Type.MAP,
    properties={
        **dict.fromkeys(("network", "uuid", "port", "subnet"), TEXT),
        "fixed_ip": ADDRESS,
        **ignored("tag port_extra_properties"),
        **refused("floating_ip", "floating addresses are not supported yet; use publish of Terrace::Machine"),
        "allocate_network": Property(Type.STRING, allowed=("auto", "none")),
    },
)
_HINTS = "different_host same_host query build_near_host_ip cidr target_cell different_cell reservation force_hosts"
_FROM_SNAPSHOT = "make a Volume from the snapshot and name that"
_GONE = "a volume belongs to its own resource, which says what becomes of it"
_DEVICE: Final = Property(
    Type.MAP,
    properties={
        "device_name": Property(Type.STRING, required=True, pattern=r"(/dev/)?[A-Za-z0-9/_-]{1,32}"),
        "volume_id": TEXT,
        **refused("snapshot_id", _FROM_SNAPSHOT),
        **ignored("volume_size delete_on_termination", _GONE),
    },
)
_DEVICE_2: Final = Property(
    Type.MAP,
    properties={
        "device_name": Property(Type.STRING, pattern=r"(/dev/)?[A-Za-z0-9/_-]{1,32}"),
        "volume_id": TEXT,
        "image": TEXT,
        "image_id": TEXT,
        "boot_index": Property(Type.INTEGER),
        **refused("snapshot_id", _FROM_SNAPSHOT),
        **refused(
            "swap_size ephemeral_size ephemeral_format", "a machine has no disks of its own but its one"
        ),
        **ignored("volume_size delete_on_termination", _GONE),
        **ignored("device_type disk_bus tag", "a volume is mounted as a folder"),
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
    "block_device_mapping": Property(Type.LIST, items=_DEVICE),
    "block_device_mapping_v2": Property(Type.LIST, items=_DEVICE_2),
    "admin_pass": MACHINE["password"],
    "tags": MACHINE["tags"],
    "scheduler_hints": Property(Type.MAP, properties={"group": TEXT, **ignored(_HINTS)}),
    "security_groups": Property(Type.LIST, items=TEXT),
    **ignored(
        "admin_user availability_zone config_drive deployment_swift_data diskConfig flavor_update_policy "
        "image_update_policy reservation_id software_config_transport user_data_update_policy hypervisor_hostname"
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
        {
            name: name
            for name in (
                "name",
                "image",
                "flavor",
                "user_data",
                "user_data_format",
                "metadata",
                "security_groups",
            )
        },
    )
    native |= renamed(properties, {"admin_pass": "password", "tags": "tags"})
    if properties.get("key_name") is not None:
        native["keys"] = [properties["key_name"]]
    networks = properties.get("networks")
    if isinstance(networks, list):
        # What it is to be given by itself is the network that machines of its stack share.
        networks = [nic for nic in networks if not (isinstance(nic, dict) and nic.get("allocate_network"))]
    if networks:
        native["networks"] = each(networks, _server_nic)
    personality = properties.get("personality")
    if isinstance(personality, dict):
        native["files"] = [{"path": path, "content": content} for path, content in personality.items()]
    hints = properties.get("scheduler_hints")
    if isinstance(hints, dict) and hints.get("group") is not None:
        native["group"] = hints["group"]
    for name in ("block_device_mapping", "block_device_mapping_v2"):
        devices = properties.get(name)
        for number, device in enumerate(devices if isinstance(devices, list) else []):
            if isinstance(device, dict):
                _device(device, number, native)
    return native


def _device(device: dict[str, Any], number: int, native: dict[str, Any]) -> None:
    """A disk as a volume at /mnt/ and the name of the device; the first may be what the server starts from."""
    image = first(device, "image", "image_id")
    if image is not None:
        native.setdefault("image", image)
    volume, boots = device.get("volume_id"), device.get("boot_index")
    if volume is None:
        return
    if boots == 0 and "image" not in native:
        native["boot_volume"] = volume
        return
    name = str(device.get("device_name") or f"vd{chr(ord('b') + number)}").removeprefix("/dev/")
    native.setdefault("volumes", []).append({"volume": volume, "path": f"/mnt/{name}"})


FLAVOR: Final[dict[str, Property]] = {
    "ram": Property(Type.INTEGER, required=True, minimum=0),
    "vcpus": Property(Type.INTEGER, required=True, minimum=0),
    "disk": Property(Type.INTEGER, minimum=0),
    "name": TEXT,
    "extra_specs": Property(Type.MAP),
    **ignored("flavorid is_public tenants", "a flavor belongs to its stack"),
    **ignored("ephemeral swap rxtx_factor"),
}
GROUP: Final[dict[str, Property]] = {
    "name": TEXT,
    "policies": Property(Type.LIST, items=Property(Type.STRING, allowed=POLICIES), minimum=1, maximum=1),
    **ignored("rules"),
}


def _flavor(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"ram": "memory", "vcpus": "cpu", "name": "name", "extra_specs": "extra"})
    disk = properties.get("disk")
    if disk is not None:
        number = isinstance(disk, int | str)
        native["disk"] = f"{disk}G" if number else Call("str_replace", ("NG", {"N": disk}))
    return native


def _server_group(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name", "policies": "policies"})


KEYPAIR: Final[dict[str, Property]] = {
    "name": Property(Type.STRING, required=True, shorthand=fitted),
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
    entry("OS::Nova::ServerGroup", "ServerGroup", GROUP, "name policies", _server_group),
    entry("OS::Nova::Flavor", "Flavor", FLAVOR, "name extra_specs is_public", _flavor),
    entry("OS::Nova::KeyPair", "KeyPair", KEYPAIR, "name public_key private_key fingerprint", _keypair),
)
