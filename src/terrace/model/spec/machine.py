"""A guest: container or virtual machine."""

from __future__ import annotations

from typing import Any

import msgspec


class Nic(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attachment to a network. `network` is the network's provider id; `ip` a fixed address or "".
    `port` is the provider id of the Port that gave network and ip, "" for none. `groups` are the security groups
    (provider ids) that say what may pass here; none: all may."""

    network: str
    ip: str = ""
    mac: str = ""
    port: str = ""
    groups: tuple[str, ...] = ()


class Mount(msgspec.Struct, frozen=True, omit_defaults=True):
    """One volume at `path` inside the guest. `volume` is the volume's provider id."""

    volume: str
    path: str
    read_only: bool = False


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file put into the guest before it first starts. `mode` as in chmod, e.g. "0644"; `content` text or
    Secret."""

    path: str
    content: Any = ""
    mode: str = "0644"


class Publish(msgspec.Struct, frozen=True, omit_defaults=True):
    """A port of the host wired to the guest. `host` 0: any free one. Only where the provider's rule allows
    it."""

    guest: int
    host: int = 0
    address: str = "127.0.0.1"
    protocol: str = "tcp"


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to tell that the guest does its work. `type` is command, tcp or http. Times in seconds; `retries`
    failures in a row make it unhealthy, `grace` after a start does not count."""

    type: str
    command: tuple[str, ...] = ()
    port: int = 0
    path: str = "/"
    interval: float = 5.0
    timeout: float = 3.0
    retries: int = 3
    grace: float = 5.0


class MachineSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a machine should be. `image` is what the provider starts from (its id, a reference, or
    "recipe:NAME"); `image_name` what the user wrote. `cpu` in cores, `memory`, `disk` in MiB, `pids` a
    count; 0: no limit. `environment` values are str or Secret. `command` replaces the image's.
    `user_data` is run at first boot by Terrace's own images when it begins with `#!`. `keys` are public
    keys for ssh. `restart` is always, on-failure or never. `log_size` in MiB. `aliases` are names by
    which machines of the stack find it. `group` is a ServerGroup (its id) and `placement` its rule; `password` that of
    its administrator (Secret). `workdir` is the folder its program begins in, `boot_volume` a volume (provider id) that
    it starts from instead of an image; `tags` are words for people."""

    name: str
    image: str
    image_name: str = ""
    flavor: str = ""
    cpu: float = 0.0
    memory: int = 0
    disk: int = 0
    pids: int = 0
    networks: tuple[Nic, ...] = ()
    volumes: tuple[Mount, ...] = ()
    environment: dict[str, Any] = {}
    command: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    user_data: Any = ""
    user_data_format: str = "RAW"
    keys: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    health: Health | None = None
    restart: str = "always"
    log_size: int = 10
    publish: tuple[Publish, ...] = ()
    aliases: tuple[str, ...] = ()
    group: str = ""
    placement: str = ""
    password: Any = ""
    workdir: str = ""
    tags: tuple[str, ...] = ()
    boot_volume: str = ""
