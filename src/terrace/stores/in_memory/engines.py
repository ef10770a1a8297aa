"""Engines that share a store in memory; see ports.engines for what each method does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from terrace.model.seen import Ghost, Seen
from terrace.model.stack import Lease
from terrace.ports.clock import Clock
from terrace.ports.engines import Beat, Member, News, Published
from terrace.stores.in_memory.tables import Tables

STACK = "stack:"


class _Members:
    _clock: Clock
    _tables: Tables

    async def join(self, member: Member, duration: float) -> None:
        self._let_go(member.id)
        now = self._clock.now()
        entered = replace(member, started=now, beat=now, expires=now + duration, draining=False, holds=0)
        self._tables.members[member.id] = entered

    async def beat(self, member: str, duration: float, holds: int) -> Beat | None:
        now, members = self._clock.now(), self._tables.members
        if member not in members:
            return None
        members[member] = replace(members[member], beat=now, expires=now + duration, holds=holds)
        for dead in [one.id for one in members.values() if one.expires <= now]:
            del members[dead]
        stacks, free = self._tables.stacks, len(self._free())
        return Beat(now, tuple(await self.members()), len(stacks), free)

    async def leave(self, member: str) -> None:
        self._let_go(member)
        self._tables.members.pop(member, None)

    async def members(self) -> list[Member]:
        alive = [one for one in self._tables.members.values() if one.expires > self._clock.now()]
        return sorted(alive, key=lambda one: (one.name, one.id))

    async def drain(self, member: str, on: bool) -> bool:
        known = self._tables.members.get(member)
        if known is not None:
            self._tables.members[member] = replace(known, draining=on)
        return known is not None

    def _let_go(self, member: str) -> None:
        for lease in [lease for lease in self._tables.leases.values() if lease.holder == member]:
            self._tables.leases[lease.scope] = replace(lease, holder="")

    def _free(self) -> list[str]:
        leases, members = self._tables.leases, self._tables.members
        return [
            stack
            for stack in sorted(self._tables.stacks)
            if (lease := leases.get(f"{STACK}{stack}")) is None or lease.holder not in members
        ]


class _Holders(_Members):
    async def claim(self, member: str, most: int) -> list[Lease]:
        found = [await self.take(member, f"{STACK}{stack}") for stack in self._free()[:most]]
        return [lease for lease in found if lease is not None]

    async def take(self, member: str, scope: str) -> Lease | None:
        tables = self._tables
        held = tables.leases.get(scope)
        if member not in tables.members:
            return None
        if held is not None and held.holder in tables.members:
            return held if held.holder == member else None
        tables.leases[scope] = Lease(scope, member, held.epoch + 1 if held else 1, 0.0)
        return tables.leases[scope]

    async def give(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            held = self._tables.leases.get(lease.scope)
            if held and (held.holder, held.epoch) == (lease.holder, lease.epoch):
                self._tables.leases[lease.scope] = replace(held, holder="")

    async def whose(self, uid: str) -> str:
        records = self._tables.records.items()
        return next((stack for stack, rows in records if any(key[0] == uid for key in rows)), "")


class _Bells(_Holders):
    async def ring(self, stacks: Sequence[str]) -> None:
        for stack in stacks:
            self._tables.ring(stack)

    async def news(self, member: str) -> News:
        tables = self._tables
        woken = [
            (stack, mark)
            for stack, (mark, heeded) in tables.wakes.items()
            if mark > heeded and (lease := tables.leases.get(f"{STACK}{stack}")) and lease.holder == member
        ]
        return News(self._clock.now(), tables.last_event, tuple(woken), tuple(tables.listings.values()))

    async def heeded(self, marks: Sequence[tuple[str, int]]) -> None:
        for stack, mark in marks:
            rung, heeded = self._tables.wakes.get(stack, (0, mark))
            if heeded < mark:
                self._tables.wakes[stack] = (rung, mark)

    async def waiting(self, stack: str, mark: int = 0) -> int:
        rung, heeded = self._tables.wakes.get(stack, (0, 0))
        return rung if heeded < (mark or rung) else 0


class MemoryEngines(_Bells):
    """ports.engines.Engines over the tables of a MemoryStore. Like leases, none of it is taken back by a crash: a real
    store has each of these on disk before it is believed."""

    def __init__(self, tables: Callable[[], Tables], clock: Clock) -> None:
        self._ask = tables
        self._clock = clock

    @property
    def _tables(self) -> Tables:  # type: ignore[override]  # asked for anew: a test may put an older copy back
        return self._ask()

    async def publish(
        self,
        lease: Lease,
        listing: Published,
        changes: Sequence[tuple[str, Seen | None]],
        ghosts: Sequence[Ghost],
    ) -> bool:
        held, tables, name = self._tables.leases.get(lease.scope), self._tables, listing.provider
        if held is None or (held.holder, held.epoch) != (lease.holder, lease.epoch):
            return False
        known = tables.listings.get(name, Published(name))
        number = known.number + 1
        tables.listings[name] = replace(listing, number=number, asked=known.asked)
        tables.haunting[name] = list(ghosts)
        rows = tables.sightings.setdefault(name, {})
        for key, seen in changes:
            rows[key] = (number, seen)
        return True

    async def sightings(self, provider: str, after: int) -> tuple[Published, list[tuple[str, Seen | None]]]:
        rows = self._tables.sightings.get(provider, {})
        found = [(key, seen) for key, (number, seen) in sorted(rows.items()) if number > after]
        return self._tables.listings.get(provider, Published(provider)), found

    async def ask(self, provider: str) -> int:
        known = self._tables.listings.get(provider, Published(provider))
        self._tables.listings[provider] = replace(known, asked=known.asked + 1)
        return known.asked + 1

    async def ghosts(self, provider: str) -> list[Ghost]:
        return self._tables.haunting.get(provider, [])
