"""The resources of a stack, as the engine remembers them."""

from __future__ import annotations

from terrace.errors import NotFoundError
from terrace.model.record import Record
from terrace.ports.store import RecordQuery, RecordRow
from terrace.services.gate import Actor, Right, Surface, Where, check_path


class Resources:
    """Use cases about single resources."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def page(self, actor: Actor, where: Where, wanted: RecordQuery = RecordQuery()) -> list[RecordRow]:  # noqa: B008 -- a value
        """Records by path, those that are wanted; departing incarnations too."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        if wanted.under:
            check_path(wanted.under)
        return await self._on.store.record_page(
            stack.id,
            under=wanted.under,
            after=wanted.after,
            limit=wanted.limit,
            state=wanted.state,
            kind=wanted.kind,
        )

    async def get(self, actor: Actor, where: Where, path: str) -> Record:
        """The current incarnation at `path`, or the newest departing one. NotFoundError."""
        rows = await self.page(actor, where, RecordQuery(under=path))
        found = [row.record for row in rows if row.record.path == path]
        if not found:
            raise NotFoundError(
                f'stack "{where.stack}" has no resource "{path}"', hint=f"terrace status {where.stack}"
            )
        return max(found, key=lambda record: (not record.departing, record.incarnation))
