"""Holding leases: taken when a stack is worked on, kept while we live, checked before every request."""

from __future__ import annotations

from typing import Protocol

from terrace.errors import LeaseLostError
from terrace.model.stack import Lease
from terrace.runtime.patience import PatientStore


class Leases(Protocol):
    """How this process holds leases."""

    async def take(self, scope: str) -> Lease | None:
        """Takes a lease, or gives the one that we have; None when another holds it."""

    async def give(self, lease: Lease) -> None:
        """Gives it back."""

    def check(self, timeout: float) -> None:
        """Raises LeaseLostError unless what we hold is ours for another `timeout` seconds."""


class Alone:
    """The leases of a process that has its store to itself: as long as it lives no other can be there, so nothing runs
    out and nothing need be renewed."""

    def __init__(self, store: PatientStore, holder: str, duration: float) -> None:
        self._store = store
        self._holder = holder
        self._duration = duration

    async def take(self, scope: str) -> Lease | None:
        """See Leases."""
        return await self._store.acquire(scope, self._holder, self._duration)

    async def give(self, lease: Lease) -> None:
        """See Leases."""
        await self._store.release(lease)

    def check(self, timeout: float) -> None:
        """See Leases: always ours."""


class Holding:
    """One lease of ours. Also the Fence of the steps that run under it."""

    def __init__(self, leases: Leases, scope: str, lease: Lease | None = None) -> None:
        self._leases = leases
        self.scope = scope
        self.lease = lease
        self.lost = False

    async def take(self) -> bool:
        """Takes it or makes sure of it; False when another holds it, or did since."""
        lease = await self._leases.take(self.scope)
        if lease is None or (self.lease is not None and lease.epoch != self.lease.epoch):
            self.lost = self.lease is not None
            self.lease = None
            return False
        self.lease = lease
        return True

    async def release(self) -> None:
        """Gives it back."""
        lease, self.lease = self.lease, None
        if lease is not None:
            await self._leases.give(lease)

    @property
    def epoch(self) -> int:
        """The epoch to write under; 0 without a lease."""
        return self.lease.epoch if self.lease else 0

    def check(self, timeout: float) -> None:
        """Raises LeaseLostError unless the lease outlives a request of `timeout` seconds from now."""
        if self.lease is None:
            raise LeaseLostError(f"the lease on {self.scope} is not ours")
        self._leases.check(timeout)
