"""What can be asked of a RelationalStore."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from terrace.model.record import Record
from terrace.model.seen import Owner
from terrace.model.stack import Directive, Generation, Phase, Stack
from terrace.ports.store import Ruling
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL, many
from terrace.stores.relational.database import Database

_MANY = 500


class Reading:
    """The questions of ports.Store, which says what each gives."""

    database: Database
    _encoding: Encoding

    async def find_stack(self, project: str, name: str) -> Stack | None:
        return stack_of(await self.database.rows(SQL["stacks.by_name"], (project, name)))

    async def stack(self, stack: str) -> Stack | None:
        return stack_of(await self.database.rows(SQL["stacks.by_id"], (stack,)))

    async def stacks(self, project: str | None = None) -> list[Stack]:
        if project is None:
            rows = await self.database.rows(SQL["stacks.all"])
        else:
            rows = await self.database.rows(SQL["stacks.of_project"], (project,))
        return [stack_from(row) for row in rows]

    async def generation(self, stack: str, number: int) -> Generation | None:
        rows = await self.database.rows(SQL["generations.one"], (stack, number))
        return self._encoding.read_generation(*rows[0]) if rows else None

    async def generations(self, stack: str) -> list[Generation]:
        rows = await self.database.rows(SQL["generations.all"], (stack,))
        return [self._encoding.read_generation(light, None, *marks) for light, *marks in rows]

    async def records(self, stack: str) -> list[Record]:
        rows = await self.database.rows(SQL["records.all"], (stack,))
        return [self._encoding.read_record(body) for (body,) in rows]

    async def directives(self, stack: str) -> list[Directive]:
        rows = await self.database.rows(SQL["directives.of_stack"], (stack,))
        return [self._encoding.read_directive(body) for (body,) in rows]

    async def known(self, owners: Sequence[Owner]) -> set[tuple[str, int]]:
        asked = {(owner.uid, owner.incarnation) for owner in owners}
        uids = list({uid for uid, _ in asked})
        found: set[tuple[str, int]] = set()
        for start in range(0, len(uids), _MANY):
            part = uids[start : start + _MANY]
            rows = await self.database.rows(many("records.known", len(part)), part)
            found.update((uid, incarnation) for uid, incarnation in rows)
        return found & asked

    async def holders(self, uids: Sequence[str]) -> list[tuple[str, Record]]:
        found: list[tuple[str, Record]] = []
        for start in range(0, len(uids), _MANY):
            part = list(uids[start : start + _MANY])
            rows = await self.database.rows(many("records.holders", len(part)), part)
            found += [(stack, self._encoding.read_record(body)) for stack, body in rows]
        return found

    async def rulings(self, provider: str) -> list[Ruling]:
        return [Ruling(*row) for row in await self.database.rows(SQL["ledger.of_provider"], (provider,))]


def stack_of(rows: Sequence[Sequence[Any]]) -> Stack | None:
    """The stack in the first row, if there is one."""
    return stack_from(rows[0]) if rows else None


def stack_from(row: Sequence[Any]) -> Stack:
    """A stack from its columns."""
    stack = Stack(*row)
    return msgspec.structs.replace(stack, phase=Phase(stack.phase), forget=bool(stack.forget))
