"""Stacks as a whole: asking for one, seeing what that would change, taking it away, waiting until it
stands."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from typing import Any

import msgspec

from terrace.engine.blend import in_part
from terrace.errors import ConflictError, DocumentError, NotFoundError, QuotaError
from terrace.model.graph import Graph
from terrace.model.plan import Plan
from terrace.model.problem import Problem
from terrace.model.record import Record
from terrace.model.stack import Generation, OnFailure, Phase, Source, Stack
from terrace.services.admission import Admission, Prepared, Wish
from terrace.services.flavors.places import flavors
from terrace.services.gate import PROTECTED, SUSPENDED, Actor, Right, Surface, Where, allow, marks
from terrace.services.plans.elsewhere import vouch
from terrace.services.plans.saved import Seal, moved
from terrace.services.quotas.counting import QuotaLine, counted, outlook
from terrace.services.secrets.named import check_named

ATTEMPTS = 5
"""How often a wish that no generation was named for is tried when the stack moves meanwhile."""


class Accepted(msgspec.Struct, frozen=True):
    """A wish that was saved: the stack as it now is, whether it is new, and what was odd about the
    documents."""

    stack: Stack
    created: bool = False
    warnings: tuple[Problem, ...] = ()


class Preview(msgspec.Struct, frozen=True):
    """What a wish would do, and what was odd about its documents. `digest` names this very plan; `sealed` is it
    as it can be kept and given back ("" when that was not asked for). `quota`: what is limited, and what of it is left
    then."""

    plan: Plan
    warnings: tuple[Problem, ...] = ()
    digest: str = ""
    sealed: str = ""
    quota: tuple[QuotaLine, ...] = ()


class Stacks:
    """Use cases about whole stacks."""

    def __init__(self, surface: Surface, admission: Admission) -> None:
        self._on = surface
        self._admission = admission
        self._seal = Seal(surface.controller.secrets)
        self._closing = False
        self._turns: weakref.WeakValueDictionary[Where, asyncio.Lock] = weakref.WeakValueDictionary()

    async def listing(
        self,
        actor: Actor,
        project: str,
        *,
        phase: str = "",
        name: str = "",
        after: str = "",
        limit: int = 1000,
    ) -> list[Stack]:
        """Stacks of a project by name: those in one `phase` ("": all) whose names begin with `name`, up to `limit` of
        them after the one named `after`."""
        await self._on.gate.admit(actor, Right.READ, project)
        return await self._on.store.stack_page(project, phase=phase, name=name, after=after, limit=limit)

    async def get(self, actor: Actor, where: Where) -> Stack:
        """One stack."""
        return await self._on.gate.stack(actor, Right.READ, where)

    async def apply(self, actor: Actor, where: Where, wish: Wish, expected: int | None = None) -> Accepted:
        """Saves the wish as the stack's next generation, synced, and wakes the engine. `expected`: the
        generation the caller knows (0: the stack must not exist; None: whatever). DocumentError, QuotaError,
        ConflictError."""
        await self._on.gate.enter(actor, Right.WRITE, where)
        async with self.turn(where):
            for attempt in range(ATTEMPTS):
                try:
                    return await self._apply(actor, where, wish, expected)
                except ConflictError as error:
                    # the engine rolled it back, or it went away, while the documents were compiled
                    mends = error.code == ConflictError.code
                    if expected is not None or attempt == ATTEMPTS - 1 or not mends:
                        raise
        raise AssertionError("the last attempt returns or raises")

    async def _apply(self, actor: Actor, where: Where, wish: Wish, expected: int | None) -> Accepted:
        found = await self._current(where, expected)
        stack = found or self._new(where)
        await allow(self._on.store, stack, SUSPENDED)
        prepared = await self._prepared(actor, where, found, stack, wish)
        if wish.plan:
            plan = await self._planned(stack, prepared)
            moved(wish.plan, self._seal.digest(plan, wish.source), where.stack)
        generation = self._generation(actor, stack, prepared, wish)
        described = msgspec.structs.replace(stack, description=prepared.graph.description)
        try:
            saved = await self.save(described, generation, stack.generation)
        except DocumentError as error:
            raise DocumentError(flavors(error.problems, wish.source)) from error
        return Accepted(saved, found is None, prepared.warnings)

    async def plan(
        self, actor: Actor, where: Where, wish: Wish, expected: int | None = None, *, seal: bool = False
    ) -> Preview:
        """What `apply` would do now; saves nothing. `seal`: also as it can be kept and applied later."""
        await self._on.gate.enter(actor, Right.READ, where)
        found = await self._current(where, expected)
        stack = found or self._new(where)
        prepared = await self._prepared(actor, where, found, stack, wish)
        await self._on.store.hinder(stack, self._generation(actor, stack, prepared, wish))
        plan = await self._planned(stack, prepared)
        try:
            quota = await outlook(self._on, stack, plan, prepared.graph)
        except DocumentError as error:
            raise DocumentError(flavors(error.problems, wish.source)) from error
        digest = self._seal.digest(plan, wish.source)
        moved(wish.plan, digest, where.stack)
        sealed = self._seal.close(where, wish, digest) if seal else ""
        warnings = prepared.warnings
        if found is not None and (await marks(self._on.store, found))[SUSPENDED]:
            said = f"the stack is suspended: nothing of this is done before `terrace resume {where.stack}`"
            warnings = (*warnings, Problem(said, code="suspended", severity="warning"))
        return Preview(plan, warnings, digest, sealed, quota)

    async def unseal(self, actor: Actor, where: Where, sealed: str) -> Wish:
        """The wish in a plan that was kept. UserError."""
        await self._on.gate.enter(actor, Right.READ, where)
        return self._seal.open(sealed, where)

    async def _prepared(
        self, actor: Actor, where: Where, found: Stack | None, stack: Stack, wish: Wish
    ) -> Prepared:
        prepared = await self._admission.prepare(where, stack.id, wish, await self._parameters(found))
        await vouch(self._on.gate, actor, stack.project, prepared.graph)
        await check_named(self._on.vault, where.project, prepared.graph)
        graph = await self._in_part(found, prepared.graph, wish)
        return msgspec.structs.replace(prepared, graph=graph)

    def _generation(self, actor: Actor, stack: Stack, prepared: Prepared, wish: Wish) -> Generation:
        return Generation(
            number=stack.generation + 1,
            graph=prepared.graph,
            source=prepared.source,
            created=self._on.clock.now(),
            who=actor.name,
            timeout=wish.timeout or self._on.defaults.timeout,
            on_failure=wish.on_failure or self._on.defaults.on_failure,
            parameters=prepared.parameters,
        )

    async def _planned(self, stack: Stack, prepared: Prepared) -> Plan:
        plan = await self._on.controller.plan(stack, prepared.graph)
        return msgspec.structs.replace(plan, stack=stack.name)

    async def delete(
        self,
        actor: Actor,
        where: Where,
        expected: int | None = None,
        *,
        forget: bool = False,
        force: bool = False,
    ) -> Stack:
        """Wants nothing of the stack any more. `forget`: what cannot be reached is given up; `force`: also when
        other stacks use its outputs, which then keep what they have. ConflictError."""
        needed = Right.OPERATE if forget or force else Right.WRITE
        await allow(self._on.store, await self._on.gate.stack(actor, needed, where), PROTECTED)
        async with self.turn(where):
            stack = await self._current(where, expected)
            if stack is None:
                raise NotFoundError(f'there is no stack "{where.stack}"', hint="terrace list")
            if not await self._deleting(stack):
                generation = self._ending(actor, stack)
                going = msgspec.structs.replace(stack, phase=Phase.DELETING, why="")
                stack = await self.save(going, generation, stack.generation, force=force)
            if forget:
                await self._on.store.mark_forget(stack.id)
                self._on.controller.wake(stack.id)
        return stack

    def _ending(self, actor: Actor, stack: Stack) -> Generation:
        return Generation(
            number=stack.generation + 1,
            graph=Graph(description=stack.description),
            source=Source(""),
            created=self._on.clock.now(),
            who=actor.name,
            why="down",
            deleting=True,
        )

    async def plan_delete(self, actor: Actor, where: Where, *, force: bool = False) -> Preview:
        """What `delete` would do now; saves nothing. ConflictError when that is refused."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        await self._on.store.hinder(stack, self._ending(actor, stack), force=force)
        plan = await self._on.controller.plan(stack, Graph(), deleting=True)
        return Preview(msgspec.structs.replace(plan, stack=where.stack))

    async def retry(self, actor: Actor, where: Where) -> Stack:
        """Tries at once what failed, also what failed for good."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        await self._on.store.bump_retries(stack.id)
        self._on.controller.wake(stack.id)
        return stack

    def close(self) -> None:
        """Whoever waits gets the stack as it now is."""
        self._closing = True
        self._on.controller.bell.ring()

    async def wait(self, actor: Actor, stack: Stack, timeout: float, *, gone: bool = False) -> Stack:
        """The stack once its generation has settled or failed, or once it is `gone` (then with that phase),
        or as it is after `timeout` seconds, or when the server stops."""
        await self._on.gate.admit(actor, Right.READ, stack.project, stack.name)
        wanted = stack.generation
        deadline = self._on.clock.now() + timeout
        while True:
            rung = self._on.controller.bell.count
            now = await self._on.store.stack(stack.id)
            if now is None:
                return msgspec.structs.replace(stack, phase=Phase.GONE, why="", total=0, ready=0, failing=0)
            if not gone and (ended := await self._ended(now, wanted)) is not None:
                return ended
            left = deadline - self._on.clock.now()
            if left <= 0 or self._closing:
                return now
            await self._on.controller.bell.wait(rung, min(left, 5.0))

    async def save(
        self,
        stack: Stack,
        generation: Generation,
        expected: int | None,
        records: Sequence[Record] = (),
        *,
        force: bool = False,
    ) -> Stack:
        """Saves and wakes; also for the other ways to a new generation. `records` as in Store.save_generation.
        ConflictError when the stack moved meanwhile, or other stacks stand in the way (unless `force`)."""
        if not generation.deleting:
            await self._admission.within_reach(stack.project, generation.graph)
        generation = await counted(self._on, stack, generation)
        try:
            saved = await self._on.store.save_generation(stack, generation, expected, records, force=force)
        except OverflowError as error:
            raise QuotaError(
                "the documents hold a number with more than 64 bits", code="number-too-large"
            ) from error
        self._on.controller.wake(saved.id)
        return saved

    def turn(self, where: Where) -> asyncio.Lock:
        """Held for one change of a stack: two people who make the same stack at once do not get half of
        each."""
        return self._turns.setdefault(where, asyncio.Lock())

    # --- inside

    async def _in_part(self, stack: Stack | None, graph: Graph, wish: Wish) -> Graph:
        """The graph as far as the wish is to be applied; the rest is as it was wanted before."""
        if not wish.targets and not wish.excludes:
            return graph
        before = await self._on.store.generation(stack.id, stack.generation) if stack else None
        return in_part(graph, before.graph if before else Graph(), wish.targets, wish.excludes)

    def _new(self, where: Where) -> Stack:
        now = self._on.clock.now()
        return Stack(
            self._on.entropy.uid(), where.project, where.stack, 0, created=now, updated=now, since=now
        )

    async def _current(self, where: Where, expected: int | None) -> Stack | None:
        found = await self._on.store.find_stack(where.project, where.stack)
        at = found.generation if found else 0
        if expected is not None and at != expected:
            says = f"is at generation {at}, not {expected}" if at else "does not exist"
            says = "exists already" if expected == 0 else says
            raise ConflictError(
                f'stack "{where.stack}" {says}', code="generation-mismatch", hint="look again, then ask again"
            )
        return found

    async def _parameters(self, stack: Stack | None) -> dict[str, Any]:
        """The parameters that a stack has now."""
        newest = await self._on.store.generations(stack.id) if stack is not None else []
        return newest[0].parameters if newest else {}

    async def _deleting(self, stack: Stack) -> bool:
        newest = await self._on.store.generations(stack.id)
        return bool(newest) and newest[0].deleting

    async def _ended(self, stack: Stack, wanted: int) -> Stack | None:
        """The stack as it is to be shown when generation `wanted` is over and done with, else None."""
        if stack.settled >= wanted:
            return stack
        if stack.phase is not Phase.FAILING and stack.generation == wanted:
            return None
        for generation in await self._on.store.generations(stack.id):
            if generation.number == wanted and generation.failed:
                rolled_back = stack.generation > wanted and generation.on_failure is OnFailure.ROLLBACK
                why = generation.failed + (
                    f"; rolled back as generation {stack.generation}" if rolled_back else ""
                )
                return msgspec.structs.replace(stack, phase=Phase.FAILING, why=why)
        return None
