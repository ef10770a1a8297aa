"""What stacks read of each other, in a MemoryStore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from terrace.model.graph import Crossing, Found, Name, Use
from terrace.model.stack import Generation, Stack
from terrace.model.value import VAULT
from terrace.ports.store import Commit
from terrace.stores.crossings import check_circle, check_ending, circle, declared, outdated
from terrace.stores.encoding import Encoding
from terrace.stores.in_memory.tables import Tables
from terrace.stores.vault import absent

NEVER = b""
"""In place of the value of a use that never read one."""


class MemoryCrossings:
    """The questions of ports.store.Crossings, which says what each gives, and what is written."""

    _tables: Tables
    _encoding: Encoding

    async def uses(self, stack: str) -> list[Use]:
        rows = sorted(self._tables.uses.get(stack, {}).items())
        read = self._encoding.read_value
        return [Use(path, name, (read(body),) if body else ()) for (path, name), body in rows]

    async def exports(self, stack: str) -> dict[str, Any]:
        rows = sorted(self._tables.exports.get(stack, {}).items())
        return {name: self._encoding.read_value(body) for name, body in rows}

    async def imports(self, stack: str, names: Sequence[Name]) -> list[Found]:
        own = self._tables.stacks.get(stack)
        crossings, found = list(self._crossings()), []
        for name in names:
            chain = circle((own.project, own.name), [name], crossings) if own else []
            why = f"it leads back here: {' -> '.join(chain)}"
            found.append(Found(name, why=why) if chain else await self._find(name))
        return found

    async def readers(self, project: str, name: str) -> list[str]:
        source = (project, name)
        return sorted(
            stack
            for stack, rows in self._tables.uses.items()
            if any((used.project, used.stack) == source for _, used in rows)
        )

    async def hinder(self, stack: Stack, generation: Generation, *, force: bool = False) -> None:
        self._check_crossings(stack, generation, force=force)

    async def _find(self, name: Name) -> Found:
        if name.stack == VAULT:
            return self._find_secret(name)
        source = self._tables.named(name.project, name.stack)
        values = await self.exports(source.id) if source else {}
        if not name.output:
            return Found(name, (values,))
        missing = name.output not in values
        return Found(name, why="not there") if missing else Found(name, (values[name.output],))

    def _find_secret(self, name: Name) -> Found:
        kept = self._tables.secrets.get((name.project, name.output))
        if kept is None:
            return Found(name, why=absent(name.output))
        value = self._encoding.read_value(kept.body)
        return Found(name, ({"value": value, "version": kept.versions[0].number},))

    def _crossings(self) -> Iterator[Crossing]:
        for stack, rows in self._tables.uses.items():
            reader = self._tables.stacks.get(stack)
            if reader is not None:
                yield from (Crossing(stack, reader.project, reader.name, name) for _, name in rows)

    def _check_crossings(self, stack: Stack, generation: Generation, *, force: bool) -> None:
        check_circle(stack, declared(stack, generation), self._crossings())
        if not force:
            source = (stack.project, stack.name)
            users = [one for one in self._crossings() if (one.name.project, one.name.stack) == source]
            check_ending(stack, generation, self._tables.exports.get(stack.id, ()), users)

    def _declare(self, stack: Stack, generation: Generation) -> None:
        tables = self._tables
        rows = tables.uses.setdefault(stack.id, {})
        if generation.deleting:
            for key in list(rows):
                tables.put(rows, key, None)
            return
        wanted = declared(stack, generation)
        for use in outdated([Use(path, name) for path, name in rows], wanted):
            tables.put(rows, (use.path, use.name), None)
        for use in wanted:
            if (use.path, use.name) not in rows:
                tables.put(rows, (use.path, use.name), NEVER)

    def _cross(self, commit: Commit, present: Stack) -> None:
        """What a turn of the newest generation says of exports and uses."""
        if commit.head is None or commit.head.generation != present.generation:
            return
        tables, encode = self._tables, self._encoding.value
        if commit.exports is not None:
            encoded = {name: encode(value) for name, value in commit.exports.items()}
            _replace(tables, tables.exports.setdefault(commit.stack, {}), encoded)
        if commit.uses is not None:
            used = {(use.path, use.name): encode(use.kept[0]) if use.kept else NEVER for use in commit.uses}
            _replace(tables, tables.uses.setdefault(commit.stack, {}), used)


def _replace(tables: Tables, rows: dict[Any, bytes], fresh: dict[Any, bytes]) -> None:
    for key in rows.keys() - fresh.keys():
        tables.put(rows, key, None)
    for key, body in fresh.items():
        tables.put(rows, key, body)
