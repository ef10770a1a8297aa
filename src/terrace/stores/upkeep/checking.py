"""Whether a database is whole, and its key the right one."""

from __future__ import annotations

from collections.abc import Awaitable

from terrace.errors import TerraceError
from terrace.ports.store import Store
from terrace.stores.migrating import check_version, steps
from terrace.stores.queries import columns
from terrace.stores.relational.database import Writer
from terrace.stores.upkeep.backup import opened_copy
from terrace.stores.upkeep.ground import Ground, Keys

_WITHOUT = """
SELECT s.id, s.generation FROM stacks s
WHERE NOT EXISTS (SELECT 1 FROM generations g WHERE g.stack = s.id AND g.number = s.generation) ORDER BY s.id
"""
_AHEAD = """
SELECT (SELECT value FROM counters WHERE name = 'events'), COALESCE((SELECT MAX(number) FROM events), 0)
"""


class Report:
    """What was found: `lines` for people; `faults` are what is wrong."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.faults: list[str] = []


async def check(ground: Ground, keys: Keys) -> Report:
    """Looks everything over, beside servers too. NotFoundError, TransientError: it cannot be read. ConflictError: it is
    of a newer Terrace, or its key is another."""
    report = Report()
    present, newest = await ground.schema(), steps()[-1].number
    report.lines.append(f"database      {ground.place}")
    if not present:
        report.lines.append("schema        none: nothing was ever kept here")
        return report
    async with ground.beside() as database:
        rows = await database.rows("SELECT value FROM identity WHERE key = 'compatible_from'")
        check_version(ground.place, present, steps(), rows[0][0] if rows else "")
        state = "up to date" if present == newest else f"this Terrace knows {newest:04d}"
        report.lines.append(f"schema        {present:04d}, {state}")
        report.faults += await ground.damage()
        if present < newest:
            report.faults.append(f"schema {present:04d} is older than this Terrace: terrace db migrate")
            return report
    async with opened_copy(ground, keys) as store:
        report.lines += await store.database.read(_counts)
        report.faults += await store.database.read(_logic)
        report.faults += await _unreadable(store)
    return report


def _counts(reader: Writer) -> list[str]:
    lines = []
    for table in columns():
        rows = reader.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        if rows:
            lines.append(f"{table:<14}{rows}")
    return lines


def _logic(reader: Writer) -> list[str]:
    faults = [
        f"stack {stack} has no generation {number}, which is its newest"
        for stack, number in reader.execute(_WITHOUT).fetchall()
    ]
    said, told = reader.execute(_AHEAD).fetchone()
    if said < told:
        faults.append(f"the next event would get a number that is taken ({said} is counted, {told} told)")
    return faults


async def _unreadable(store: Store) -> list[str]:
    """Everything that is encoded is decoded, and so every secret unsealed; what cannot be is told by its stack."""
    faults = []
    for stack in await store.stacks():
        asked: dict[str, Awaitable[object]] = {
            "newest generation": store.generation(stack.id, stack.generation),
            "generations": store.generations(stack.id),
            "records": store.records(stack.id),
            "directives": store.directives(stack.id),
            "exports": store.exports(stack.id),
            "uses": store.uses(stack.id),
            "events": store.events(stack=stack.id),
        }
        for what, asking in asked.items():
            try:
                await asking
            except (TerraceError, ValueError, TypeError) as error:
                faults.append(f"{what} of {stack.project}/{stack.name} cannot be read: {error}")
    return faults
