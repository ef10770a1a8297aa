"""Images of OpenStack Glance, and containers of OpenStack Zun."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.guest.properties import PROPERTIES as MACHINE
from terrace.kinds.heat.words import (
    ADDRESS,
    REQUIRED_TEXT,
    TEXT,
    each,
    entry,
    given,
    ignored,
    refused,
    renamed,
)
from terrace.kinds.rules.address import wrong_path
from terrace.kinds.schema import Property, Type, TypeEntry

_FORMATS = ("ami", "ari", "aki", "vhd", "vmdk", "raw", "qcow2", "vdi", "iso")
WEB_IMAGE: Final[dict[str, Property]] = {
    "location": REQUIRED_TEXT,
    "disk_format": Property(Type.STRING, required=True, allowed=_FORMATS),
    "container_format": Property(
        Type.STRING, required=True, allowed=("ami", "ari", "aki", "bare", "ova", "ovf", "docker")
    ),
    **ignored(
        "name id min_disk min_ram owner architecture kernel_id os_distro os_version ramdisk_id visibility "
        "protected tags extra_properties active members is_public copy_from",
        "an image is known by where it comes from, and belongs to everybody",
    ),
}


def _web_image(properties: dict[str, Any]) -> dict[str, Any]:
    packed = properties.get("container_format") == "docker"
    return {
        "source": properties.get("location"),
        "format": "archive" if packed else properties.get("disk_format"),
    }


_MOUNT: Final = Property(
    Type.MAP,
    properties={
        "volume_id": TEXT,
        "mount_path": Property(Type.STRING, required=True, check=wrong_path),
        **refused("volume_size", "make a volume of its own for it, and name that"),
    },
)
_NIC: Final = Property(Type.MAP, properties={"network": TEXT, "fixed_ip": ADDRESS, "port": TEXT})
_RESTART = {"no": "never", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
CONTAINER: Final[dict[str, Property]] = {
    **{name: MACHINE[name] for name in ("name", "cpu", "memory", "environment", "workdir", "command")},
    "image": REQUIRED_TEXT,
    "labels": Property(Type.MAP),
    "restart_policy": Property(Type.STRING, pattern=r"no|always|unless-stopped|on-failure(:[0-9]+)?"),
    "mounts": Property(Type.LIST, items=_MOUNT),
    "networks": Property(Type.LIST, items=_NIC),
    "security_groups": Property(Type.LIST, items=TEXT),
    **ignored("image_pull_policy image_driver", "an image is fetched when it is not there"),
    **ignored("interactive tty", "nobody types into it when it starts; terrace exec does later"),
    **ignored("hints hostname"),
}


def _container(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "image", "cpu", "memory", "environment", "workdir", "command", "security_groups")
    native = renamed(properties, {name: name for name in names} | {"labels": "metadata"})
    policy = properties.get("restart_policy")
    if policy is not None:
        native["restart"] = (
            _RESTART.get(policy.partition(":")[0], policy) if isinstance(policy, str) else policy
        )
    if properties.get("mounts") is not None:
        native["volumes"] = each(
            properties["mounts"], lambda one: renamed(one, {"volume_id": "volume", "mount_path": "path"})
        )
    if properties.get("networks"):
        native["networks"] = each(
            properties["networks"],
            lambda nic: given(network=nic.get("network"), ip=nic.get("fixed_ip"), port=nic.get("port")),
        )
    return native


OTHERS: Final[tuple[TypeEntry, ...]] = (
    *(
        entry(f"OS::Glance::{name}", "Image", WEB_IMAGE, "id name size", _web_image)
        for name in ("WebImage", "Image")
    ),
    entry(
        "OS::Zun::Container",
        "Machine",
        CONTAINER,
        "name id first_address addresses networks state host",
        _container,
        status="state",
    ),
)
