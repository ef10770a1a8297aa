"""Orders besides the template: replace one resource, restart a machine, stand still, go on, protect."""

from __future__ import annotations

from terrace.errors import ConflictError
from terrace.model.record import Record
from terrace.model.stack import Directive, Phase, Stack
from terrace.ports.store import RecordQuery
from terrace.services.gate import PROTECTED, SUSPENDED, Actor, Right, Surface, Where, marks
from terrace.services.resources import Resources

TAINT, RESTART = "taint", "restart"


class Orders:
    """Use cases that write directives."""

    def __init__(self, surface: Surface, resources: Resources) -> None:
        self._on = surface
        self._resources = resources

    async def taint(self, actor: Actor, where: Where, path: str) -> Stack:
        """A new incarnation takes the place of the resource at `path`. NotFoundError; ConflictError for a group or a
        nested template."""
        record = await self._one(actor, where, path)
        return await self._count(actor, where, TAINT, [record])

    async def restart(self, actor: Actor, where: Where, path: str) -> Stack:
        """The machine at `path`, or every machine below it, is restarted. NotFoundError; ConflictError when there is
        no machine."""
        await self._resources.get(actor, where, path)
        wanted = RecordQuery(under=path, kind="Machine", limit=5000)
        rows = await self._resources.page(actor, where, wanted)
        machines = [row.record for row in rows if not row.record.departing]
        if not machines:
            raise ConflictError(
                f'"{path}" is no machine: there is nothing to restart',
                code="not-possible",
                hint=f"terrace taint {where.stack} {path} makes it anew",
            )
        return await self._count(actor, where, RESTART, machines)

    async def suspend(self, actor: Actor, where: Where, *, suspended: bool = True) -> Stack:
        """Machines are stopped and stay so, or go on. ConflictError while the stack is being deleted."""
        stack = await self._standing(actor, where)
        return await self._direct(stack, [self._flag(actor, stack, SUSPENDED, suspended)])

    async def protect(self, actor: Actor, where: Where, *, protected: bool = True) -> Stack:
        """From now on it can (not) be deleted or abandoned."""
        stack = await self._on.gate.stack(actor, Right.OPERATE, where)
        return await self._direct(stack, [self._flag(actor, stack, PROTECTED, protected)])

    async def marks(self, actor: Actor, where: Where) -> dict[str, bool]:
        """Which flags the stack as a whole carries."""
        return await marks(self._on.store, await self._on.gate.stack(actor, Right.READ, where))

    # --- inside

    async def _one(self, actor: Actor, where: Where, path: str) -> Record:
        record = await self._resources.get(actor, where, path)
        rows = await self._resources.page(actor, where, RecordQuery(under=path, limit=2))
        if record.kind in ("Group", "Nested") or any(row.record.path != path for row in rows):
            raise ConflictError(
                f'"{path}" consists of others: it is they that can be replaced',
                code="not-possible",
                hint=f"terrace status {where.stack} --under {path}",
            )
        return record

    async def _standing(self, actor: Actor, where: Where) -> Stack:
        stack = await self._on.gate.stack(actor, Right.OPERATE, where)
        if stack.phase is Phase.DELETING:
            raise ConflictError(f'stack "{where.stack}" is being deleted', code="not-possible")
        return stack

    async def _count(self, actor: Actor, where: Where, what: str, records: list[Record]) -> Stack:
        stack = await self._standing(actor, where)
        known = {one.path: one.value for one in await self._on.store.directives(stack.id) if one.what == what}
        wishes = [
            Directive(
                stack.id,
                record.path,
                what,
                known.get(record.path, 0) + 1,
                actor.name,
                at=self._on.clock.now(),
            )
            for record in records
        ]
        return await self._direct(stack, wishes)

    def _flag(self, actor: Actor, stack: Stack, what: str, value: bool) -> Directive:
        return Directive(stack.id, "", what, value or None, actor.name, at=self._on.clock.now())

    async def _direct(self, stack: Stack, wishes: list[Directive]) -> Stack:
        await self._on.store.direct(wishes)
        await self._on.controller.heed(stack.id)
        return await self._on.store.stack(stack.id) or stack
