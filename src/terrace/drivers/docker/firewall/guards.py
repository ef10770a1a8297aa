"""Guards of machines: what may pass to and from one fixed address, by the security groups it is in.

A guard stands before its machine starts and until it is removed, whether or not it runs. What no group admits is
dropped.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from terrace.drivers.docker import labels
from terrace.drivers.docker.firewall.filter import Filter
from terrace.drivers.docker.firewall.groups import KIND, WAYS, chain_of, members_of
from terrace.drivers.docker.firewall.table import Table, gone, id_of, key_of, mark, seal
from terrace.drivers.docker.networks import Networks
from terrace.drivers.docker.wire.client import Engine, filters
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.machine import MachineSpec, Nic
from terrace.ports.driver import Fence

BROKEN = "broken"


class Place(msgspec.Struct, frozen=True):
    """An address of a machine that is guarded, on the bridge of its network, and the keys of its groups."""

    address: str
    bridge: str
    groups: tuple[str, ...]


class Guards:
    """Puts up guards, and takes them down."""

    def __init__(self, engine: Engine, packets: Filter, networks: Networks) -> None:
        self._engine = engine
        self._filter = packets
        self._networks = networks

    async def put_up(
        self, spec: MachineSpec, owner: Owner, held: Mapping[str, Mapping[str, Any]], fence: Fence
    ) -> MachineSpec:
        """Guards every address that `spec` wants guarded; the spec with those addresses fixed. `held` are the machine's
        ends by network id. What a group that is not there would admit is admitted to nobody: TransientError."""
        if not any(nic.groups for nic in spec.networks):
            return spec
        async with self._filter.turn(owner.installation) as table:
            nics, places = [], []
            for nic in spec.networks:
                fixed, place = await self._place(nic, table, owner, held)
                nics.append(fixed)
                places += [place] if place is not None else []
            missing = [group for place in places for group in place.groups if _lacks(table, group)]
            there = [replace(one, groups=tuple(g for g in one.groups if g not in missing)) for one in places]
            commands = [command for place in there for command in guard(table, place, owner)]
            await self._filter.change(fence, table, commands)
            if missing:
                raise TransientError(f"security group {id_of(KIND, missing[0])} is not there", code="missing")
        return replace(spec, networks=tuple(nics))

    async def settle(self, spec: MachineSpec, owner: Owner, fence: Fence) -> None:
        """Takes down what guarded addresses that the machine has no more, and what guarded earlier ones of it that
        vanished. `spec` is as `put_up` gave it."""
        if not self._filter.used:
            return
        async with self._filter.turn(owner.installation) as table:
            kept = {nic.ip for nic in spec.networks if nic.groups}
            stale = [ip for ip, other in guarded(table).items() if _same(other, owner) and ip not in kept]
            stale += await self._orphans(
                table, [ip for ip, o in guarded(table).items() if o.uid == owner.uid], owner
            )
            await self._take_down(table, stale, fence)

    async def remove(self, owner: Owner, fence: Fence) -> None:
        """Takes down every guard of a machine that is gone."""
        if not self._filter.used:
            return
        async with self._filter.turn(owner.installation) as table:
            stale = [ip for ip, other in guarded(table).items() if _same(other, owner)]
            await self._take_down(table, stale, fence)

    async def abandoned(self, table: Table, group: str) -> list[str]:
        """Commands that take down the guards that refer to a group and whose machines are gone."""
        wanted = chain_of(WAYS[0], group)
        users = [
            ip
            for ip in guarded(table)
            if any(one.target == wanted for one in table.chains[_chain(WAYS[0], ip)])
        ]
        return taken_down(table, await self._orphans(table, users))

    async def _orphans(self, table: Table, addresses: Sequence[str], own: Owner | None = None) -> list[str]:
        """Those of the guarded addresses whose container is not there."""
        owners = {ip: owner for ip, owner in guarded(table).items() if ip in addresses}
        owners = {ip: owner for ip, owner in owners.items() if own is None or not _same(owner, own)}
        if not owners:
            return []
        wanted = {"label": [f"{labels.INSTALLATION}={table.installation}"]}
        listed = await self._engine.read("/containers/json", {"all": 1, "filters": filters(**wanted)})
        there = {one.token for item in listed if (one := labels.read(item.get("Labels"))) is not None}
        return [ip for ip, owner in owners.items() if owner.token not in there]

    async def _take_down(self, table: Table, addresses: Sequence[str], fence: Fence) -> None:
        if addresses:
            await self._filter.change(fence, table, taken_down(table, addresses))

    async def _place(
        self, nic: Nic, table: Table, owner: Owner, held: Mapping[str, Mapping[str, Any]]
    ) -> tuple[Nic, Place | None]:
        if not nic.groups:
            return nic, None
        item = await self._networks.inspect(nic.network)
        if item.get("Driver") != "bridge":
            raise CapabilityError(
                f"security groups hold on networks that are bridges of this machine, not on {item.get('Driver')}"
            )
        bridge, end = bridge_of(item), held.get(item["Id"], {})
        had = (end.get("IPAMConfig") or {}).get("IPv4Address") or end.get("IPAddress") or ""
        address = nic.ip or had or _earlier(table, owner, bridge)
        address = address or await self._networks.pick_address(
            item, f"{owner.token}@{bridge}", guarded(table)
        )
        groups = tuple(sorted({key_of(KIND, group) for group in nic.groups}))
        return replace(nic, ip=address), Place(_plain(address), bridge, groups)


def bridge_of(item: Mapping[str, Any]) -> str:
    """The bridge of a network as the engine describes it."""
    options = item.get("Options") or {}
    return str(options.get("com.docker.network.bridge.name") or f"br-{item['Id'][:12]}")


def _plain(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError as error:
        raise PermanentError(f"security groups guard addresses of IPv4, not {address}") from error


def _same(one: Owner, other: Owner) -> bool:
    return one.token == other.token


def _lacks(table: Table, group: str) -> bool:
    return (
        any(chain_of(way, group) not in table.chains for way in WAYS) or members_of(group) not in table.sets
    )


# --- commands


def _chain(way: str, address: str) -> str:
    return f"v{way}_{address.replace('.', '_')}"


def guard(table: Table, place: Place, owner: Owner) -> list[str]:
    """Commands that make an address be guarded as `place` says."""
    name, address = table.name, place.address
    commands = []
    for way in WAYS:
        chain = _chain(way, address)
        rules = [*(f"jump {chain_of(way, group)}" for group in place.groups), "drop"]
        commands += seal(name, chain, ("guard", mark(owner), place.bridge), rules)
        if address not in table.maps.get(way, {}):
            commands.append(f"add element inet {name} {way} {{ {address} : goto {chain} }}")
    wanted = {members_of(group) for group in place.groups}
    commands += _left(table, address, wanted, place.bridge)
    element = f'"{place.bridge}" . {address} comment "{owner.uid}:{owner.incarnation}"'
    there = f"{place.bridge} {address}"
    return commands + [
        f"add element inet {name} {one} {{ {element} }}"
        for one in sorted(wanted)
        if there not in table.sets.get(one, {})
    ]


def _left(table: Table, address: str, kept: Iterable[str] = (), bridge: str = "") -> list[str]:
    """Commands that take an address out of the groups that it is in no more."""
    found = []
    for name, elements in table.sets.items():
        for element in elements if name.startswith("members_") else ():
            device, _, ip = element.partition(" ")
            if ip == address and (name not in kept or device != bridge):
                found.append(f'delete element inet {table.name} {name} {{ "{device}" . {ip} }}')
    return found


def taken_down(table: Table, addresses: Iterable[str]) -> list[str]:
    """Commands that take guards down."""
    commands = []
    for address in dict.fromkeys(addresses):
        commands += _left(table, address)
        for way in WAYS:
            if address in table.maps.get(way, {}):
                commands.append(f"delete element inet {table.name} {way} {{ {address} }}")
            commands += gone(table, _chain(way, address))
    return commands


# --- what is there


def guarded(table: Table) -> dict[str, Owner]:
    """The guarded addresses, and whose they are."""
    found = {}
    for chain in table.chains:
        for way in WAYS:
            if chain.startswith(f"v{way}_"):
                sealed = table.sealed(chain)
                owner = table.owner(sealed.head[1:]) if sealed is not None else None
                if owner is not None:
                    found[chain.removeprefix(f"v{way}_").replace("_", ".")] = owner
    return found


def _earlier(table: Table, owner: Owner, bridge: str) -> str:
    """The address that was guarded for this machine on this bridge before."""
    for address, other in guarded(table).items():
        sealed = table.sealed(_chain(WAYS[0], address))
        if _same(other, owner) and sealed is not None and sealed.head[-1] == bridge:
            return address
    return ""


def groups_at(table: Table, address: str) -> tuple[str, ...]:
    """The groups (provider ids) that guard an address; one called broken where the guard is not as it should be."""
    chains = [_chain(way, address) for way in WAYS]
    sides = [table.sealed(chain) for chain in chains]
    if all(side is None for side in sides) and not any(address in table.maps.get(way, {}) for way in WAYS):
        return ()
    keys = [
        [line.target.partition("_")[2] for line in table.chains.get(chain, ()) if line.target]
        for chain in chains
    ]
    bridge = next((side.head[-1] for side in sides if side is not None and side.head), "")
    intact = (
        table.standing
        and all(side is not None and side.intact for side in sides)
        and keys[0] == keys[1]
        and all(table.maps[way].get(address, ("", ""))[0] == _chain(way, address) for way in WAYS)
        and all(f"{bridge} {address}" in table.sets.get(members_of(group), {}) for group in keys[0])
    )
    return tuple(id_of(KIND, group) for group in keys[0]) if intact and keys[0] else (BROKEN,)


def with_guards(seen: Seen, table: Table) -> Seen:
    """A machine with the groups that guard it at its fixed addresses; anything else as it is."""
    places = seen.properties.get("networks", ())
    networks = tuple(
        {**nic, "groups": list(found)} if (found := groups_at(table, nic.get("ip", ""))) else nic
        for nic in places
    )
    return replace(seen, properties={**seen.properties, "networks": networks}) if networks != places else seen
