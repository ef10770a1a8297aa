"""Where machines stand, and how large they are."""

from __future__ import annotations

from typing import Any

import msgspec


class FlavorSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A size of machine that a template defines. `cpu` in cores, `memory` and `disk` in MiB, `pids` a count; 0: no
    limit."""

    name: str
    cpu: float = 0.0
    memory: int = 0
    disk: int = 0
    pids: int = 0
    extra: dict[str, Any] = {}


class ServerGroupSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule for placing machines: affinity, anti-affinity, soft-affinity or soft-anti-affinity."""

    name: str
    policies: tuple[str, ...] = ("anti-affinity",)
