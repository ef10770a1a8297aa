"""Ending a change that is under way, and other names for resources and stacks."""

from __future__ import annotations

import msgspec

from terrace.engine.blend import blend
from terrace.errors import ConflictError, NotFoundError
from terrace.model.event import Event
from terrace.model.graph import Graph
from terrace.model.plan import Planned
from terrace.model.stack import Directive, Generation, Stack
from terrace.services.gate import Actor, Right, Surface, Where, check_path, check_stack
from terrace.services.history import History
from terrace.services.plans.elsewhere import vouch
from terrace.services.stacks import Stacks


class Changing:
    """Use cases about changes under way, and about names."""

    def __init__(self, surface: Surface, stacks: Stacks, history: History) -> None:
        self._on = surface
        self._stacks = stacks
        self._history = history

    async def cancel(self, actor: Actor, where: Where, *, rollback: bool = False) -> Stack:
        """Ends the change under way: what is done is kept, all else is wanted as it was before; or, with
        `rollback`, the last settled generation is wanted again. ConflictError when there is nothing to end."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        if rollback:
            await self._under_way(stack)
            return await self._history.rollback(actor, where, stack.settled or None)
        async with self._stacks.turn(where):
            stack = await self._on.gate.stack(actor, Right.READ, where)
            current = await self._under_way(stack)
            before = await self._before(stack)
            done = await self._done(stack, current, before.graph)
            graph = blend(current.graph, before.graph, lambda path: path in done)
            await vouch(self._on.gate, actor, stack.project, graph)
            again = msgspec.structs.replace(
                before,
                number=stack.generation + 1,
                graph=graph,
                created=self._on.clock.now(),
                who=actor.name,
                why=f"cancel of {current.number}",
                restores=0,
                settled=0.0,
                failed="",
                timeout=current.timeout,
                on_failure=current.on_failure,
            )
            return await self._stacks.save(stack, again, stack.generation)

    async def move(self, actor: Actor, where: Where, old: str, new: str) -> Stack:
        """The resource at `old` is that at `new` as soon as a template names `new` and no longer `old`. NotFoundError,
        ConflictError."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        for path in (old, new):
            check_path(path)
        taken = {record.path for record in await self._on.store.records(stack.id) if not record.departing}
        if old not in taken:
            raise NotFoundError(
                f'stack "{where.stack}" has no resource "{old}"', hint=f"terrace status {where.stack}"
            )
        if new in taken:
            raise ConflictError(f'stack "{where.stack}" has a resource "{new}" already', code="name-taken")
        if "/" in old + new:
            raise ConflictError(
                "what is inside a group or a nested template moves with it alone", code="not-possible"
            )
        wish = Directive(stack.id, new, "moved", old, actor.name, at=self._on.clock.now())
        await self._on.store.direct([wish])
        await self._on.controller.heed(stack.id)
        return stack

    async def rename(self, actor: Actor, where: Where, name: str) -> Stack:
        """Another name for the stack; nothing of it changes. ConflictError when the name is taken, or others read the
        stack's outputs by the one it has."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        check_stack(name)
        async with self._stacks.turn(where):
            await self._unread(stack)
            await self._on.store.rename(stack.id, name)
            for reader in await self._on.store.readers(stack.project, name):
                self._on.controller.wake(reader, rung=False)
        said = f"{where.stack} is called {name} from now on"
        now = self._on.clock.now()
        renamed = Event("stack.renamed", now, stack=stack.id, message=said, project=stack.project)
        await self._on.store.publish([renamed])
        self._on.controller.bell.ring()
        await self._on.controller.heed(stack.id)
        return await self._on.store.stack(stack.id) or stack

    # --- inside

    async def _unread(self, stack: Stack) -> None:
        readers = await self._on.store.readers(stack.project, stack.name)
        names = [found.name for one in readers if (found := await self._on.store.stack(one)) is not None]
        if names:
            raise ConflictError(
                f"{stack.name} is in use by {', '.join(sorted(names))}, by the name it has",
                code="export-in-use",
                hint="change what they read first",
            )

    async def _under_way(self, stack: Stack) -> Generation:
        current = await self._on.store.generation(stack.id, stack.generation)
        if current is None or current.deleting or stack.settled >= stack.generation:
            why = (
                "a deletion cannot be cancelled"
                if current and current.deleting
                else "it stands as it is wanted"
            )
            raise ConflictError(
                f'stack "{stack.name}": there is no change to cancel: {why}',
                code="nothing-to-cancel",
                hint=f"terrace status {stack.name}",
            )
        return current

    async def _before(self, stack: Stack) -> Generation:
        """What was wanted before: the last that settled, else the generation before, else nothing."""
        number = stack.settled or stack.generation - 1
        found = await self._on.store.generation(stack.id, number) if number else None
        if found is not None and not found.deleting:
            return found
        current = await self._on.store.generation(stack.id, stack.generation)
        assert current is not None
        return msgspec.structs.replace(current, graph=Graph(description=current.graph.description))

    async def _done(self, stack: Stack, current: Generation, before: Graph) -> set[str]:
        """Paths at the top at which the change is complete: the plan has nothing more to do there."""
        plan = await self._on.controller.plan(stack, current.graph)
        done = {item.path for item in plan.items if item.what is Planned.NOTHING}
        records = await self._on.store.records(stack.id)
        busy = {record.path.partition("/")[0] for record in records if record.intent or record.departing}
        there = {record.path for record in records}
        wanted = {node.path for node in current.graph.nodes}
        removed = {node.path for node in before.nodes if node.path not in wanted | there}
        return (done - busy) | removed
