"""Networks, and what stands on them."""

from __future__ import annotations

import msgspec


class NetworkSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network of machines. `cidr` "": the provider chooses. `internal`: no way out. `gateway` "": the
    first address."""

    name: str
    cidr: str = ""
    gateway: str = ""
    internal: bool = False
    mtu: int = 0


class SubnetSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address range of a network (provider id); `pools` are (start, end) pairs for addresses given by the
    provider."""

    network: str
    cidr: str
    gateway: str = ""
    name: str = ""
    pools: tuple[tuple[str, str], ...] = ()


class PortSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address reserved on a network (provider id) for a machine that names the port. `ip` "": the
    provider chooses."""

    network: str
    ip: str = ""
    mac: str = ""
    name: str = ""
