"""Sizes of groups, as people and policies set them. The newest counts, and it is kept who set it and why."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

import msgspec

from terrace.engine.stack.state import Live, StackState
from terrace.errors import ConflictError, TransientError, UserError
from terrace.kinds.group.size import SIZE, Size, adjusted, current, kept
from terrace.model.spec.signal import PolicySpec
from terrace.model.stack import Directive, Stack
from terrace.ports.stacks import Ring
from terrace.services.gate import Actor, Right, Surface, Where
from terrace.services.signals.finding import standing
from terrace.services.signals.heard import heard, tell

GROUPS = ("Group", "AutoScalingGroup")
SCALED = "scaled"
RUNG = "rung/"
"""The beginning of the name of a directive that says which call of an alarm was the last to change a size."""


class Taken(msgspec.Struct, frozen=True):
    """What became of a signal: `id` is the one it is kept under ("" for one to a policy), `message` one line."""

    id: str
    status: str
    message: str


class SizeView(msgspec.Struct, frozen=True):
    """How many members a group is to have, who said so and why, when (epoch seconds, 0: it was the template), and how
    many it may have."""

    path: str
    size: int
    who: str
    why: str
    at: float
    minimum: int
    maximum: int


class Sizes:
    """Use cases about how many members groups have."""

    def __init__(self, surface: Surface) -> None:
        self._on = surface
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def scale(self, actor: Actor, where: Where, path: str, size: int, why: str = "") -> Stack:
        """Has a group have `size` members, at the word of a person. UserError when its bounds do not allow that."""
        stack = await self._on.gate.stack(actor, Right.WRITE, where)
        state, live = await self._group(stack, path)
        async with self._turn(stack.id):
            bounds = live.wanted.spec.bounds  # type: ignore[union-attr]  # _group looked
            if bounds.within(size) != size:
                raise UserError(
                    f'"{path}" has from {bounds.minimum} to {bounds.maximum} members, not {size}',
                    code="out-of-bounds",
                    hint="its template sets the bounds",
                )
            wish = await self._wish(state, live, size, actor.name, why or "terrace scale")
            await self._on.store.direct([wish])
        said = f"{size} members, said by {actor.name}" + (f": {why}" if why else "")
        await tell(self._on, stack.id, "group.scaled", path, said)
        return await heard(self._on, stack, live.uid, lambda now: _number(now) >= wish.value["number"])

    async def get(self, actor: Actor, where: Where, path: str) -> SizeView:
        """How many members a group is to have, and who said so."""
        stack = await self._on.gate.stack(actor, Right.READ, where)
        state, live = await self._group(stack, path)
        bounds = live.wanted.spec.bounds  # type: ignore[union-attr]  # _group looked
        found = current(_memory(live), await self._said(state, path), live.uid, bounds)
        size = bounds.within(found.size)
        return SizeView(path, size, found.who, found.why, found.at, bounds.minimum, bounds.maximum)

    async def knocked(self, state: StackState, policy: Live, ring: Ring | None = None) -> Taken:
        """Has a policy change its group, unless that or the policy itself is cooling down. A `ring` that did so already
        does nothing when it comes again."""
        spec = policy.wanted.spec if policy.wanted is not None else None
        if not isinstance(spec, PolicySpec):
            raise TransientError(f"{policy.path} is not ready yet", retry_after=1.0)
        live = state.lives.get(spec.group)
        if live is None or live.wanted is None or live.wanted.node.kind not in GROUPS:
            raise ConflictError(f'{policy.path}: "{spec.group}" is no group that stands', code="no-group")
        async with self._turn(state.stack.id):
            said = await self._said(state, live.path)
            mine = await self._said(state, policy.path)
            if ring is not None and ring.number <= mine.get(RUNG + ring.alarm, 0):
                return Taken("", "DONE", f"{live.path} was changed by that already")
            now = self._on.clock.now()
            counts = current(_memory(live), said, live.uid, live.wanted.spec.bounds)
            busy = max(
                counts.at + getattr(live.wanted.spec, "cooldown", 0.0) if counts.at else 0.0,
                float(mine.get(SCALED, 0.0)) + spec.cooldown,
            )
            if now < busy:
                return Taken("", "COOLDOWN", f"nothing is done for another {busy - now:.0f} s: cooling down")
            before = live.wanted.spec.bounds.within(counts.size)
            after = adjusted(spec, before, live.wanted.spec.bounds)
            if after == before:
                return Taken("", "UNCHANGED", f"{live.path} stays at {before} members")
            why = f"{policy.path}: from {before}" + (f", called by {ring.name}" if ring is not None else "")
            marks = {SCALED: now} | ({} if ring is None else {RUNG + ring.alarm: ring.number})
            await self._on.store.direct(
                [
                    await self._wish(state, live, after, policy.path, why),
                    *(
                        Directive(state.stack.id, policy.path, what, one, policy.path, why, now)
                        for what, one in marks.items()
                    ),
                ]
            )
        words = f"{after} members, said by {policy.path}; it was {before}"
        await tell(self._on, state.stack.id, "group.scaled", live.path, words)
        return Taken("", "SCALED", f"{live.path} goes from {before} to {after} members")

    # --- inside

    def _turn(self, stack: str) -> asyncio.Lock:
        return self._turns.setdefault(stack, asyncio.Lock())

    async def _group(self, stack: Stack, path: str) -> tuple[StackState, Live]:
        record = await standing(self._on, stack, path)
        if record.kind not in GROUPS:
            raise ConflictError(
                f'"{path}" is a {record.kind}, which has no size',
                code="no-group",
                hint="groups have one: Terrace::Group, Terrace::AutoScalingGroup",
            )
        found = await self._on.controller.locate(record.uid)
        if found is None or found[1].wanted is None:
            raise TransientError(f'"{path}" is not known well enough yet', retry_after=1.0)
        return found

    async def _said(self, state: StackState, path: str) -> dict[str, Any]:
        said = await self._on.store.directives(state.stack.id)
        return {one.what: one.value for one in said if one.path == path}

    async def _wish(self, state: StackState, live: Live, size: int, who: str, why: str) -> Directive:
        """The newest word on a group's size."""
        said = kept((await self._said(state, live.path)).get(SIZE))
        known = kept(_memory(live).get(SIZE))
        number = 1 + max(one.number if one is not None else 0 for one in (said, known))
        wish = live.wanted.spec.bounds.wish  # type: ignore[union-attr]  # callers looked
        now = self._on.clock.now()
        fresh = Size(size, who, why, now, wish, number, live.uid)
        return Directive(state.stack.id, live.path, SIZE, msgspec.to_builtins(fresh), who, why, now)


def _number(live: Live) -> int:
    """How many words a group has heard of its size."""
    counts = kept(_memory(live).get(SIZE))
    return counts.number if counts is not None else 0


def _memory(live: Live) -> dict[str, Any]:
    return live.current.memory if live.current is not None else {}
