"""Floating addresses: each leads to one fixed address of a machine, by translation in the kernel."""

from __future__ import annotations

import ipaddress
from typing import Any

from terrace.drivers.docker.firewall.filter import Filter
from terrace.drivers.docker.firewall.guards import bridge_of
from terrace.drivers.docker.firewall.table import Table, key_of, mark, packed, provider_id, unpacked
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import CapabilityError, PermanentError, TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.router import FloatingIPSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

KIND = "floating"
_MOST = 60  # of a text in a comment


class Floating:
    """Steps for FloatingIP and FloatingIPAssociation. `pool` is the range of addresses to give, "" for none."""

    def __init__(self, engine: Engine, packets: Filter, observer: Observer, pool: str) -> None:
        self._engine = engine
        self._filter = packets
        self._observer = observer
        self._pool = pool

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step of either kind; what was seen afterwards."""
        if not self._pool:
            raise CapabilityError(
                "this provider has no floating_pool", hint="name a range of addresses in its settings"
            )
        target = await self._target(step.spec) if step.verb is not Verb.DELETE else ""
        async with self._filter.turn(step.owner.installation) as table:
            commands = self._commands(table, step, target)
            if commands:
                await self._filter.change(fence, table, commands)
            if step.verb is Verb.DELETE:
                return Receipt.done(None)
            await self._filter.let_pass(fence, table)
            if target:
                await self._open_loopback(target, fence)
        for seen in shown(await self._filter.listed(step.owner.installation)):
            if seen.kind == step.kind and seen.owner is not None and seen.owner.token == step.owner.token:
                return Receipt.done(seen)
        raise TransientError("the packet filter was changed by others a moment ago")

    def _commands(self, table: Table, step: Step, target: str) -> list[str]:
        owner = step.owner
        if step.kind == "FloatingIPAssociation":
            if step.verb is Verb.DELETE:
                return _led_no_more(table, owner)
            return _led(table, owner, _address_of(table, step.spec.floating_ip), target, _end(step.spec))
        held = _held(table, owner)
        if step.verb is Verb.DELETE:
            drop = [f"delete element inet {table.name} floats {{ {held} }}"] if held else []
            return [*_led_no_more(table, owner), *drop]
        taken = [f"delete element inet {table.name} floats {{ {held} }}"] if held else []
        held = held or self._chosen(table, step.spec)
        comment = f"floating:{mark(owner)}:{'leads' if target else 'free'}:{packed(step.spec.pool, _MOST)}"
        return [
            *taken,
            f'add element inet {table.name} floats {{ {held} comment "{comment}" }}',
            *(_led(table, owner, held, target, _end(step.spec)) if target else _led_no_more(table, owner)),
        ]

    def _chosen(self, table: Table, spec: FloatingIPSpec) -> str:
        """A free address of the pool, or the one that is asked for."""
        pool = ipaddress.IPv4Network(self._pool)
        taken = table.sets.get("floats", {})
        if not spec.ip:
            free = next((str(one) for one in pool.hosts() if str(one) not in taken), "")
            if not free:
                raise TransientError(f"every address of {pool} is taken", code="addresses-used-up")
            return free
        if ipaddress.ip_address(spec.ip) not in pool:
            raise PermanentError(f"{spec.ip} is not of this provider's floating_pool {pool}")
        if spec.ip in taken:
            raise TransientError(f"the floating address {spec.ip} is taken", code="in-use")
        return spec.ip

    async def _target(self, spec: Any) -> str:
        """The machine's own address that something shall lead to, "" for none."""
        address = spec.target or spec.port.rpartition("@")[2]
        machine = getattr(spec, "machine", "")
        if not address and machine:
            try:
                seen = await self._observer.machine(machine)
            except Refusal as refusal:
                raise TransientError(f"machine {machine[:12]} is not there", code="missing") from refusal
            address = str(seen.attributes["first_address"])
        if not address and (machine or spec.port):
            raise TransientError("the machine has no address yet", code="missing")
        try:
            return str(ipaddress.IPv4Address(address)) if address else ""
        except ValueError as error:
            raise PermanentError(
                f"a floating address leads to an address of IPv4, not to {address[:60]}"
            ) from error

    async def _open_loopback(self, target: str, fence: Fence) -> None:
        """What this machine sends from a loopback address to a bridge needs the kernel's leave. Our table drops what
        could come in by it."""
        if not ipaddress.IPv4Network(self._pool).is_loopback:
            return
        for item in await self._engine.read("/networks"):
            ranges = [one.get("Subnet") for one in (item.get("IPAM") or {}).get("Config") or []]
            if any(one and ipaddress.ip_address(target) in ipaddress.ip_network(one) for one in ranges):
                fence.check(self._engine.timeout)
                await self._filter.inside.set(f"net/ipv4/conf/{bridge_of(item)}/route_localnet", "1")


