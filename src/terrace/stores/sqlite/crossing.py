"""What stacks read of each other, in a SqliteStore: the questions, and what is written inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from terrace.model.graph import Crossing, Found, Name, Use
from terrace.model.stack import Generation, Stack
from terrace.ports.store import Commit
from terrace.stores.crossings import check_circle, check_ending, circle, declared, outdated
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.sqlite.connection import Database

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""Runs a query with values, and gives its rows."""


class Crossings:
    """The questions of ports.store.Crossings, which says what each gives."""

    _database: Database
    _encoding: Encoding

    async def uses(self, stack: str) -> list[Use]:
        return _uses(self._database.rows(SQL["uses.of_stack"], (stack,)), self._encoding)

    async def exports(self, stack: str) -> dict[str, Any]:
        rows = self._database.rows(SQL["exports.of_stack"], (stack,))
        return {name: self._encoding.read_value(body) for name, body in rows}

    async def imports(self, stack: str, names: Sequence[Name]) -> list[Found]:
        rows = self._database.rows(SQL["stacks.by_id"], (stack,))
        start = (rows[0][1], rows[0][2]) if rows else ("", "")
        crossings = [_crossing(row) for row in self._database.rows(SQL["uses.all"])]
        found = []
        for name in names:
            chain = circle(start, [name], crossings)
            why = f"it leads back here: {' -> '.join(chain)}"
            found.append(Found(name, why=why) if chain else self._find(name))
        return found

    async def readers(self, project: str, name: str) -> list[str]:
        return [stack for (stack,) in self._database.rows(SQL["uses.readers"], (project, name))]

    async def hinder(self, stack: Stack, generation: Generation, *, force: bool = False) -> None:
        check(self._database.rows, stack, generation, force=force)

    def _find(self, name: Name) -> Found:
        if not name.output:
            rows = self._database.rows(SQL["exports.of_name"], (name.project, name.stack))
            return Found(name, ({key: self._encoding.read_value(body) for key, body in rows},))
        rows = self._database.rows(SQL["exports.one"], (name.project, name.stack, name.output))
        return Found(name, (self._encoding.read_value(rows[0][0]),)) if rows else Found(name, why="not there")


def check(ask: Ask, row: Stack, generation: Generation, *, force: bool) -> None:
    """ConflictError when a generation that people ask for would end what is in use, or close a circle."""
    uses = declared(row, generation)
    if uses:
        check_circle(row, uses, [_crossing(one) for one in ask(SQL["uses.all"], ())])
    if force:
        return
    users = ask(SQL["uses.of_source"], (row.project, row.name))
    if users:
        exported = [name for name, _ in ask(SQL["exports.of_stack"], (row.id,))]
        check_ending(row, generation, exported, [_crossing(one) for one in users])


def declare(writer: sqlite3.Connection, row: Stack, generation: Generation) -> None:
    """Writes what a new generation is known to use."""
    if generation.deleting:
        writer.execute(SQL["uses.clear"], (row.id,))
        return
    wanted = declared(row, generation)
    rows = writer.execute(SQL["uses.of_stack"], (row.id,)).fetchall()
    present = [Use(path, Name(*name)) for path, *name, _ in rows]
    for use in outdated(present, wanted):
        writer.execute(SQL["uses.delete"], (row.id, *_key(use)))
    for use in wanted:
        writer.execute(SQL["uses.declare"], (row.id, *_key(use)))


def write(writer: sqlite3.Connection, encoding: Encoding, commit: Commit, present: Stack) -> None:
    """Writes what a turn of the newest generation says of exports and uses."""
    if commit.head is None or commit.head.generation != present.generation:
        return
    if commit.exports is not None:
        writer.execute(SQL["exports.clear"], (commit.stack,))
        exported = [(commit.stack, name, encoding.value(value)) for name, value in commit.exports.items()]
        writer.executemany(SQL["exports.insert"], exported)
    if commit.uses is not None:
        writer.execute(SQL["uses.clear"], (commit.stack,))
        used = {_key(use): encoding.value(use.kept[0]) if use.kept else None for use in commit.uses}
        rows = [(commit.stack, *key, kept) for key, kept in used.items()]
        writer.executemany(SQL["uses.insert"], rows)


def _key(use: Use) -> tuple[str, str, str, str]:
    return (use.path, use.name.project, use.name.stack, use.name.output)


def _crossing(row: Sequence[Any]) -> Crossing:
    reader, project, stack, *name = row
    return Crossing(reader, project, stack, Name(*name))


def _uses(rows: Sequence[Sequence[Any]], encoding: Encoding) -> list[Use]:
    return [
        Use(path, Name(*name), () if kept is None else (encoding.read_value(kept),))
        for path, *name, kept in rows
    ]
