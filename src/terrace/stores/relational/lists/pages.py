"""Long lists in a RelationalStore, a page at a time."""

from __future__ import annotations

from terrace.model.stack import Directive, Stack
from terrace.ports.edge.pages import LAST
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database
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

    async def directive_page(
        self, stack: str, what: str, *, path: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[Directive]:
        values = (stack, what, what + LAST, path, path, *after, limit)
        rows = await self.database.rows(SQL["directives.page"], values)
        return [self._encoding.read_directive(body) for (body,) in rows]