def _end(spec: Any) -> str:
    return str(spec.port or getattr(spec, "machine", ""))


def _ours(comment: str, owner: Owner) -> bool:
    return comment.split(":")[1:3] == [owner.uid, str(owner.incarnation)]


def _held(table: Table, owner: Owner) -> str:
    """The floating address of an owner."""
    return next((ip for ip, comment in table.sets.get("floats", {}).items() if _ours(comment, owner)), "")


def _address_of(table: Table, provider: str) -> str:
    """The address of a FloatingIP. TransientError when it is not there."""
    uid, _, number = key_of(KIND, provider).rpartition("_")
    for ip, comment in table.sets.get("floats", {}).items():
        if comment.split(":")[1:3] == [uid, number]:
            return ip
    raise TransientError(f"floating address {provider} is not there", code="missing")


def _led(table: Table, owner: Owner, address: str, target: str, end: str) -> list[str]:
    """Commands that make a floating address lead to a target."""
    held = table.maps.get("floating", {}).get(address)
    if held is not None and not _ours(held[1], owner):
        raise TransientError(f"the floating address {address} leads to another machine", code="in-use")
    comment = f"lead:{mark(owner)}:{packed(end, _MOST)}"
    return [
        *_led_no_more(table, owner),
        f'add element inet {table.name} floating {{ {address} comment "{comment}" : {target} }}',
    ]


def _led_no_more(table: Table, owner: Owner) -> list[str]:
    return [
        f"delete element inet {table.name} floating {{ {address} }}"
        for address, (_, comment) in table.maps.get("floating", {}).items()
        if _ours(comment, owner)
    ]


# --- what is there


def shown(table: Table) -> list[Seen]:
    """The floating addresses of a table, and what leads them to machines."""
    leads = table.maps.get("floating", {})
    found = [
        _floating(table, address, comment.split(":"), leads.get(address, ("", "")))
        for address, comment in table.sets.get("floats", {}).items()
    ]
    own = {seen.owner for seen in found if seen is not None}
    found += [
        _association(table, address, target, comment.split(":")[1:])
        for address, (target, comment) in leads.items()
        if table.owner(comment.split(":")[1:]) not in own
    ]
    return [seen for seen in found if seen is not None]


def _floating(table: Table, address: str, parts: list[str], lead: tuple[str, str]) -> Seen | None:
    owner = table.owner(parts[1:])
    if owner is None:
        return None
    leads = _ours(lead[1], owner)
    target, end = (lead[0], unpacked(lead[1].split(":")[-1])) if leads else ("", "")
    me = provider_id(KIND, owner)
    attributes = {"id": me, "ip": address, "pool": unpacked(parts[-1]), "target": target, "port": end}
    intact = table.standing and leads == ("leads" in parts)
    return Seen("FloatingIP", me, owner, attributes=attributes, properties={"intact": intact}, name=address)


def _association(table: Table, address: str, target: str, parts: list[str]) -> Seen | None:
    owner = table.owner(parts)
    if owner is None:
        return None
    me, shows = provider_id("association", owner), {"intact": table.standing}
    name = f"{address} to {target}"
    return Seen("FloatingIPAssociation", me, owner, attributes={"id": me}, properties=shows, name=name)
