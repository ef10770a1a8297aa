"""How much each project may have, and has, and which flavors it may use."""

from __future__ import annotations

from typing import Protocol

import msgspec

from terrace.model.catalogue import Flavor, Offer
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


class Said(msgspec.Struct, frozen=True):
    """What holds of a project's flavors from now on, and which of its stacks (by name) use the one that was set or
    taken away."""

    offer: Offer
    used_by: tuple[str, ...] = ()


class Flavors(Protocol):
    """What was said of the flavors of projects. Each word is synced, counts the version of the offer up by one, and has
    every stack of the project looked at again, whichever engine has it. A generation that was checked against another
    version is not saved (store.Wishes), so that nothing comes in between."""

    async def offer(self, project: str) -> Offer:
        """Which flavors a project may use."""

    async def set(self, project: str, name: str, flavor: Flavor) -> Said:
        """The project has a flavor of its own, from now on just so."""

    async def remove(self, project: str, name: str, *, force: bool = False) -> Said:
        """Takes away one of its own; neither is it allowed any more. NotFoundError; ConflictError while stacks use it,
        unless `force`: what stands keeps what it has."""

    async def allow(self, project: str, names: tuple[str, ...] | None) -> Said:
        """The project may use these alone from now on (None: all)."""
