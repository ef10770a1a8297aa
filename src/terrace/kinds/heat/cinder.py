"""Volumes of OpenStack Cinder."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import DATA, REQUIRED_TEXT, TEXT, entry, ignored, refused, renamed
from terrace.kinds.schema import Property, Type, TypeEntry

VOLUME: Final[dict[str, Property]] = {
    "name": TEXT,
    "size": Property(Type.INTEGER, minimum=1),
    "metadata": Property(Type.MAP),
    **ignored("availability_zone description volume_type scheduler_hints multiattach read_only"),
    **refused("snapshot_id backup_id image source_volid", DATA),
}
ATTACHMENT: Final[dict[str, Property]] = {
    "instance_uuid": REQUIRED_TEXT,
    "volume_id": REQUIRED_TEXT,
    "mountpoint": TEXT,
}


def _volume(properties: dict[str, Any]) -> dict[str, Any]:
    return renamed(properties, {"name": "name", "size": "size", "metadata": "metadata"})


def _attachment(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"instance_uuid": "machine", "volume_id": "volume", "mountpoint": "path"})
    path = native.get("path")
    if isinstance(path, str) and (not path.startswith("/") or path.startswith("/dev/")):
        del native["path"]  # the name of a device, which a container does not have
    return native


CINDER: Final[tuple[TypeEntry, ...]] = (
    entry(
        "OS::Cinder::Volume",
        "Volume",
        VOLUME,
        "name id size",
        _volume,
        display_name="name",
        status="state",
    ),
    entry("OS::Cinder::VolumeAttachment", "VolumeAttachment", ATTACHMENT, "path", _attachment),
)
