"""What things hold of one another at a simulated provider: addresses, volumes, and who stands on whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from itertools import chain
from typing import Any

from terrace.drivers.sim.thing import Thing
from terrace.errors import TransientError

# What things of these kinds stand on: fields of their specs.
LINKED = {
    "Subnet": ("network",),
    "VolumeAttachment": ("volume", "machine"),
    "SoftwareDeployment": ("machine",),
    "SecurityGroupRule": ("security_group",),
    "RouterInterface": ("router", "network"),
    "RouterGateway": ("router",),
    "FloatingIP": ("port",),
    "FloatingIPAssociation": ("floating_ip", "port", "machine"),
    "Listener": ("balancer", "pool"),
    "Pool": ("listener", "balancer"),
    "PoolMember": ("pool", "subnet"),
    "HealthMonitor": ("pool",),
}


def parents(kind: str, spec: Any) -> list[str]:
    """The provider ids of what a thing with this spec stands on."""
    match kind:
        case "Machine":
            found = [nic.network for nic in spec.networks] + [nic.port for nic in spec.networks if nic.port]
            found += [group for nic in spec.networks for group in nic.groups]
            return found + [mount.volume for mount in spec.volumes]
        case "Port":
            return [spec.network, *spec.groups]
        case "LoadBalancer":
            return [place for place in (spec.network, spec.subnet, *spec.security_groups) if place]
        case "SecurityGroup":
            return [rule.group for rule in spec.rules if rule.group not in ("", "self")]
        case _:
            return [
                parent
                for field in LINKED.get(kind, ())
                if (parent := getattr(spec, field)) and "@" not in parent
            ]


class Links:
    """Who stands on whom, and who holds which address. A thing that asks for what is missing or taken gets a
    TransientError: it may be there, or free, a moment later."""

    def __init__(self, things: Mapping[str, Thing]) -> None:
        self._things = things
        self._users: dict[str, dict[str, None]] = {}
        self._ranges: dict[str, tuple[int, int]] = {}
        self._taken: dict[str, dict[str, str]] = {}
        self._next: dict[str, int] = {}

    def users(self, thing: Thing) -> list[Thing]:
        """Live things that stand on it."""
        return [self._things[user] for user in self._users.get(thing.provider_id, ()) if user in self._things]

    def content(self, kind: str, spec: Any) -> dict[str, str]:
        """What a thing with this spec holds at first: a copy of what it is made of. A copy does not stand on that.
        TransientError when it is missing."""
        source = spec.volume if kind == "VolumeSnapshot" else spec.source if kind == "Volume" else ""
        if source and source not in self._things:
            raise TransientError(f"there is no {source}", code="missing")
        return dict(self._things[source].content) if source else {}

    def check(self, kind: str, spec: Any, own: str = "") -> None:
        """TransientError when what `spec` stands on is missing, or something it would hold is taken by
        another than `own`."""
        for parent in parents(kind, spec):
            if parent not in self._things:
                raise TransientError(f"there is no {parent}", code="missing")
        if kind == "Machine":
            for nic in spec.networks:
                if nic.ip and self._taken.get(nic.network, {}).get(nic.ip, own) not in (own, nic.port):
                    raise TransientError(f"address {nic.ip} is in use on {nic.network}", code="in-use")
            for mount in spec.volumes:
                self._check_writer(mount.volume, mount.read_only, own)
        elif kind == "Port":
            if spec.ip and self._taken.get(spec.network, {}).get(spec.ip, own) != own:
                raise TransientError(f"address {spec.ip} is in use on {spec.network}", code="in-use")
        elif kind == "VolumeAttachment":
            self._check_writer(spec.volume, spec.read_only, own)

    def tie(self, thing: Thing) -> None:
        """Notes what it stands on and gives it its addresses; those it had it keeps."""
        spec, own = thing.spec, thing.provider_id
        for parent in parents(thing.kind, spec):
            self._users.setdefault(parent, {})[own] = None
        if thing.kind == "Network":
            self._open(own, thing)
        elif thing.kind == "Subnet":
            self._open(spec.network, thing)
        elif thing.kind == "Port":
            thing.address = {spec.network: self._take(spec.network, spec.ip, own)}
        elif thing.kind == "LoadBalancer":
            place = spec.network or self._things[spec.subnet].spec.network
            fixed = spec.address or thing.address.get(place, "")
            thing.address = {place: self._take(place, fixed, own)}
        elif thing.kind == "Machine":
            had, thing.address = thing.address, {}
            for nic in spec.networks:
                thing.networks[nic.network] = self._things[nic.network].spec.name
                port = self._things.get(nic.port)
                if port is not None:
                    thing.address[nic.network] = port.address[nic.network]
                else:
                    wanted = nic.ip or had.get(nic.network, "")
                    thing.address[nic.network] = self._take(nic.network, wanted, own)

    def untie(self, thing: Thing) -> None:
        """Lets go of everything it held."""
        for parent in parents(thing.kind, thing.spec):
            self._users.get(parent, {}).pop(thing.provider_id, None)
        for network, address in thing.address.items():
            if self._taken.get(network, {}).get(address) == thing.provider_id:
                del self._taken[network][address]

    def _check_writer(self, volume: str, read_only: bool, own: str) -> None:
        if read_only:
            return
        for user in self._users.get(volume, ()):
            other = self._things.get(user)
            if other is None or user == own:
                continue
            if other.kind == "VolumeAttachment":
                writes = not other.spec.read_only
            else:
                writes = any(m.volume == volume and not m.read_only for m in other.spec.volumes)
            if writes:
                raise TransientError(f"{volume} is in use by {user}", code="in-use")

    def _take(self, network: str, wanted: str, own: str) -> str:
        taken = self._taken.setdefault(network, {})
        if not wanted or taken.get(wanted, own) != own:
            wanted = self._free(network, taken)
        taken[wanted] = own
        return wanted

    def _free(self, network: str, taken: Mapping[str, str]) -> str:
        first, last = self._ranges[network]
        start = self._next.get(network, first)
        for number in chain(range(start, last), range(first, start)):
            address = str(ipaddress.ip_address(number))
            if address not in taken:
                self._next[network] = number + 1
                return address
        raise TransientError(f"no address is left on {network}", code="in-use")

    def _open(self, network: str, thing: Thing) -> None:
        """Addresses for machines lie behind the gateway and before the broadcast."""
        number = len(self._ranges)
        cidr = thing.spec.cidr or f"10.{number // 250 % 250}.{number % 250}.0/24"
        block = ipaddress.ip_network(cidr, strict=False)
        first = int(block.network_address)
        self._ranges[network] = (first + 2, first + block.num_addresses - 1)
        thing.ranges = (cidr, thing.spec.gateway or str(block.network_address + 1))
