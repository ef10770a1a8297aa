"""Looking at everything of a stack now."""

from __future__ import annotations

import msgspec

from terrace.errors import NotFoundError
from terrace.model.plan import Plan
from terrace.services.gate import Actor, Right, Surface, Where


class Looking:
    """Use cases that ask providers how a stack really is."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def accept_restore(self, actor: Actor) -> list[str]:
        """After an older copy of the database was put back: what it wants is right, and things that are newer may be
        deleted and replaced. The providers on which that had been in doubt."""
        await self._on.gate.admit(actor, Right.INSTALLATION, subject="accept-restore")
        return await self._on.controller.accept_restore()

    async def check(self, actor: Actor, where: Where) -> Plan:
        """What of the stack differs from what is wanted, seen anew: as the plan that would mend it. TransientError
        when a provider does not answer."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        generation = await self._on.store.generation(stack.id, stack.generation)
        if generation is None:
            raise NotFoundError(f'stack "{where.stack}" is no longer there', hint="terrace list")
        plan = await self._on.controller.plan(
            stack, generation.graph, deleting=generation.deleting, fresh=True
        )
        return msgspec.structs.replace(plan, stack=where.stack)
