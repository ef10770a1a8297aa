"""Storage that outlives machines."""

from __future__ import annotations

import msgspec


class VolumeSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A volume. `size` in GiB (0: as the provider gives). `source` is the provider id of a volume or a snapshot whose
    content it begins with, "" for none. `shared_with` are projects whose templates may refer to it."""

    name: str
    size: int = 0
    metadata: dict[str, str] = {}
    source: str = ""
    shared_with: tuple[str, ...] = ()


class VolumeSnapshotSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `volume` (provider id) held at one moment. `shared_with` as of a volume."""

    volume: str
    name: str = ""
    metadata: dict[str, str] = {}
    shared_with: tuple[str, ...] = ()


class AttachmentSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A volume (provider id) in a machine (provider id) at `path`. Lives and dies with both ends."""

    volume: str
    machine: str
    path: str = ""
    read_only: bool = False
