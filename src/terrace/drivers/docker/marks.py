"""Reading and writing the marks by which attachments are known again."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from terrace.model.seen import Owner, Seen

_VOLUME = re.compile(r"/volumes/([^/]+)/_data$")
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mounted(msgspec.Struct, frozen=True):
    """A line of mountinfo: what of a file system stands where. `root` is the part of it that is mounted,
    `below` the number of the mount that it stands on."""

    number: str
    below: str
    root: str
    path: str
    kind: str
    source: str
    read_only: bool = False


def mark(owner: Owner) -> str:
    """The source that names the owner of an attachment."""
    return f"terrace:{owner.installation}:{owner.uid}:{owner.incarnation}:{owner.digest}"


def owner_of(source: str) -> Owner | None:
    """The owner that a source names."""
    parts = source.split(":")
    if len(parts) != 5 or parts[0] != "terrace" or not parts[3].isdigit():
        return None
    return Owner(parts[1], parts[2], int(parts[3]), parts[4])


def parse(mountinfo: str) -> list[Mounted]:
    """The lines of /proc/PID/mountinfo, in no particular order."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(rest) < 2:
            continue
        options = fields[5].split(",")
        number, below, _, root, path = fields[:5]
        found.append(
            Mounted(number, below, _text(root), _text(path), rest[0], _text(rest[1]), "ro" in options)
        )
    return found


def _text(escaped: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), escaped)


def marked(mounts: list[Mounted]) -> dict[str, tuple[Owner, Mounted | None]]:
    """By path: the owner of each mark, and the volume that lies on it (None: it is not there yet)."""
    owners = {entry.number: owner_of(entry.source) for entry in mounts if entry.kind == "tmpfs"}
    found: dict[str, tuple[Owner, Mounted | None]] = {}
    for entry in mounts:
        below, own = owners.get(entry.below), owners.get(entry.number)
        if below is not None and _VOLUME.search(entry.root):
            found[entry.path] = (below, entry)
        elif own is not None:
            found.setdefault(entry.path, (own, None))
    return found


def mounts_of(pid: int, container: str) -> list[Mounted]:
    """The mounts of a guest's first process; [] when it is gone, cannot be read, or its number is another's
    now."""
    try:
        if container not in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8"):
            return []
        return parse(Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8"))
    except OSError:
        return []


def attachments(container: str, pid: int) -> list[Seen]:
    """The attachments in a running container of this machine."""
    return [
        shown(owner, container, volume)
        for owner, volume in marked(mounts_of(pid, container)).values()
        if volume is not None
    ]


def shown(owner: Owner, container: str, volume: Mounted) -> Seen:
    """An attachment that stands."""
    match = _VOLUME.search(volume.root)
    name = match.group(1) if match else ""
    return Seen(
        kind="VolumeAttachment",
        provider_id=f"{container}:{volume.path}",
        owner=owner,
        attributes={
            "id": f"{container}:{volume.path}",
            "volume": name,
            "machine": container,
            "path": volume.path,
        },
        properties={"volume": name, "machine": container, "read_only": volume.read_only},
        name=f"{name} at {volume.path}",
    )
