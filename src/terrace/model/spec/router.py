"""Ways between networks, and between networks and the outside."""

from __future__ import annotations

import msgspec


class RouterSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Joins the networks that its interfaces are on. `gateway` is the network outside ("": none, unless a
    RouterGateway gives it one): without one its networks have no way out."""

    name: str
    gateway: str = ""


class RouterInterfaceSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A router (provider id) on a network (provider id)."""

    router: str
    network: str


class RouterGatewaySpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A router's (provider id) way out: `network` is the name of a network outside."""

    router: str
    network: str


class FloatingIPSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address by which a machine is reached from outside. `ip` "": the provider chooses one of its pool.
    `target` is the machine's own address, "" while it leads nowhere; `port` (provider id) says whose that is."""

    pool: str = ""
    ip: str = ""
    target: str = ""
    port: str = ""


class FloatingIPAssociationSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A floating address (provider id) that leads to a machine. `target` is the machine's own address; `port` or
    `machine` (provider ids) say whose, and give it when it is not said."""

    floating_ip: str
    target: str = ""
    port: str = ""
    machine: str = ""
