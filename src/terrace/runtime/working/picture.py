"""Stacks as they can be looked at from this process, whoever works on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from terrace.engine.plan import make_plan
from terrace.engine.stack import read
from terrace.engine.stack.state import Live, Rules, StackState
from terrace.engine.turn import absorb, advance
from terrace.errors import NotFoundError, ProviderError, TransientError
from terrace.model.graph import Found, Graph
from terrace.model.plan import Plan
from terrace.model.seen import NotSeen, Present
from terrace.model.stack import Generation, Source, Stack
from terrace.ports.clock import Clock, Entropy
from terrace.ports.driver import Driver
from terrace.ports.store import Store
from terrace.runtime.hub import Hub, listing_of
from terrace.runtime.working.crew import Crew

LOOKS = 10
"""How often a plan is begun anew to look up what other stacks export: names may hang on what was found before."""


class Pictures:
    """Pictures of stacks: of the worker's own where it is here, else made from what is stored.

    `rules` gives those that decisions are made with; `silent` are the providers that cannot be listed, by name."""

    def __init__(
        self,
        store: Store,
        rules: Callable[[], Rules],
        sources: tuple[Clock, Entropy],
        drivers: Mapping[str, Driver],
    ) -> None:
        self.crew: Crew | None = None
        self.hubs: Mapping[str, Hub] = {}
        self.silent: dict[str, NotSeen] = {}
        self._store = store
        self._rules = rules
        self._clock, self._entropy = sources
        self._drivers = drivers

    async def plan(self, stack: Stack, graph: Graph, *, deleting: bool = False, fresh: bool = False) -> Plan:
        """As Controller.plan says."""
        found: list[Found] = []
        for _ in range(LOOKS):
            state = await self._for_plan(stack, found, fresh=fresh)
            now = self._clock.now()
            generation = Generation(stack.generation + 1, graph, Source(""), now, deleting=deleting)
            plan = make_plan(state, generation, now)
            asked = list(state.imports.asked)
            if not asked:
                break
            found += await self._store.imports(stack.id, asked)
        return plan

    async def outputs(self, stack_id: str) -> dict[str, Any]:
        """As Controller.outputs says."""
        worker = self.crew.here(stack_id) if self.crew is not None else None
        if worker is not None and worker.state.generation is not None:
            return read.outputs(worker.state)
        state = await self._stored(stack_id)
        if state is None:
            raise NotFoundError("the stack is not there")
        return read.outputs(state)

    async def find(self, uid: str, stack_id: str) -> tuple[StackState, Live] | None:
        """As Controller.locate says; `stack_id` is where it is ("" for nowhere)."""
        state = await self._stored(stack_id) if stack_id else None
        live = state.by_uid.get(uid) if state is not None else None
        return (state, live) if state is not None and live is not None else None

    async def _stored(self, stack_id: str) -> StackState | None:
        """A stack with its newest generation laid over what is remembered of it; nothing comes of what is decided on
        it here."""
        stack = await self._store.stack(stack_id)
        generation = await self._store.generation(stack_id, stack.generation) if stack else None
        if stack is None or generation is None:
            return None
        state = await self._restored(stack)
        now = self._clock.now()
        advance.desire(state, generation, now)
        names = list(state.imports.readers)
        if names:
            advance.arrive(state, await self._store.imports(stack_id, names), now)
        advance.advance(state, now)
        return state

    async def _restored(self, stack: Stack) -> StackState:
        state = StackState(stack, self._rules(), self._entropy.uid, await self._store.installation())
        state.offer = await self._store.offer(stack.project)
        state.restore(await self._store.records(stack.id))
        state.imports.restore(await self._store.uses(stack.id))
        advance.direct(state, await self._store.directives(stack.id))
        worker = self.crew.here(stack.id) if self.crew is not None else None
        if worker is None:
            self._remember_sightings(state)
        else:
            state.sightings.update(worker.state.sightings)
            for path, live in worker.state.lives.items():
                if path in state.lives:
                    state.lives[path].probe = live.probe
        return state

    def _remember_sightings(self, state: StackState) -> None:
        """What whoever works on the stack last wrote down counts as seen."""
        for live in state.lives.values():
            for record in live.records():
                if record.seen is not None:
                    state.sightings[record.key] = Present(record.seen)

    async def _for_plan(self, stack: Stack, found: Sequence[Found], *, fresh: bool) -> StackState:
        if stack.generation:
            state = await self._restored(stack)
            if fresh:
                await self._look_now(state)
        else:
            state = StackState(stack, self._rules(), self._entropy.uid, await self._store.installation())
            state.offer = await self._store.offer(stack.project)
        state.imports.arrive(found)
        state.silent.update(self.silent)
        for name, hub in self.hubs.items():
            if hub.trouble is not None:
                state.silent[name] = hub.trouble
        return state

    async def _look_now(self, state: StackState) -> None:
        """Every provider that the stack's records name is listed, whatever was seen before."""
        used = sorted({record.provider for live in state.lives.values() for record in live.records()})
        listed = [name for name in used if self._listable(name)]
        listings = await asyncio.gather(*(self._fresh(state, name) for name in listed))
        for name, listing in zip(listed, listings, strict=True):
            absorb.observe(state, name, listing, self._clock.now())

    def _listable(self, name: str) -> bool:
        driver = self._drivers.get(name)
        return driver is not None and bool(driver.capabilities.kinds - driver.capabilities.recorded)

    async def _fresh(self, state: StackState, name: str) -> absorb.Listing:
        if name in self.hubs:
            return await self.hubs[name].fresh()
        rulings, started = await self._store.rulings(name), self._clock.now()
        try:
            return await listing_of(self._drivers[name], state.installation, rulings, started)
        except ProviderError as error:
            raise TransientError(f"provider {name} cannot be reached: {error.message}") from error
