"""Long lists in a RelationalStore, a page at a time."""

from __future__ import annotations

from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.model.stack import Directive, Stack
from terrace.ports.edge.pages import LAST
from terrace.ports.store import RecordRow
from terrace.stores import marks, order
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database
from terrace.stores.relational.lists import events
from terrace.stores.relational.reading import stack_from


class Paging:
    """The lists of ports.store.Paging, which says what each gives."""

    database: Database
    _encoding: Encoding

    async def stack_page(
        self, project: str, *, phase: str = "", name: str = "", after: str = "", limit: int = 1000
    ) -> list[Stack]:
        values = (project, after, name, name + LAST, phase, phase, limit)
        return [stack_from(row) for row in await self.database.rows(SQL["stacks.page"], values)]

    async def record_page(
        self,
        stack: str,
        *,
        under: str = "",
        after: str = "",
        limit: int = 1000,
        state: str = "",
        kind: str = "",
    ) -> list[RecordRow]:
        start, (low, high) = order.after(after), order.span(under)
        query, given = _narrowed(state, kind)
        found: list[RecordRow] = []
        while True:
            bounds = (max(low, start[0]), high, under, *order.inside(under))
            asked = limit - len(found)
            rows = await self.database.rows(query, (stack, *bounds, *start, *given, asked))
            records = [self._encoding.read_record(body) for (body,) in rows]
            found += [RecordRow(one) for one in records if kind in ("", one.kind)]
            if len(rows) < asked or len(found) >= limit:
                return found
            start = order.point(
                *RecordRow(records[-1]).place
            )  # some only looked as if they were of that kind

    async def directive_page(
        self, stack: str, what: str, *, path: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[Directive]:
        values = (stack, what, what + LAST, path, path, *after, limit)
        rows = await self.database.rows(SQL["directives.page"], values)
        return [self._encoding.read_directive(body) for (body,) in rows]

    async def events(
        self,
        *,
        stack: str = "",
        after: int = 0,
        limit: int = 1000,
        newest: bool = False,
        only: EventFilter = EVERYTHING,
    ) -> list[Event]:
        rows = await events.read(self.database, stack, after, limit, newest=newest, only=only)
        found = [self._encoding.read_event(*row) for row in rows]
        return found[::-1] if newest else found


def _narrowed(state: str, kind: str) -> tuple[str, list[str | bytes]]:
    """The query for a page of records, and the values that it takes besides."""
    text, values = SQL["records.page"], list[str | bytes]()
    for condition, value in (("in_state", state), ("of_kind", marks.of_record(kind) if kind else b"")):
        if value:
            text = text.replace("\nORDER BY ", f" AND {SQL[f'records.{condition}']}\nORDER BY ", 1)
            values.append(value)
    return text, values
