"""What a provider offers under which names: flavors and image aliases, from its settings with built-in
defaults."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Flavor(msgspec.Struct, frozen=True, gc=False):
    """A size of machine. `cpu` in cores (may be a fraction), `memory` and `disk` in MiB (0: no limit),
    `pids` a count (0: no limit)."""

    cpu: float = 0.0
    memory: int = 0
    disk: int = 0
    pids: int = 0


class Catalogue(msgspec.Struct, frozen=True):
    """`flavors` by name. `images`: alias -> recipe ("recipe:debian-12") or reference
    ("docker.io/library/nginx:1"). `keys`: name -> public key for ssh."""

    flavors: dict[str, Flavor] = {}
    images: dict[str, str] = {}
    keys: dict[str, str] = {}


class Offer(msgspec.Struct, frozen=True):
    """Which flavors a project may use. `own` are its flavors by name, which stand beside those of the providers, and
    before one of the same name; `allowed` names the only ones that it may use (None: all that there are). `version`
    counts what was said of it (0: nothing yet)."""

    own: dict[str, Flavor] = {}
    allowed: tuple[str, ...] | None = None
    version: int = 0

    def lets(self, name: str) -> bool:
        """Whether the project may use flavors of that name, if there is one."""
        return self.allowed is None or name in self.allowed

    def within(self, flavors: Mapping[str, Flavor]) -> dict[str, Flavor]:
        """What the project may use, by name, where a provider has `flavors`."""
        return {name: one for name, one in {**flavors, **self.own}.items() if self.lets(name)}


OPEN = Offer()
"""Nothing was said of a project: it may use whatever there is."""

FLAVORS = {
    "m1.nano": Flavor(cpu=1, memory=64, disk=1024, pids=256),
    "m1.micro": Flavor(cpu=1, memory=128, disk=2048, pids=256),
    "m1.tiny": Flavor(cpu=1, memory=512, disk=1024, pids=512),
    "m1.small": Flavor(cpu=1, memory=2048, disk=20480, pids=1024),
    "m1.medium": Flavor(cpu=2, memory=4096, disk=40960, pids=2048),
    "m1.large": Flavor(cpu=4, memory=8192, disk=81920, pids=4096),
    "m1.xlarge": Flavor(cpu=8, memory=16384, disk=163840, pids=8192),
}

IMAGES = dict.fromkeys(
    (
        "debian-12",
        "debian",
        "debian-12-amd64",
        "debian-12-generic",
        "debian-12-genericcloud-amd64",
        "bookworm",
        "debian-bookworm",
    ),
    "recipe:debian-12",
)
