"""What stands at a path of a stack."""

from __future__ import annotations

from terrace.errors import NotFoundError
from terrace.model.record import Record
from terrace.model.stack import Stack
from terrace.services.gate import Surface, check_path


async def standing(on: Surface, stack: Stack, path: str) -> Record:
    """The record at `path` that is not on its way out. UserError when it can be no path, NotFoundError when nothing
    stands there."""
    check_path(path)
    for row in await on.store.record_page(stack.id, under=path):
        if row.record.path == path and not row.record.departing:
            return row.record
    raise NotFoundError(f'stack "{stack.name}" has no resource "{path}"', hint=f"terrace status {stack.name}")
