"""Quotas in tables: ports.quota over any database, and what is reserved inside a transaction. All that reserves does
so one after the other (facts.hold), for all servers."""

from __future__ import annotations

from terrace.model.spec.quota import Amounts, Shortage, larger, shortages
from terrace.model.stack import Generation, Stack
from terrace.stores.heads import reserved
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer


class RelationalQuotas:
    """Implements ports.Quotas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def limits(self, project: str) -> Amounts:
        return dict(await self._database.rows(SQL["quotas.limits"], (project,)))

    async def limit(self, project: str, limits: dict[str, int | None]) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL["facts.hold"]).fetchall()
            for resource, most in limits.items():
                if most is None:
                    writer.execute(SQL["quotas.unlimit"], (project, resource))
                else:
                    writer.execute(SQL["quotas.limit"], (project, resource, most))

        await self._database.write(work, synced=True)

    async def usage(self, project: str) -> Amounts:
        return await self._database.read(lambda reader: _used(reader, project))

    async def held(self, project: str) -> dict[str, Amounts]:
        found: dict[str, Amounts] = {}
        for stack, resource, amount in await self._database.rows(SQL["quotas.of_project"], (project,)):
            found.setdefault(stack, {})[resource] = amount
        return found

    async def correct(self, stack: str, amounts: Amounts, generation: int) -> bool:
        def work(writer: Writer) -> bool:
            writer.execute(SQL["facts.hold"]).fetchall()
            row = writer.execute(SQL["stacks.hold_by_id"], (stack,)).fetchone()
            if row is None or row[3] != generation:
                return False
            settle(writer, stack, amounts)
            return True

        return await self._database.write(work, synced=True)

    async def projects(self) -> list[str]:
        return [project for (project,) in await self._database.rows(SQL["quotas.projects"])]


def reserve(writer: Writer, row: Stack, generation: Generation, *, fresh: bool) -> None:
    """Has a stack hold what its new generation takes; see stores.heads.reserved."""
    limits: Amounts = dict(writer.execute(SQL["quotas.limits"], (row.project,)).fetchall())
    if generation.usage is None and not limits and not generation.deleting:
        return  # nothing is counted where nothing is limited
    before = _held(writer, row.id)
    used = _used(writer, row.project) if limits else {}
    after = reserved(row, generation, limits, (before, used), fresh=fresh)
    if after is not None:
        _hold(writer, row.id, before, after)


def ask(writer: Writer, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
    """Has a stack hold more, if its project has it; else what is short."""
    writer.execute(SQL["facts.hold"]).fetchall()
    row = writer.execute(SQL["stacks.hold_by_id"], (stack,)).fetchone()
    if row is None:
        return ()
    limits: Amounts = dict(writer.execute(SQL["quotas.limits"], (row[1],)).fetchall())
    before = _held(writer, stack)
    after = larger(before, wanted)
    short = shortages(limits, _used(writer, row[1]), before, after)
    if not short:
        _hold(writer, stack, before, after)
    return short


def granted(reader: Writer, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
    """The limits of a project and what one of its stacks holds; None where nothing is limited."""
    limits: Amounts = dict(reader.execute(SQL["quotas.limits"], (project,)).fetchall())
    return (limits, _held(reader, stack)) if limits else None


def settle(writer: Writer, stack: str, amounts: Amounts) -> None:
    """Has a stack hold just this."""
    writer.execute(SQL["quotas.clear"], (stack,))
    _hold(writer, stack, {}, amounts)


def _used(reader: Writer, project: str) -> Amounts:
    used: Amounts = dict(reader.execute(SQL["quotas.used"], (project,)).fetchall())
    used["stacks"] = reader.execute(SQL["quotas.stacks"], (project,)).fetchone()[0]
    return used


def _held(reader: Writer, stack: str) -> Amounts:
    return dict(reader.execute(SQL["quotas.of_stack"], (stack,)).fetchall())


def _hold(writer: Writer, stack: str, before: Amounts, after: Amounts) -> None:
    rows = [(stack, name, amount) for name, amount in after.items() if amount != before.get(name, 0)]
    if rows:
        writer.executemany(SQL["quotas.hold"], rows)
