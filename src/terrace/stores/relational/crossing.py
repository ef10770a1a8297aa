"""What stacks read of each other, in a RelationalStore: the questions, and what is written inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from terrace.model.graph import Crossing, Found, Name, Use
from terrace.model.stack import Generation, Stack
from terrace.model.value import VAULT
from terrace.ports.store import Commit
from terrace.stores.crossings import check_circle, check_ending, circle, declared, outdated
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.relational import secrets
from terrace.stores.relational.database import Database, Writer


class Crossings:
    """The questions of ports.store.Crossings, which says what each gives."""

    database: Database
    _encoding: Encoding

    async def uses(self, stack: str) -> list[Use]:
        return _uses(await self.database.rows(SQL["uses.of_stack"], (stack,)), self._encoding)

    async def exports(self, stack: str) -> dict[str, Any]:
        rows = await self.database.rows(SQL["exports.of_stack"], (stack,))
        return {name: self._encoding.read_value(body) for name, body in rows}

    async def imports(self, stack: str, names: Sequence[Name]) -> list[Found]:
        return await self.database.read(lambda reader: _imports(reader, self._encoding, stack, names))

    async def readers(self, project: str, name: str) -> list[str]:
        return [stack for (stack,) in await self.database.rows(SQL["uses.readers"], (project, name))]

    async def hinder(self, stack: Stack, generation: Generation, *, force: bool = False) -> None:
        await self.database.read(lambda reader: check(reader, stack, generation, force=force))


def check(reader: Writer, row: Stack, generation: Generation, *, force: bool) -> None:
    """ConflictError when a generation that people ask for would end what is in use, or close a circle."""
    uses = declared(row, generation)
    if uses:
        check_circle(row, uses, _crossings(reader))
    if force:
        return
    users = reader.execute(SQL["uses.of_source"], (row.project, row.name)).fetchall()
    if users:
        exported = [name for name, _ in reader.execute(SQL["exports.of_stack"], (row.id,)).fetchall()]
        check_ending(row, generation, exported, [_crossing(one) for one in users])


def declare(writer: Writer, row: Stack, generation: Generation) -> None:
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


def write(writer: Writer, encoding: Encoding, commit: Commit, present: Stack) -> None:
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


def _imports(reader: Writer, encoding: Encoding, stack: str, names: Sequence[Name]) -> list[Found]:
    row = reader.execute(SQL["stacks.by_id"], (stack,)).fetchone()
    start = (row[1], row[2]) if row else ("", "")
    crossings = _crossings(reader)
    found = []
    for name in names:
        chain = circle(start, [name], crossings)
        why = f"it leads back here: {' -> '.join(chain)}"
        found.append(Found(name, why=why) if chain else _find(reader, encoding, name))
    return found


def _find(reader: Writer, encoding: Encoding, name: Name) -> Found:
    if name.stack == VAULT:
        return secrets.find(reader, encoding, name)
    if not name.output:
        rows = reader.execute(SQL["exports.of_name"], (name.project, name.stack)).fetchall()
        return Found(name, ({key: encoding.read_value(body) for key, body in rows},))
    row = reader.execute(SQL["exports.one"], (name.project, name.stack, name.output)).fetchone()
    return Found(name, (encoding.read_value(row[0]),)) if row else Found(name, why="not there")


def _crossings(reader: Writer) -> list[Crossing]:
    return [_crossing(row) for row in reader.execute(SQL["uses.all"]).fetchall()]


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
