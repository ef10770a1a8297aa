"""Networks, and what stands on them."""

from __future__ import annotations

import msgspec


class NetworkSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network of machines. `cidr` "": the provider chooses. `internal`: no way out. `gateway` "": the
    first address. `shared_with` are projects whose templates may refer to it."""

    name: str
    cidr: str = ""
    gateway: str = ""
    internal: bool = False
    mtu: int = 0
    shared_with: tuple[str, ...] = ()


class SubnetSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address range of a network (provider id); `pools` are (start, end) pairs for addresses given by the
    provider. `internal`: machines get no way out by it. `dns` are name servers for its machines."""

    network: str
    cidr: str
    gateway: str = ""
    name: str = ""
    pools: tuple[tuple[str, str], ...] = ()
    internal: bool = False
    dns: tuple[str, ...] = ()


class PortSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address reserved on a network (provider id) for a machine that names the port. `ip` "": the provider chooses.
    `more` are further addresses beside it, `subnets` the subnets (provider ids) that the addresses are of, `groups` the
    security groups (provider ids) that the machine is in here. `pools` are (start, end) pairs that the provider chooses
    from; none: the whole range."""

    network: str
    ip: str = ""
    mac: str = ""
    name: str = ""
    more: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    pools: tuple[tuple[str, str], ...] = ()
