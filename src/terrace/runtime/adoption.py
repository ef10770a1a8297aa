"""Taking on what exists: it is looked up, and one resource at most may have it."""

from __future__ import annotations

from terrace.engine.turn.adopt import ADOPTED
from terrace.errors import PermanentError
from terrace.model.seen import Seen
from terrace.model.step import Step
from terrace.runtime.outside.reach import Reach, missing
from terrace.runtime.worker import Surroundings

PROMISED_FOR = 60.0
"""Seconds for which a thing that was looked up is kept for whoever asked, until the ledger says so."""


class Adoptions:
    """Those of one provider."""

    def __init__(self, provider: str, around: Surroundings, reach: Reach) -> None:
        self._reach = reach
        self._provider = provider
        self._around = around
        self._promised: dict[str, tuple[str, float]] = {}

    async def take_on(self, step: Step) -> Seen:
        """The thing that a step to ADOPT names. PermanentError when there is none, or it is somebody's."""
        driver = self._around.drivers[self._provider]
        seen = await driver.lookup(step.kind, step.provider_id)
        if seen is None or not await self._reach.permits(self._provider, step.names.project, seen):
            raise PermanentError(
                missing(step.kind, step.provider_id, self._provider),
                code="nothing-to-adopt",
                hint="name it by the provider's own id or name; `existing` in its settings says what may be named",
            )
        await self._check_labels(step, seen)
        for ruling in await self._around.store.rulings(self._provider):
            if ruling.provider_id == seen.provider_id and ruling.what == ADOPTED:
                self._check(step, ruling.uid, ruling.path)
        now = self._around.clock.now()
        uid, until = self._promised.get(seen.provider_id, ("", 0.0))
        if until > now:
            self._check(step, uid, "another resource")
        self._promised = {one: kept for one, kept in self._promised.items() if kept[1] > now}
        self._promised[seen.provider_id] = (step.owner.uid, now + PROMISED_FOR)
        return seen

    def _check(self, step: Step, uid: str, holder: str) -> None:
        if uid != step.owner.uid:
            raise PermanentError(
                f"{step.kind} {step.provider_id!r} has been taken on by {holder} already",
                code="already-adopted",
                hint="one resource at most can have it: take it out of the other stack first",
            )

    async def _check_labels(self, step: Step, seen: Seen) -> None:
        """What another installation made may be referred to, but never becomes ours."""
        owner = seen.owner
        if owner is None:
            return
        ours = owner.installation == self._around.installation
        if not ours and step.spec is not None:
            raise PermanentError(
                f"{step.kind} {step.provider_id!r} belongs to another installation of Terrace",
                code="already-adopted",
                hint="two installations never share a thing",
            )
        if ours and await self._around.store.known([owner]):
            self._check(step, owner.uid, "Terrace (it made it)")
