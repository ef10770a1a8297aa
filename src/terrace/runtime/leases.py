"""Holding leases: taken when a stack is worked on, renewed while we live, checked before every request."""

from __future__ import annotations

from terrace.errors import LeaseLostError
from terrace.model.stack import Lease
from terrace.ports.clock import Clock
from terrace.runtime.patience import PatientStore


class Holding:
    """One lease of ours, as last renewed. Also the Fence of the steps that run under it."""

    def __init__(self, store: PatientStore, clock: Clock, scope: str, holder: str, duration: float) -> None:
        self._store = store
        self._clock = clock
        self.scope = scope
        self.holder = holder
        self.duration = duration
        self.lease: Lease | None = None
        self.lost = False

    async def take(self) -> bool:
        """Takes or renews it; False when another holds it. The time counts from before the request, however long
        the store took to answer."""
        before = self._clock.now()
        lease = await self._store.acquire(self.scope, self.holder, self.duration)
        if lease is None or (self.lease is not None and lease.epoch != self.lease.epoch):
            self.lost = self.lease is not None
            self.lease = None
            return False
        self.lease = lease
        self._until = before + self.duration
        return True

    async def release(self) -> None:
        """Gives it back."""
        if self.lease is not None:
            await self._store.release(self.lease)
            self.lease = None

    @property
    def epoch(self) -> int:
        """The epoch to write under; 0 without a lease."""
        return self.lease.epoch if self.lease else 0

    def check(self, timeout: float) -> None:
        """Raises LeaseLostError unless the lease outlives a request of `timeout` seconds from now."""
        if self.lease is None or self._until <= self._clock.now() + timeout:
            raise LeaseLostError(f"the lease on {self.scope} does not outlive the request")
