"""Flavors of projects beside a store in memory: the fake that ships."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from terrace.model.catalogue import Flavor, Offer
from terrace.ports.quota import Said
from terrace.stores.heads import flavor_gone
from terrace.stores.in_memory.tables import Tables
from terrace.stores.memory import MemoryStore


class MemoryFlavors:
    """Implements ports.Flavors in the tables of `store`, whose stacks use them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def offer(self, project: str) -> Offer:
        return await self._store.offer(project)

    async def set(self, project: str, name: str, flavor: Flavor) -> Said:
        def change(before: Offer) -> Offer:
            return msgspec.structs.replace(before, own={**before.own, name: flavor})

        return self._say(project, name, change)

    async def remove(self, project: str, name: str, *, force: bool = False) -> Said:
        users = [] if force else self._users(self._store._tables, project, name)
        return self._say(project, name, lambda before: flavor_gone(before, name, users))

    async def allow(self, project: str, names: tuple[str, ...] | None) -> Said:
        return self._say(project, "", lambda before: msgspec.structs.replace(before, allowed=names))

    def _say(self, project: str, name: str, change: Callable[[Offer], Offer]) -> Said:
        with self._store._writing("say_flavors", synced=True) as tables:
            before = tables.offers.get(project, Offer())
            after = msgspec.structs.replace(change(before), version=before.version + 1)
            tables.put(tables.offers, project, after)
            for stack in [one for one in tables.stacks.values() if one.project == project]:
                tables.put(tables.stacks, stack.id, msgspec.structs.replace(stack, retries=stack.retries + 1))
                tables.ring(stack.id)
            return Said(after, tuple(self._users(tables, project, name)) if name else ())

    def _users(self, tables: Tables, project: str, name: str) -> list[str]:
        found = set()
        for stack in tables.stacks.values():
            saved = tables.generations[stack.id]
            wanted = [saved[number] for number in (stack.generation, stack.settled) if number in saved]
            read = self._store._encoding.read_generation
            if stack.project == project and any(
                name in read(one.light, None, 0.0, "").flavors for one in wanted
            ):
                found.add(stack.name)
        return sorted(found)
