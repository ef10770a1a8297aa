"""The resources of a stack, as the engine remembers them."""

from __future__ import annotations

from terrace.errors import NotFoundError
from terrace.model.record import Record
from terrace.ports.store import RecordRow
from terrace.services.gate import Actor, Right, Surface, Where, check_path


class Resources:
    """Use cases about single resources."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def page(
        self, actor: Actor, where: Where, *, under: str = "", after: str = "", limit: int = 1000
    ) -> list[RecordRow]:
        """Records by path, those at or below `under`, after the cursor `after`; departing incarnations
        too."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        if under:
            check_path(under)
        return await self._on.store.record_page(stack.id, under=under, after=after, limit=limit)

    async def get(self, actor: Actor, where: Where, path: str) -> Record:
        """The current incarnation at `path`, or the newest departing one. NotFoundError."""
        rows = await self.page(actor, where, under=path)
        found = [row.record for row in rows if row.record.path == path]
        if not found:
            raise NotFoundError(
                f'stack "{where.stack}" has no resource "{path}"', hint=f"terrace status {where.stack}"
            )
        return max(found, key=lambda record: (not record.departing, record.incarnation))
