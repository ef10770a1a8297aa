"""Quotas of projects: how they stand, setting them, and seeing that they are right."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from terrace.errors import NotFoundError, UserError
from terrace.model.spec.quota import RESOURCES, Amounts, parse, total
from terrace.model.stack import Stack
from terrace.ports.quota import Quotas
from terrace.services.gate import Actor, Right, Surface, check_project

NONE = "none"
"""In place of an amount: no limit."""


class Standing(msgspec.Struct, frozen=True):
    """One resource of a project, in its unit: what its stacks take (`used`), of which `reserved` for stacks that do not
    stand yet as they are wanted, or still for what is on its way out; `most` of it and what is `left` (null: no
    limit)."""

    resource: str
    used: int
    reserved: int
    most: int | None
    left: int | None


class Wrong(msgspec.Struct, frozen=True):
    """A stack that holds something else than it takes."""

    project: str
    stack: str
    held: dict[str, int]
    takes: dict[str, int]


class QuotaKeeping:
    """Use cases about quotas."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface

    async def show(self, actor: Actor, project: str) -> list[Standing]:
        """How a project stands."""
        await self._on.gate.admit(actor, Right.READ, project)
        return await self._standing(project)

    async def overview(
        self, actor: Actor, *, name: str = "", after: str = "", limit: int = 1000
    ) -> dict[str, list[Standing]]:
        """How the projects stand whose names begin with `name`, by name; up to `limit` of them after the one named
        `after`."""
        await self._on.gate.admit(actor, Right.INSPECT, "", "quotas")
        known = await self._on.quotas.projects() if self._on.quotas is not None else []
        found = [one for one in sorted(known) if one > after and one.startswith(name)]
        return {one: await self._standing(one) for one in found[:limit]}

    async def set(self, actor: Actor, project: str, texts: Mapping[str, str]) -> list[Standing]:
        """Sets limits as people write them (20, 64G; "none": no limit). What stands stays, however much it is.
        UserError with what is wrong."""
        await self._on.gate.admit(actor, Right.INSTALLATION, "", f"quota of {project}")
        check_project(project)
        quotas = self._quotas()
        before = await quotas.limits(project)
        wanted = _limits(texts)
        # What was not limited could grow without being counted: it is counted before anything is given of what is left,
        # and again, for who came in between.
        fresh = any(most is not None and name not in before for name, most in wanted.items())
        if fresh:
            await self._recount(quotas, project, repair=True)
        await quotas.limit(project, wanted)
        if fresh:
            await self._recount(quotas, project, repair=True)
        for stack in await self._on.store.stacks(project):
            await self._on.store.bump_retries(stack.id)
            self._on.controller.wake(stack.id)
        return await self._standing(project)

    async def check(self, actor: Actor, *, repair: bool = False) -> list[Wrong]:
        """Stacks that hold something else than they take; `repair`: they hold that from then on."""
        await self._on.gate.admit(actor, Right.INSTALLATION, "", "quotas: check")
        quotas = self._quotas()
        found = [await self._recount(quotas, project, repair=repair) for project in await quotas.projects()]
        return [one for wrong in found for one in wrong]

    async def _recount(self, quotas: Quotas, project: str, *, repair: bool) -> list[Wrong]:
        held = await quotas.held(project)
        wrong = []
        for stack in await self._on.store.stacks(project):
            takes = await self._takes(stack)
            has = total((held.get(stack.id, {}),))
            # what is not settled may hold more: what is on its way out, or is being made
            less = any(has.get(name, 0) < amount for name, amount in takes.items())
            settled = stack.settled == stack.generation
            if less or (settled and has != takes):
                wrong.append(Wrong(project, stack.name, has, takes))
                if repair:
                    await quotas.correct(stack.id, takes, stack.generation)
        return wrong

    async def _takes(self, stack: Stack) -> Amounts:
        wanted = await self._on.store.generation(stack.id, stack.generation)
        if wanted is None or wanted.deleting:
            return {}
        return total((await self._on.controller.plan(stack, wanted.graph)).takes.values())

    async def _standing(self, project: str) -> list[Standing]:
        if self._on.quotas is None:
            return []
        limits, used = await self._on.quotas.limits(project), await self._on.quotas.usage(project)
        held = await self._on.quotas.held(project)
        moving = [
            held.get(stack.id, {})
            for stack in await self._on.store.stacks(project)
            if stack.settled != stack.generation
        ]
        reserved = total(moving)
        return [
            Standing(
                name,
                used.get(name, 0),
                reserved.get(name, 0),
                limits.get(name),
                max(limits[name] - used.get(name, 0), 0) if name in limits else None,
            )
            for name in RESOURCES
        ]

    def _quotas(self) -> Quotas:
        if self._on.quotas is None:
            raise NotFoundError("this store keeps no quotas")
        return self._on.quotas


def _limits(texts: Mapping[str, str]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, text in texts.items():
        if name not in RESOURCES:
            raise UserError(
                f'nothing is counted as "{name[:40]}"',
                code="unknown-resource",
                hint=f"one of {', '.join(RESOURCES)}",
            )
        try:
            found[name] = None if text.strip().lower() == NONE else parse(name, text)
        except ValueError as error:
            raise UserError(
                str(error), code="bad-amount", hint="terrace quota set PROJECT machines=20"
            ) from error
    return found
