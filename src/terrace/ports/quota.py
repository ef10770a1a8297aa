"""How much each project may have, and has."""

from __future__ import annotations

from typing import Protocol

from terrace.model.spec.quota import Amounts


class Quotas(Protocol):
    """Limits of projects, and what their stacks hold. What a stack holds is written when a wish is saved, when the
    engine asks for more (store.Working), and when the stack has settled."""

    async def limits(self, project: str) -> Amounts:
        """What is limited; {} for nothing."""

    async def limit(self, project: str, limits: dict[str, int | None]) -> None:
        """Sets limits, or (None) takes them away; synced. What is not named stays."""

    async def usage(self, project: str) -> Amounts:
        """What all stacks of a project hold."""

    async def held(self, project: str) -> dict[str, Amounts]:
        """What each stack of a project holds, by its id."""

    async def correct(self, stack: str, amounts: Amounts, generation: int) -> bool:
        """Has a stack hold just this, whatever the limits are; nothing happens (False) when its newest generation is
        another by now."""

    async def projects(self) -> list[str]:
        """Projects that have a limit, or a stack."""
