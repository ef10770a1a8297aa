"""Volumes of OpenStack Cinder."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import REQUIRED_TEXT, TEXT, entry, first, given, ignored, refused, renamed
from terrace.kinds.schema import Property, Type, TypeEntry

VOLUME: Final[dict[str, Property]] = {
    "name": TEXT,
    "size": Property(Type.INTEGER, minimum=1),
    "metadata": Property(Type.MAP),
    **ignored("availability_zone description volume_type scheduler_hints multiattach read_only"),
    "snapshot_id": TEXT,
    "source_volid": TEXT,
    **refused(
        "backup_id", "there are no backups yet: make the volume from a snapshot or from another volume"
    ),
    **refused("image", "an image is for machines to start from, and holds no data for a volume"),
}
ATTACHMENT: Final[dict[str, Property]] = {
    "instance_uuid": REQUIRED_TEXT,
    "volume_id": REQUIRED_TEXT,
    "mountpoint": TEXT,
}


def _volume(properties: dict[str, Any]) -> dict[str, Any]:
    native = renamed(properties, {"name": "name", "size": "size", "metadata": "metadata"})
    return native | given(source=first(properties, "snapshot_id", "source_volid"))


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
