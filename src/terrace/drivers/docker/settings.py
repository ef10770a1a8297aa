"""What a provider's TOML table may say, with defaults that are closed.

[providers.local]
driver = "docker"
host = "unix:///var/run/docker.sock"        # or tcp://engine.example:2376 with [providers.local.tls]
publish = "loopback"                         # none | loopback | any: ports of the host wired to guests
[providers.local.registries."registry.example"]
user = "puller"
password_file = "/etc/terrace/registry.password"
"""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue, Flavor

SIGNAL_HOST = "signals.terrace.internal"
"""The name by which guests know the gateway of their first network."""


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files for TCP: `ca` that signed the engine's certificate, and our own `cert` and `key`."""

    ca: str = ""
    cert: str = ""
    key: str = ""


class Registry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Credentials of a registry. The password itself is never in the settings: `password_file` or
    `password_env` name where it is."""

    user: str
    password_file: str = ""
    password_env: str = ""

    def password(self) -> str:
        """Read anew each time, so that it can be rotated. ValueError when it is not there."""
        if self.password_file:
            try:
                return Path(self.password_file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(f"password_file {self.password_file}: {error.strerror}") from error
        if self.password_env in os.environ:
            return os.environ[self.password_env]
        raise ValueError(f"no password: {self.password_env or 'password_file'} is not set")


class DockerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One Docker engine. `timeout` seconds of one request; `concurrency` steps at once; `removals`:
    machines that leave networks for good at once (0: as many, but 4 on engines before 23, which may lose count or lock
    up); `rate` steps
    a second (0: any). `publish`: which addresses of the host a template may wire to a guest. `trust_host_certificates`:
    recipes trust the extra certificate authorities of this machine. `dns`: name servers of guests ([]: the
    engine's). `mtu` of networks; "auto": that of this machine's way out. `address_pool`: where networks
    without a cidr get their range of `network_size` bits. `floating_pool`: the range that floating addresses are
    of ("": there are none). `flavors` and `images` add to the built-in catalogue; `keys` are public keys for ssh
    that templates may call by name. `image_urls`: what the address of an image must begin with, scheme, host and
    path ([]: no addresses). `signal_url`: where guests reach this server ("": at `signal_port` of the gateways
    of networks that Terrace made, if the engine is this machine's)."""

    host: str = "unix:///var/run/docker.sock"
    tls: Tls | None = None
    timeout: float = 5.0
    concurrency: int = 8
    removals: int = 0
    rate: float = 0.0
    publish: Literal["none", "loopback", "any"] = "loopback"
    trust_host_certificates: bool = True
    dns: tuple[str, ...] = ()
    mtu: int | Literal["auto"] = "auto"
    address_pool: str = "10.192.0.0/12"
    network_size: int = 22
    signal_url: str = ""
    signal_port: int = 8014
    floating_pool: str = ""
    flavors: dict[str, Flavor] = {}
    images: dict[str, str] = {}
    keys: dict[str, str] = {}
    image_urls: tuple[str, ...] = ()
    registries: dict[str, Registry] = {}

    def __post_init__(self) -> None:
        """ValueError, in words for the owner of the settings."""
        if not self.host.startswith(("unix:///", "tcp://")):
            raise ValueError(f'host must begin with "unix:///" or "tcp://", not "{self.host}"')
        if self.host.startswith("tcp://"):
            name, _, port = self.host.removeprefix("tcp://").rpartition(":")
            if not name or not port.isdigit():
                raise ValueError(
                    f'host needs a name and a port, as in "tcp://engine.example:2376", not "{self.host}"'
                )
            if self.tls is None and name not in ("127.0.0.1", "localhost", "[::1]"):
                raise ValueError(
                    "an engine beyond this machine needs tls (ca, cert, key): who reaches it is root there"
                )
        if not 0 < self.timeout <= 30:
            raise ValueError("timeout must lie between 0 and 30 seconds")
        if self.concurrency < 1 or self.removals < 0:
            raise ValueError("concurrency must be at least 1, and removals at least 0")
        _check_door(self.signal_url, self.signal_port)
        for prefix in self.image_urls:
            if not re.fullmatch(r"https?://[^/@\s]+/[^\s]*", prefix):
                raise ValueError(
                    f'image_urls needs scheme, host and a path, as in "https://images.example/", not "{prefix}"'
                )
        if self.floating_pool:
            ipaddress.IPv4Network(self.floating_pool)
        pool = ipaddress.ip_network(self.address_pool)
        if not pool.prefixlen <= self.network_size <= 29:
            raise ValueError(f"network_size must lie between that of address_pool ({pool.prefixlen}) and 29")

    @property
    def door(self) -> str:
        """Where guests reach this server: the beginning of the URLs for signals."""
        return self.signal_url or f"http://{SIGNAL_HOST}:{self.signal_port}"

    def catalogue(self) -> Catalogue:
        """Built-in flavors and images with the settings' own on top."""
        return Catalogue({**FLAVORS, **self.flavors}, {**IMAGES, **self.images}, self.keys)


def _check_door(url: str, port: int) -> None:
    """ValueError when guests cannot be told to go there."""
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f'signal_url must begin with "http://" or "https://", not "{url}"')
    if not 0 < port < 65536:
        raise ValueError("signal_port must lie between 1 and 65535")
