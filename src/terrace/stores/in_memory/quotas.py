"""Quotas in a MemoryStore: ports.quota, and what is reserved with what is written."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from terrace.model.spec.quota import Amounts, Shortage, larger, shortages, total
from terrace.model.stack import Generation, Stack
from terrace.stores.heads import reserved
from terrace.stores.in_memory.tables import Tables


class Written(Protocol):
    """The part of a MemoryStore that is needed."""

    _tables: Tables

    def _writing(self, operation: str, *, synced: bool = False) -> AbstractContextManager[Tables]: ...


class MemoryQuotas:
    """Implements ports.Quotas in the tables of `store`."""

    def __init__(self, store: Written) -> None:
        self._store = store

    async def limits(self, project: str) -> Amounts:
        return limits_of(self._store._tables, project)

    async def limit(self, project: str, limits: dict[str, int | None]) -> None:
        with self._store._writing("limit", synced=True) as tables:
            for resource, most in limits.items():
                tables.put(tables.quotas, (project, resource), most)

    async def usage(self, project: str) -> Amounts:
        return used(self._store._tables, project)

    async def held(self, project: str) -> dict[str, Amounts]:
        tables = self._store._tables
        return {stack: dict(tables.usage[stack]) for stack in _of(tables, project) if stack in tables.usage}

    async def correct(self, stack: str, amounts: Amounts, generation: int) -> bool:
        with self._store._writing("correct", synced=True) as tables:
            row = tables.stacks.get(stack)
            if row is None or row.generation != generation:
                return False
            settle(tables, stack, amounts)
            return True

    async def projects(self) -> list[str]:
        tables = self._store._tables
        limited = {project for project, _ in tables.quotas}
        return sorted(limited | {row.project for row in tables.stacks.values()})


def reserve(tables: Tables, row: Stack, generation: Generation, *, fresh: bool) -> None:
    """Has a stack hold what its new generation takes; see stores.heads.reserved."""
    before, limits = tables.usage.get(row.id, {}), limits_of(tables, row.project)
    found = reserved(row, generation, limits, (before, used(tables, row.project)), fresh=fresh)
    if found is not None:
        settle(tables, row.id, found)


def ask(tables: Tables, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
    """Has a stack hold more, if its project has it; else what is short."""
    row = tables.stacks.get(stack)
    if row is None:
        return ()
    before = tables.usage.get(stack, {})
    after = larger(before, wanted)
    short = shortages(limits_of(tables, row.project), used(tables, row.project), before, after)
    if not short:
        settle(tables, stack, after)
    return short


def granted(tables: Tables, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
    """The limits of a project and what one of its stacks holds; None where nothing is limited."""
    limits = limits_of(tables, project)
    return (limits, dict(tables.usage.get(stack, {}))) if limits else None


def settle(tables: Tables, stack: str, amounts: Amounts) -> None:
    """Has a stack hold just this."""
    tables.put(tables.usage, stack, {name: amount for name, amount in amounts.items() if amount} or None)


def limits_of(tables: Tables, project: str) -> Amounts:
    """What is limited in a project."""
    return {name: most for (owner, name), most in sorted(tables.quotas.items()) if owner == project}


def used(tables: Tables, project: str) -> Amounts:
    """What all stacks of a project hold."""
    stacks = _of(tables, project)
    return {**total(tables.usage.get(stack, {}) for stack in stacks), "stacks": len(stacks)}


def _of(tables: Tables, project: str) -> list[str]:
    return [row.id for row in tables.stacks.values() if row.project == project]
