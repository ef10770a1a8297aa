"""The outputs of a stack."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.errors import NotFoundError
from terrace.model.codec import show
from terrace.model.stack import Stack
from terrace.model.value import Secret, holds
from terrace.services.gate import Actor, Right, Surface, Where


class Shown(msgspec.Struct, frozen=True):
    """One output as plain data. `value` None: not known (yet). `secret`: hidden unless it was asked to be
    revealed."""

    name: str
    value: Any
    secret: bool = False


class Outputs:
    """Use cases about outputs."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def listing(self, actor: Actor, where: Where, *, reveal: bool = False) -> list[Shown]:
        """All of them, by name. `reveal` gives secrets away, which needs a right of its own and is
        audited."""
        stack = await self._on.gate.stack(actor, Right.REVEAL if reveal else Right.READ, where)
        values = await self._values(stack)
        return [
            Shown(name, _reveal(value) if reveal else show(value), holds(value, Secret))
            for name, value in sorted(values.items())
        ]

    async def _values(self, stack: Stack) -> dict[str, Any]:
        try:
            return await self._on.controller.outputs(stack.id)
        except NotFoundError:  # nobody has begun to work on it: nothing is known yet
            wanted = await self._on.store.generation(stack.id, stack.generation)
            return dict.fromkeys(wanted.graph.outputs) if wanted else {}

    async def get(self, actor: Actor, where: Where, name: str, *, reveal: bool = False) -> Shown:
        """One of them. NotFoundError."""
        for shown in await self.listing(actor, where, reveal=reveal):
            if shown.name == name:
                return shown
        raise NotFoundError(
            f'stack "{where.stack}" has no output "{name}"', hint=f"terrace output {where.stack}"
        )


def _reveal(value: Any) -> Any:
    """`value` with its secrets in the open."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _reveal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_reveal(item) for item in value]
    return show(value)
