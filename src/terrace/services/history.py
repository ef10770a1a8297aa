"""Generations of a stack: what was wanted when, and wanting an earlier one again."""

from __future__ import annotations

import msgspec

from terrace.errors import ConflictError, NotFoundError
from terrace.model.plan import Plan
from terrace.model.stack import Generation, Stack
from terrace.services.gate import SUSPENDED, Actor, Right, Surface, Where, allow
from terrace.services.stacks import Stacks


class History:
    """Use cases about the generations of a stack."""

    def __init__(self, surface: Surface, stacks: Stacks) -> None:
        self._on = surface
        self._stacks = stacks

    async def listing(self, actor: Actor, where: Where) -> list[Generation]:
        """Those that are kept, newest first, without graph and source."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        return await self._on.store.generations(stack.id)

    async def get(self, actor: Actor, where: Where, number: int) -> Generation:
        """One generation, whole."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        return await self._generation(stack, number)

    async def rollback(
        self, actor: Actor, where: Where, to: int | None = None, expected: int | None = None
    ) -> Stack:
        """Wants generation `to` again, by default the newest before the present one that settled: saved as a
        new generation with its content. `expected` as in Stacks.apply. ConflictError: nothing to go back
        to."""
        await allow(self._on.store, await self._on.gate.stack(actor, Right.WRITE, where), SUSPENDED)
        async with self._stacks.turn(where):
            stack, target = await self._target(actor, where, to)
            again = msgspec.structs.replace(
                target,
                number=stack.generation + 1,
                created=self._on.clock.now(),
                who=actor.name,
                why=f"rollback to {target.number}",
                restores=target.number,
                settled=0.0,
                failed="",
            )
            described = msgspec.structs.replace(stack, description=target.graph.description)
            return await self._stacks.save(
                described, again, stack.generation if expected is None else expected
            )

    async def plan_rollback(self, actor: Actor, where: Where, to: int | None = None) -> Plan:
        """What `rollback` would do now; saves nothing."""
        stack, target = await self._target(actor, where, to)
        plan = await self._on.controller.plan(stack, target.graph)
        return msgspec.structs.replace(plan, stack=where.stack)

    async def _target(self, actor: Actor, where: Where, to: int | None) -> tuple[Stack, Generation]:
        stack = await self._on.gate.stack(actor, Right.READ, where)
        kept = await self._on.store.generations(stack.id)
        past = [one for one in kept if one.number < stack.generation and one.settled and not one.deleting]
        listing = f"terrace history {where.stack}"
        if to is None and not past:
            raise ConflictError(
                f'stack "{where.stack}" has no earlier generation that settled: there is nothing to go back to',
                code="nothing-to-restore",
                hint=f"mend the template and run terrace up again; what there is: {listing}",
            )
        if to is not None and to not in {one.number for one in past}:
            if to not in {one.number for one in kept}:
                raise NotFoundError(f'stack "{where.stack}" has no generation {to}', hint=listing)
            now = to == stack.generation
            why = "is the present one" if now else "never settled, so it is nothing to go back to"
            raise ConflictError(f"generation {to} {why}", code="nothing-to-restore", hint=listing)
        return stack, await self._generation(stack, past[0].number if to is None else to)

    async def _generation(self, stack: Stack, number: int) -> Generation:
        found = await self._on.store.generation(stack.id, number)
        if found is None:
            raise NotFoundError(
                f'stack "{stack.name}" has no generation {number}', hint=f"terrace history {stack.name}"
            )
        return found
