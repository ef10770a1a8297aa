"""Secrets of projects beside a store in memory: the fake that ships."""

from __future__ import annotations

import msgspec

from terrace.model.value import VAULT, Secret
from terrace.ports.vault import Kept, Stored, Version
from terrace.stores.in_memory.tables import KeptSecret, Tables
from terrace.stores.memory import MemoryStore
from terrace.stores.vault import in_use, unknown


class MemoryVault:
    """Implements ports.Vault in the tables of `store`, whose stacks read it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def put(self, project: str, name: str, value: str, who: str) -> Stored:
        store = self._store
        body = store._encoding.value(Secret(value))
        with store._writing("put_secret", synced=True) as tables:
            kept = tables.secrets.get((project, name))
            before = kept.versions if kept else ()
            version = Version(before[0].number + 1 if before else 1, who, store._clock.now())
            tables.put(tables.secrets, (project, name), KeptSecret(body, (version, *before)))
            return Stored(version.number, _rouse(tables, project, name))

    async def listing(
        self, project: str, *, name: str = "", after: str = "", limit: int = 1000
    ) -> list[Kept]:
        tables = self._store._tables
        found = [one for one in await self.names(project) if one > after and one.startswith(name)]
        return [
            Kept(one, tables.secrets[project, one].versions, tuple(_users(tables, project, one)))
            for one in found[:limit]
        ]

    async def names(self, project: str) -> list[str]:
        return sorted(name for owner, name in self._store._tables.secrets if owner == project)

    async def remove(self, project: str, name: str, *, force: bool = False) -> Stored:
        with self._store._writing("remove_secret", synced=True) as tables:
            kept = tables.secrets.get((project, name))
            if kept is None:
                raise unknown(name)
            users = _users(tables, project, name)
            if users and not force:
                raise in_use(name, users)
            tables.put(tables.secrets, (project, name), None)
            return Stored(kept.versions[0].number, _rouse(tables, project, name))

    async def value(self, project: str, name: str) -> Secret | None:
        kept = self._store._tables.secrets.get((project, name))
        return None if kept is None else self._store._encoding.read_value(kept.body)


def _readers(tables: Tables, project: str, name: str) -> list[str]:
    """The ids of the stacks that read a secret."""
    wanted = (project, VAULT, name)
    return sorted(
        stack
        for stack, rows in tables.uses.items()
        if any((used.project, used.stack, used.output) == wanted for _, used in rows)
    )


def _users(tables: Tables, project: str, name: str) -> list[str]:
    return sorted(tables.stacks[stack].name for stack in _readers(tables, project, name))


def _rouse(tables: Tables, project: str, name: str) -> tuple[str, ...]:
    found = tuple(_readers(tables, project, name))
    for stack in found:
        row = tables.stacks[stack]
        tables.put(tables.stacks, stack, msgspec.structs.replace(row, retries=row.retries + 1))
    return found
