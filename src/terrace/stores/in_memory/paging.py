"""Long lists in a MemoryStore, a page at a time."""

from __future__ import annotations

from itertools import islice

from terrace.model.stack import Directive, Stack
from terrace.ports.store import RecordRow
from terrace.stores import order
from terrace.stores.encoding import Encoding
from terrace.stores.in_memory.tables import Tables


class MemoryPages:
    """The lists of ports.store.Paging, which says what each gives."""

    _tables: Tables
    _encoding: Encoding

    async def stack_page(
        self, project: str, *, phase: str = "", name: str = "", after: str = "", limit: int = 1000
    ) -> list[Stack]:
        found = (one for one in self._tables.stacks.values() if one.project == project and one.name > after)
        wanted = (one for one in found if one.name.startswith(name) and phase in ("", one.phase))
        return sorted(wanted, key=lambda one: one.name)[:limit]

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
        start, (first, past) = order.after(after), order.inside(under)
        rows = sorted(
            row
            for row in self._tables.records.get(stack, {}).values()
            if row.point > start and (row.point[1] == under or first <= row.point[1] < past)
        )
        records = (self._encoding.read_record(row.body) for row in rows)
        wanted = (one for one in records if state in ("", one.state) and kind in ("", one.kind))
        return [RecordRow(one) for one in islice(wanted, limit)]

    async def directive_page(
        self, stack: str, what: str, *, path: str = "", after: tuple[str, str] = ("", ""), limit: int = 1000
    ) -> list[Directive]:
        rows = self._tables.directives.get(stack, {})
        wanted = (at for at in rows if at > after and at[1].startswith(what) and path in ("", at[0]))
        return [self._encoding.read_directive(rows[at]) for at in sorted(wanted)[:limit]]
