"""The packet filter as the driver sees it: steps by kind, and what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from terrace.drivers.docker.firewall import floating, groups, routers
from terrace.drivers.docker.firewall.filter import Filter
from terrace.drivers.docker.firewall.guards import Guards, guarded, with_guards
from terrace.drivers.docker.firewall.table import Table
from terrace.drivers.docker.networks import Networks
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.client import Engine
from terrace.errors import CapabilityError
from terrace.model.plan import Note, Verdict
from terrace.model.seen import Seen
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Fence

GROUPS: Final = frozenset({"SecurityGroup", "SecurityGroupRule"})
ROUTERS: Final = frozenset({"Router", "RouterInterface", "RouterGateway"})
FLOATING: Final = frozenset({"FloatingIP", "FloatingIPAssociation"})
KINDS: Final = GROUPS | ROUTERS | FLOATING
IN_PLACE: Final[dict[str, frozenset[str]]] = {
    "SecurityGroup": frozenset({"rules", "intact"}),
    "Router": frozenset({"gateway", "intact"}),
    "FloatingIP": frozenset({"target", "port", "intact"}),
    "FloatingIPAssociation": frozenset({"target", "port", "machine", "intact"}),
}
NO_POOL: Final = "the provider's settings name no floating_pool"


class Firewall:
    """Steps and sightings of what the packet filter does for one engine."""

    def __init__(
        self, engine: Engine, settings: DockerSettings, networks: Networks, observer: Observer
    ) -> None:
        self._filter = Filter(engine)
        self._pool = settings.floating_pool
        self.guards = Guards(engine, self._filter, networks)
        self._groups = groups.Groups(self._filter)
        self._routers = routers.Routers(engine, self._filter, networks)
        self._floating = floating.Floating(engine, self._filter, observer, self._pool)

    @property
    def kinds(self) -> frozenset[str]:
        """What it offers."""
        if self._filter.lacking:
            return frozenset()
        return GROUPS | ROUTERS | (FLOATING if self._pool else frozenset())

    def notes(self) -> dict[str, tuple[Note, ...]]:
        """What becomes of these kinds here."""
        refused = dict.fromkeys(_maps(""), self._filter.lacking) if self._filter.lacking else {}
        if not refused and not self._pool:
            refused = dict.fromkeys(FLOATING, NO_POOL)
        said = {kind: Note(Verdict.MAPS, "", words) for kind, words in _maps(self._pool).items()}
        said |= {kind: Note(Verdict.REFUSED, "", why) for kind, why in refused.items()}
        return {kind: (note,) for kind, note in said.items()}

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step of one of its kinds."""
        match step.kind:
            case "SecurityGroup":
                receipt = await self._groups.apply(step, fence, self.guards.abandoned)
            case "SecurityGroupRule":
                receipt = await self._groups.apply_rule(step, fence)
            case kind if kind in ROUTERS:
                receipt = await self._routers.apply(step, fence)
            case kind if kind in FLOATING:
                receipt = await self._floating.apply(step, fence)
            case other:
                raise CapabilityError(f"the packet filter has no {other}")
        if step.verb is Verb.DELETE:
            await self._tidy(step.owner.installation, fence)
        return receipt

    async def table(self, installation: str) -> Table:
        """What rules there are."""
        return await self._filter.listed(installation)

    async def shown(self, table: Table, items: Iterable[Seen]) -> list[Seen]:
        """`items`, machines with the groups that guard them by `table`, and everything else that is there."""
        if not table.there:
            return list(items)
        found = routers.shown(table, passes=True)
        if any(seen.kind == "Router" for seen in found):
            found = routers.shown(table, passes=await self._filter.passes(table))
        table = await self._as_believed(table)
        found += [*groups.shown(table), *floating.shown(table)]
        return [*(with_guards(seen, table) for seen in items), *found]

    async def machine(self, seen: Seen, installation: str) -> Seen:
        """One machine with the groups that guard it."""
        if not self._filter.used:
            return seen
        return with_guards(seen, await self._as_believed(await self._filter.listed(installation)))

    async def _as_believed(self, table: Table) -> Table:
        """The table, or one in which nothing stands when what passes between machines of one network does not come by
        it at all."""
        if not table.there or await self._filter.sees_bridges():
            return table
        return Table(table.installation, {**table.chains, "enter_forward": []}, table.sets, table.maps)

    async def _tidy(self, installation: str, fence: Fence) -> None:
        """Leaves nothing behind when the last thing went."""
        async with self._filter.turn(installation) as table:
            if not table.there:
                return
            leading = routers.shown(table, passes=True) or table.sets.get("floats")
            if not leading:
                await self._filter.let_pass_no_more(fence, table)
            if not leading and not groups.shown(table) and not guarded(table):
                await self._filter.drop(fence, table)

    def close(self) -> None:
        """Ends its thread."""
        self._filter.inside.close()


def _maps(pool: str) -> dict[str, str]:
    return {
        "SecurityGroup": "rules of nftables at the fixed addresses of its machines",
        "SecurityGroupRule": "a rule of nftables",
        "Router": "rules that let traffic pass between the bridges of its networks",
        "RouterInterface": "the bridge of the network in the router's set",
        "RouterGateway": "the engine's own way out",
        "FloatingIP": f"an address of {pool}, translated by nftables",
        "FloatingIPAssociation": "a translation by nftables",
    }
