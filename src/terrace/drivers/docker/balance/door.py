"""Steps for load balancers and for what stands on them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from terrace.drivers.docker.balance import parts
from terrace.drivers.docker.balance.balancers import Balancers
from terrace.drivers.docker.balance.changes import Standing, commands
from terrace.drivers.docker.balance.config import mismatch
from terrace.drivers.docker.balance.inside import Inside, Kept
from terrace.drivers.docker.balance.notes import refused
from terrace.drivers.docker.balance.parts import BALANCER, KINDS, Books, Part
from terrace.drivers.docker.wire.client import Engine
from terrace.drivers.docker.wire.faults import Refusal
from terrace.errors import CapabilityError, PermanentError, ProviderError, TransientError
from terrace.model.seen import Seen
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.clock import Clock
from terrace.ports.driver import Fence

IN_PLACE: Final = {
    BALANCER: frozenset({"security_groups", "enabled", "intact"}),
    "Listener": frozenset({"pool", "limit", "allowed", "enabled"}),
    "Pool": frozenset({"algorithm", "persistence", "cookie", "tls", "enabled"}),
    "PoolMember": frozenset({"weight", "enabled"}),
    "HealthMonitor": frozenset(
        {"delay", "timeout", "retries", "failures", "path", "method", "codes", "enabled"}
    ),
}
DRAIN: Final = 30.0  # seconds that a member may take to finish what it has begun
_LOOK_AGAIN: Final = 0.5
_FRESH: Final = 3.0  # seconds for which what a proxy said of its members is new enough


class Door:
    """Carries out steps, one at a time for each load balancer, and shows what stands on them."""

    def __init__(self, engine: Engine, clock: Clock, balancers: Balancers) -> None:
        self._engine = engine
        self._clock = clock
        self._balancers = balancers
        self._inside = Inside(engine, clock)
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._standings: dict[str, dict[str, Standing]] = {}
        self._asked: dict[str, float] = {}  # when a proxy was last asked how its members are

    async def apply(self, step: Step, fence: Fence) -> Receipt:
        """One step; what was seen afterwards."""
        if step.kind == BALANCER:
            return await self._balancer(step, fence)
        if step.verb is Verb.DELETE:
            return await self._remove(step, fence)
        if step.verb not in (Verb.CREATE, Verb.UPDATE):
            raise PermanentError(f"what stands on a load balancer cannot be told to {step.verb}")
        why = refused(step.kind, step.spec)
        if why:
            raise CapabilityError(why)
        return await self._put(step, fence)

    async def shown(self, items: Iterable[Seen]) -> list[Seen]:
        """`items`, load balancers with what they hold, and all that stands on them."""
        given = list(items)
        found = await asyncio.gather(*(self._look(seen) for seen in given if seen.kind == BALANCER))
        return [*(seen for seen in given if seen.kind != BALANCER), *(one for few in found for one in few)]

    # --- load balancers
    async def _balancer(self, step: Step, fence: Fence) -> Receipt:
        if step.verb is Verb.DELETE:
            self._forget(step.provider_id)
            return await self._balancers.apply(step, fence)
        if step.verb is Verb.CREATE:
            receipt = await self._balancers.create(step, fence)
        else:
            receipt = await self._change(step, fence)
        if receipt.seen is None:
            return receipt
        return replace(receipt, seen=(await self._look(receipt.seen))[0])

    async def _change(self, step: Step, fence: Fence) -> Receipt:
        """What it is, and that it runs; a proxy that stood still hears what happened meanwhile."""
        container = step.provider_id
        async with self._turns[container]:
            there = await self._there(container)
            if there is None:
                return Receipt.done(None)
            kept = await self._inside.look(container)
            before = kept.books or self._balancers.blank(step, there)
            books = replace(before, owner=step.owner, spec=step.spec)
            receipt = await self._balancers.apply(step, fence, books)
            runs = receipt.seen is not None and receipt.seen.state == "running"
            if not runs:
                await self._inside.lay(container, books, fence)
            elif step.verb in (Verb.UPDATE, Verb.UNPAUSE):
                quiet = step.verb is Verb.UPDATE and kept.intact and "intact" not in step.fields
                said = commands(before, books) if quiet else None
                self._standings[container] = await self._inside.bring(container, books, said, fence)
        return receipt

    # --- what stands on them
    async def _put(self, step: Step, fence: Fence) -> Receipt:
        container = parts.container_of(step.provider_id or parts.parent_of(step.spec))
        there = await self._there(container)
        if there is None or there["State"]["Status"] != "running":
            how = "is not there" if there is None else "does not run"
            raise TransientError(f"load balancer {container[:12]} {how}", code="missing")
        container = there["Id"]
        async with self._turns[container]:
            kept = await self._inside.look(container)
            if kept.books is None:
                raise TransientError("the load balancer's records are broken, and are being made anew")
            books = kept.books.put(Part(step.kind, step.owner, step.spec))
            wrong = _without_parent(step, kept.books)
            if wrong:
                raise TransientError(wrong, code="missing")
            if wrong := mismatch(books):
                raise PermanentError(wrong)
            await self._balancers.join(container, books, fence)
            if books != kept.books or not kept.intact:
                said = commands(kept.books, books) if kept.intact else None
                self._standings[container] = await self._inside.bring(container, books, said, fence)
        return Receipt.done(parts.seen(books, step.owner, container, self._statuses(container)))

    async def _remove(self, step: Step, fence: Fence) -> Receipt:
        container = parts.container_of(step.provider_id)
        there = await self._there(container) if container else None
        if there is None:
            return Receipt.done(None)
        container = there["Id"]
        runs = there["State"]["Status"] == "running"
        async with self._turns[container]:
            kept = await self._inside.look(container)
            part = kept.books.find(step.owner.token) if kept.books is not None else None
            if part is None or kept.books is None:
                return Receipt.done(None)
            books = kept.books.without(part.token)
            if not runs:
                await self._inside.lay(container, books, fence)
                return Receipt.done(None)
            if part.kind == "PoolMember" and not await self._drained(container, kept, part, step, fence):
                return self._draining(container, kept.books, part, step)
            before = kept.books.put(replace(part, leaving=True)) if part.kind == "PoolMember" else kept.books
            said = commands(before, books) if kept.intact else None
            self._standings[container] = await self._inside.bring(container, books, said, fence)
            await self._balancers.join(container, books, fence)
        return Receipt.done(None)

    async def _drained(self, container: str, kept: Kept, part: Part, step: Step, fence: Fence) -> bool:
        """Whether a member has finished what it had begun, or has had the time to."""
        if kept.books is not None and not part.leaving:
            leaving = kept.books.put(replace(part, leaving=True))
            said = commands(kept.books, leaving) if kept.intact else None
            standings = await self._inside.bring(container, leaving, said, fence)
        else:
            standings = await self._inside.ask(container)
        self._standings[container] = standings
        since = float(step.handle or self._clock.now())
        busy = standings.get(part.token, Standing()).connections
        return not busy or self._clock.now() >= since + DRAIN

    def _draining(self, container: str, books: Books, part: Part, step: Step) -> Receipt:
        busy = self._standings[container].get(part.token, Standing()).connections
        seen = parts.seen(
            books.put(replace(part, leaving=True)), part.owner, container, self._statuses(container)
        )
        note = f"it finishes {busy} connection{'s' if busy != 1 else ''}"
        return Receipt.pending(step.handle or str(self._clock.now()), _LOOK_AGAIN, note, seen)

    # --- looking
    async def _there(self, container: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = await self._engine.read(f"/containers/{container}/json")
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        return found

    async def _look(self, seen: Seen) -> list[Seen]:
        """A load balancer, and what stands on it."""
        container = seen.provider_id
        busy = self._turns[container].locked()
        try:
            kept = await self._inside.look(container)
        except Refusal as refusal:
            if refusal.status == 404:
                return []  # it went away between the listing and now
            raise
        if kept.books is None:
            return [self._balancers.shown(seen, None, intact=busy)]
        own = self._balancers.shown(seen, kept.books, intact=kept.intact or busy)
        if seen.owner is None or not seen.complete:
            return [own]
        ours = replace(
            kept.books,
            parts=tuple(one for one in kept.books.parts if one.owner.installation == seen.owner.installation),
        )
        if seen.state == "running" and not busy and ours.of("HealthMonitor"):
            await self._ask(container)
        return [own, *parts.shown(ours, container, self._statuses(container))]

    async def _ask(self, container: str) -> None:
        """How the members are, asked now and then: it is there to be looked at, and nothing hangs on it."""
        now = self._clock.now()
        if now < self._asked.get(container, 0.0) + _FRESH:
            return
        self._asked[container] = now
        with suppress(ProviderError, Refusal):  # it ends just now, or is busy
            self._standings[container] = await self._inside.ask(container)

    def _forget(self, container: str) -> None:
        for kept in (self._turns, self._standings, self._asked):
            kept.pop(container, None)

    def _statuses(self, container: str) -> dict[str, str]:
        return {token: one.status for token, one in self._standings.get(container, {}).items()}


def _without_parent(step: Step, books: Books) -> str:
    """Why something cannot stand on a load balancer yet: what it belongs to is not there; "" when it can."""
    for name in ("listener", "pool"):
        token = parts.token_of(getattr(step.spec, name, ""))
        if token and books.find(token) is None:
            return f"{name} {token} is not on the load balancer"
    return ""


__all__ = ["IN_PLACE", "KINDS", "Door"]
