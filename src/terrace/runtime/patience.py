"""A store that does not answer is asked again until it does: workers and hubs wait, and then go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from terrace.errors import TransientError
from terrace.model.event import Event
from terrace.model.graph import Found, Name, Use
from terrace.model.record import Record
from terrace.model.seen import Owner
from terrace.model.spec.quota import Amounts, Shortage
from terrace.model.stack import Generation, Lease, Stack
from terrace.ports.clock import Clock
from terrace.ports.store import Desired, Ruling, Store

T = TypeVar("T")

FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0


class Patience:
    """Asks a store until it answers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        wait = FIRST_WAIT
        while True:
            try:
                return await ask()
            except TransientError:
                await self._clock.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)


class PatientCrossings(Patience):
    """What stacks are to be, and read of each other."""

    async def uses(self, stack: str) -> list[Use]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.uses(stack))

    async def exports(self, stack: str) -> dict[str, Any]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.exports(stack))

    async def imports(self, stack: str, names: Sequence[Name]) -> list[Found]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.imports(stack, names))

    async def desired(self, project: str, stack: str) -> Desired | None:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.desired(project, stack))

    async def granted(self, project: str, stack: str) -> tuple[Amounts, Amounts] | None:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.granted(project, stack))

    async def reserve(self, stack: str, wanted: Amounts) -> tuple[Shortage, ...]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.reserve(stack, wanted))

    async def readers(self, project: str, name: str) -> list[str]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.readers(project, name))


class PatientStore(PatientCrossings):
    """What workers and hubs use of ports.Store. Nobody waits for an answer behind them, so they wait for the
    store; the fence keeps what runs meanwhile from outliving its lease."""

    async def stack(self, stack: str) -> Stack | None:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.stack(stack))

    async def generation(self, stack: str, number: int) -> Generation | None:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.generation(stack, number))

    async def records(self, stack: str) -> list[Record]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.records(stack))

    async def known(self, owners: Sequence[Owner]) -> set[tuple[str, int]]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.known(owners))

    async def holders(self, uids: Sequence[str]) -> list[tuple[str, Record]]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.holders(uids))

    async def rulings(self, provider: str) -> list[Ruling]:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.rulings(provider))

    async def rule(self, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]] = ()) -> None:
        """As in ports.Store."""
        await self._until_answered(lambda: self._store.rule(rulings, unrulings))

    async def publish(self, events: Sequence[Event]) -> None:
        """As in ports.Store."""
        await self._until_answered(lambda: self._store.publish(events))

    async def acquire(self, scope: str, holder: str, duration: float) -> Lease | None:
        """As in ports.Store."""
        return await self._until_answered(lambda: self._store.acquire(scope, holder, duration))

    async def release(self, lease: Lease) -> None:
        """As in ports.Store; a lease that cannot be given back runs out."""
        try:
            await self._store.release(lease)
        except TransientError:
            return

    async def prune(self, *, events_before: float, events_kept: int, generations_kept: int) -> None:
        """As in ports.Store; what cannot be pruned now is pruned the next time."""
        try:
            await self._store.prune(
                events_before=events_before, events_kept=events_kept, generations_kept=generations_kept
            )
        except TransientError:
            return
