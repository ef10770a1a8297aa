"""The audit log in a table: rows are added at the end, each with a digest over itself and the digest before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from terrace.ports.audit import ANCHOR, Entry, Row, chained
from terrace.ports.edge.requests import beside
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer

Digest = Callable[[bytes], str]


class RelationalAudit:
    """See ports.audit.AuditLog. `digest` is keyed, so that who can write the database alone cannot make digests."""

    def __init__(self, database: Database, digest: Digest) -> None:
        self._database = database
        self._digest = digest

    async def append(self, entries: Sequence[Entry], *, synced: bool = False) -> None:
        with beside():  # it says what is asked for, before it is carried out
            await self._database.write(lambda writer: self._append(writer, entries), synced=synced)

    async def page(
        self, *, after: int = 0, limit: int = 1000, project: str | None = None, newest: bool = False
    ) -> list[Row]:
        name = "audit.newest" if newest else "audit.all"
        if project is None:
            rows = await self._database.rows(SQL[name], (after, limit))
        else:
            rows = await self._database.rows(SQL[f"{name}_of_project"], (project, after, limit))
        found = [_row(row) for row in rows]
        return found[::-1] if newest else found

    async def head(self) -> int:
        return int((await self._database.rows(SQL["audit.counted"]))[0][0])

    async def let_go(self, before: float, now: float) -> int:
        def work(writer: Writer) -> int:
            row = writer.execute(SQL["audit.last_before"], (before, before)).fetchone()
            if row is None:
                return 0
            number, digest = row
            self._append(writer, [Entry("terrace", digest, ANCHOR, subject=str(number), at=now)])
            return writer.execute(SQL["audit.let_go"]).rowcount

        return await self._database.write(work, synced=True)

    def _append(self, writer: Writer, entries: Sequence[Entry]) -> None:
        """The counter's row is ours until the transaction ends, so the last row stays the last."""
        (last,) = writer.execute(SQL["audit.number"], (len(entries),)).fetchone()
        first = last - len(entries) + 1
        row = writer.execute(SQL["audit.last"], (first - 1,)).fetchone()
        digest = row[0] if row is not None else ""
        rows = []
        for number, entry in enumerate(entries, first):
            digest = self._digest(chained(digest, number, entry))
            rows.append((number, *_columns(entry), digest))
        writer.executemany(SQL["audit.insert"], rows)


def _columns(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.at,
        entry.actor,
        entry.credential,
        entry.source,
        entry.right,
        entry.project,
        entry.subject,
        entry.outcome,
    )


def _row(row: Sequence[Any]) -> Row:
    number, at, actor, credential, source, right, project, subject, outcome, digest = row
    return Row(number, Entry(actor, right, outcome, project, subject, credential, source, at), digest)
