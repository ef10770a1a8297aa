"""Routers: sets of bridges between which traffic passes, and from which it leaves only by a gateway."""

from __future__ import annotations

from typing import Any

from terrace.drivers.docker.firewall.filter import Filter
from terrace.drivers.docker.firewall.guards import bridge_of
from terrace.drivers.docker.firewall.table import (
    MARK,
    Table,
    gone,
    id_of,
    key,
    key_of,
    mark,
    packed,
    provider_id,
    seal,
)
from terrace.drivers.docker.networks import Networks
from terrace.drivers.docker.wire.client import Engine
from terrace.errors import CapabilityError, TransientError
from terrace.model.seen import Owner, Seen
from terrace.model.spec.router import RouterGatewaySpec, RouterInterfaceSpec, RouterSpec
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

KIND = "router"
_SHUTS_ITSELF = 28  # the release from which an engine drops what comes to a container by another network


class Routers:
    """Steps for Router, RouterInterface and RouterGateway."""

    def __init__(self, engine: Engine, packets: Filter, networks: Networks) -> None:
        self._engine = engine
        self._filter = packets
        self._networks = networks

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step of any of the three kinds; what was seen afterwards."""
        async with self._filter.turn(step.owner.installation) as table:
            commands = _taken_back(table, step)
            if step.verb is not Verb.DELETE:
                commands += await self._written(table, step)
            if commands:
                await self._filter.change(fence, table, commands)
            if step.verb is Verb.DELETE:
                return Receipt.done(None)
            await self._filter.let_pass(fence, table)
        table = await self._filter.listed(step.owner.installation)
        for seen in shown(table, passes=True):
            if seen.kind == step.kind and seen.owner is not None and seen.owner.token == step.owner.token:
                return Receipt.done(seen)
        raise TransientError("the packet filter was changed by others a moment ago")

    async def _written(self, table: Table, step: Step) -> list[str]:
        spec: Any = step.spec
        match step.kind:
            case "Router":
                return router(table, spec, step.owner)
            case "RouterInterface":
                await self._check_release()
                item = await self._networks.inspect(spec.network.rpartition("@")[2])
                return interface(table, spec, step.owner, bridge_of(item), item["Id"])
            case _:
                return gateway(table, spec, step.owner)

    async def _check_release(self) -> None:
        await self._engine.version()
        if self._engine.release >= _SHUTS_ITSELF:
            raise CapabilityError(
                f"an engine of release {self._engine.release} drops what passes between its networks",
                hint="put the machines on both networks, or use an engine before release 28",
            )


# --- commands


def router(table: Table, spec: RouterSpec, owner: Owner) -> list[str]:
    """Commands that make a router be as `spec` says; its interfaces and gateways stay."""
    own, name = key(owner), table.name
    comment = f'comment "router:{owner.uid}:{owner.incarnation}"'
    ends = ["accept"] if spec.gateway else []
    return [
        f"add set inet {name} ports_{own} {{ type ifname; }}",
        f"add chain inet {name} ways_{own}",
        *seal(
            name,
            f"out_{own}",
            ("router", mark(owner)),
            [f"jump ways_{own}", *ends, "drop"],
            [spec.name, spec.gateway],
        ),
        f"add rule inet {name} pass iifname @ports_{own} oifname @ports_{own} "
        f"meta mark set meta mark or {MARK:#x} accept {comment}",
        f"add rule inet {name} block iifname @ports_{own} jump out_{own} {comment}",
    ]


def interface(table: Table, spec: RouterInterfaceSpec, owner: Owner, bridge: str, network: str) -> list[str]:
    """Commands that put a router on the bridge of a network."""
    ports = f"ports_{_router(table, spec.router)}"
    comment = f"interface:{mark(owner)}:{network[:12]}"
    held = table.sets[ports].get(bridge, "").split(":")[:3]
    if held[1:] and held[1:] != [owner.uid, str(owner.incarnation)]:
        raise TransientError("the router is on that network already", code="in-use")
    taken = [] if held == [""] else [f'delete element inet {table.name} {ports} {{ "{bridge}" }}']
    return [*taken, f'add element inet {table.name} {ports} {{ "{bridge}" comment "{comment}" }}']


def gateway(table: Table, spec: RouterGatewaySpec, owner: Owner) -> list[str]:
    """Commands that give a router a way out."""
    ways = f"ways_{_router(table, spec.router)}"
    return [
        f'add rule inet {table.name} {ways} accept comment "gateway:{mark(owner)}:{packed(spec.network, 40)}"'
    ]


def _router(table: Table, provider: str) -> str:
    own = key_of(KIND, provider)
    if f"ports_{own}" not in table.sets or f"ways_{own}" not in table.chains:
        raise TransientError(f"router {provider} is not there", code="missing")
    return own


def _taken_back(table: Table, step: Step) -> list[str]:
    """Commands that remove what the owner of a step has; of a router that stays, only the rules that are written
    anew."""
    owner = step.owner
    words = {"Router": "router", "RouterInterface": "interface", "RouterGateway": "gateway"}
    wanted = [words[step.kind], owner.uid, str(owner.incarnation)]
    commands = [
        f"delete rule inet {table.name} {chain} handle {line.handle}"
        for chain, lines in table.chains.items()
        for line in lines
        if not chain.startswith("out_") and line.comment.split(":")[:3] == wanted
    ]
    if step.verb is not Verb.DELETE:
        return commands
    commands += [
        f'delete element inet {table.name} {name} {{ "{element}" }}'
        for name, elements in table.sets.items()
        for element, comment in elements.items()
        if comment.split(":")[:3] == wanted
    ]
    if step.kind == "Router":
        own = key(owner)
        commands += gone(table, f"out_{own}", f"ways_{own}")
        commands += [f"delete set inet {table.name} ports_{own}"] if f"ports_{own}" in table.sets else []
    return commands


# --- what is there


def shown(table: Table, passes: bool) -> list[Seen]:
    """The routers of a table, what they are on, and their ways out. `passes`: whether the engine lets pass what is let
    pass here."""
    found: list[Seen | None] = []
    for chain, lines in table.chains.items():
        if chain.startswith("out_"):
            found.append(_router_seen(table, chain.removeprefix("out_"), passes))
        elif chain.startswith("ways_"):
            found += [_gateway_seen(table, one.comment.split(":")) for one in lines]
    for name, elements in table.sets.items():
        if name.startswith("ports_"):
            found += [_interface_seen(table, comment.split(":")) for comment in elements.values()]
    return [seen for seen in found if seen is not None]


def _router_seen(table: Table, own: str, passes: bool) -> Seen | None:
    sealed = table.sealed(f"out_{own}")
    owner = (
        table.owner(sealed.head[1:])
        if sealed is not None and len(sealed.head) == 4 and len(sealed.notes) == 2
        else None
    )
    if sealed is None or owner is None:
        return None
    comment = f"router:{owner.uid}:{owner.incarnation}"
    intact = (
        passes
        and table.standing
        and sealed.intact
        and f"ports_{own}" in table.sets
        and f"ways_{own}" in table.chains
        and all(
            [line.comment for line in table.chains.get(one, ())].count(comment) == 1
            for one in ("pass", "block")
        )
    )
    (name, outside), me = sealed.notes, id_of(KIND, own)
    return Seen(
        "Router",
        me,
        owner,
        attributes={"name": name, "id": me, "gateway": outside},
        properties={"intact": intact},
        name=name,
    )


def _interface_seen(table: Table, parts: list[str]) -> Seen | None:
    owner = table.owner(parts[1:]) if parts[0] == "interface" else None
    if owner is None:
        return None
    me = provider_id("interface", owner)
    return Seen(
        "RouterInterface", me, owner, attributes={"id": me, "network_id": parts[-1]}, name="an interface"
    )


def _gateway_seen(table: Table, parts: list[str]) -> Seen | None:
    owner = table.owner(parts[1:]) if parts[0] == "gateway" else None
    if owner is None:
        return None
    me = provider_id("gateway", owner)
    return Seen("RouterGateway", me, owner, attributes={"id": me}, name="a gateway")
