"""Hooks: what is held until a person lets it go on."""

from __future__ import annotations

import msgspec

from terrace.errors import NotFoundError
from terrace.model.stack import Directive, Stack
from terrace.services.gate import Actor, Right, Surface, Where, check_path


class Held(msgspec.Struct, frozen=True):
    """A resource that a hook holds, since when (epoch seconds)."""

    path: str
    hook: str
    since: float


class Hooks:
    """Use cases about hooks."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def listing(self, actor: Actor, where: Where) -> list[Held]:
        """What is held now, by path."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        records = await self._on.store.records(stack.id)
        return [Held(one.path, one.hook.partition(" ")[0], one.since) for one in records if one.hook]

    async def clear(self, actor: Actor, where: Where, path: str, hook: str) -> Stack:
        """Lets the resource at `path` go on, this time. NotFoundError when that hook does not hold it."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        check_path(path)
        wishes = []
        for record in await self._on.store.records(stack.id):
            name, _, token = record.hook.partition(" ")
            if record.path == path and name == hook:
                at = self._on.clock.now()
                wishes.append(Directive(stack.id, path, f"hook/{hook}", token, actor.name, at=at))
        if not wishes:
            raise NotFoundError(
                f'no {hook} hook holds "{path}"', hint=f"terrace hook list {where.stack}", code="not-held"
            )
        await self._on.store.direct(wishes)
        await self._on.controller.heed(stack.id)
        return await self._on.store.stack(stack.id) or stack
