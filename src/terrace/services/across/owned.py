"""Stacks that resources own: what the driver of the kind Stack needs. Nobody else's stack is ever touched."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from terrace.engine.expression import reveal
from terrace.errors import (
    ConflictError,
    DocumentError,
    NotFoundError,
    PermanentError,
    TransientError,
    UserError,
)
from terrace.model.stack import Directive, Source, Stack
from terrace.model.value import Secret, holds
from terrace.ports.stacks import Order, Standing
from terrace.services.admission import Admission, Wish
from terrace.services.gate import Actor, Right, Surface, Where
from terrace.services.stacks import Stacks

DEEPEST = 5
"""Stacks that own stacks that own stacks."""

FILE = "template.yaml"
OWNER = "owner"
"""The directive that says whose a stack is."""


class OwnedStacks:
    """ports.stacks.OwnStacks over the use cases of stacks."""

    def __init__(self, surface: Surface, stacks: Stacks, admission: Admission) -> None:
        self._on = surface
        self._stacks = stacks
        self._admission = admission

    async def order(self, order: Order) -> None:
        """See ports.stacks."""
        where = Where(order.project, order.name)
        depth = await self._depth(order)
        source = Source(FILE, {FILE: order.template}, (), reveal(order.parameters))
        digest = self._on.controller.secrets.digest(msgspec.json.encode(source, order="deterministic"))
        present = await self._on.store.find_stack(order.project, order.name)
        if present is not None:
            owner = await self._owner(present)
            if owner.get("uid") != order.owner:
                raise PermanentError(
                    f'there is a stack "{order.name}" that is not of this resource',
                    hint=f"take it away, or rename the resource: terrace status {order.name}",
                )
            if owner.get("source") == digest and not await self._leaving(present):
                return
        await self._save(where, order, source, present)
        saved = await self._on.store.find_stack(order.project, order.name)
        if saved is not None:
            value = {"uid": order.owner, "source": digest, "depth": depth, "stack": order.stack}
            await self._on.store.direct([Directive(saved.id, "", OWNER, value, who="terrace")])

    async def _save(self, where: Where, order: Order, source: Source, present: Stack | None) -> None:
        wish = Wish(source, timeout=order.timeout or None)
        stack_id = present.id if present else ""
        try:
            prepared = await self._admission.prepare(where, stack_id, wish)
            for name, value in order.parameters.items():
                if holds(value, Secret) and not holds(prepared.parameters.get(name), Secret):
                    raise PermanentError(
                        f'parameter "{name}" is given a hidden value, but its template does not hide it',
                        hint="add hidden: true to that parameter",
                    )
            await self._stacks.apply(
                _actor(order.owner, where.project), where, wish, present.generation if present else 0
            )
        except ConflictError as error:
            raise TransientError(error.message, hint=error.hint) from error
        except DocumentError as error:
            line = error.problems[0].line
            raise PermanentError(f"its template, line {line}: {error.message}", hint=error.hint) from error
        except UserError as error:
            raise PermanentError(f"its template: {error.message}", hint=error.hint) from error

    async def standing(self, project: str, name: str, owner: str) -> Standing | None:
        """See ports.stacks."""
        stack = await self._on.store.find_stack(project, name)
        if stack is None or (await self._owner(stack)).get("uid") != owner:
            return None
        newest = (await self._on.store.generations(stack.id))[0]
        return Standing(
            id=stack.id,
            settled=stack.settled == stack.generation,
            failed=newest.failed,
            why=stack.why,
            outputs=await self._on.store.exports(stack.id),
        )

    async def delete(self, project: str, name: str, owner: str) -> None:
        """See ports.stacks."""
        with suppress(NotFoundError):
            await self._stacks.delete(_actor(owner, project), Where(project, name), force=True)

    async def _owner(self, stack: Stack) -> dict[str, Any]:
        """Whose a stack is. Between its first generation and the directive that says it, the generation does."""
        for one in await self._on.store.directives(stack.id):
            if one.what == OWNER and not one.path:
                return dict(one.value)
        newest = await self._on.store.generations(stack.id)
        who = newest[0].who if newest else ""
        return {"uid": who.removeprefix(PREFIX)} if who.startswith(PREFIX) else {}

    async def _leaving(self, stack: Stack) -> bool:
        return (await self._on.store.generations(stack.id))[0].deleting

    async def _depth(self, order: Order) -> int:
        """How deep the stack will be. PermanentError when that is too deep."""
        parent = await self._on.store.find_stack(order.project, order.stack)
        depth = 1 + int((await self._owner(parent)).get("depth", 0) if parent else 0)
        if depth > DEEPEST:
            raise PermanentError(f"stacks own each other more than {DEEPEST} deep")
        return depth


PREFIX = "resource "
"""Before the uid of the owner, in the name of whoever asked for a generation."""


def _actor(owner: str, project: str) -> Actor:
    """The resource itself asks, and may do nothing outside its own project."""
    rights = frozenset({Right.READ, Right.WRITE, Right.OPERATE})
    return Actor(PREFIX + owner, rights={project: rights}, credential="resource")
