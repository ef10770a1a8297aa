"""What people ask of a SqliteStore."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from terrace.model.record import Record
from terrace.model.stack import Directive, Generation, Stack
from terrace.stores.queries import SQL
from terrace.stores.sqlite import writing
from terrace.stores.sqlite.reading import Reading


class Wishes(Reading):
    """The wishes of ports.Store, which says what each does."""

    async def save_generation(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        asked = writing.Asked(stack, generation, expected, records, force)
        return await self._database.write(
            lambda writer: writing.save_generation(writer, self._encoding, asked), synced=True
        )

    async def bump_retries(self, stack: str) -> None:
        await self._execute("stacks.bump_retries", stack, synced=True)

    async def mark_forget(self, stack: str) -> None:
        await self._execute("stacks.mark_forget", stack, synced=True)

    async def rename(self, stack: str, name: str) -> None:
        await self._database.write(lambda writer: writing.rename(writer, stack, name), synced=True)

    async def direct(self, directives: Sequence[Directive]) -> None:
        await self._database.write(
            lambda writer: writing.direct(writer, self._encoding, directives), synced=True
        )

    async def _execute(self, name: str, *values: str | int, synced: bool = False) -> None:
        def work(writer: sqlite3.Connection) -> None:
            writer.execute(SQL[name], values)

        await self._database.write(work, synced=synced)
