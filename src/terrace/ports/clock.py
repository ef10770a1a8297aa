"""Time, identifiers and entropy, as arguments."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The one source of time."""

    def now(self) -> float:
        """Epoch seconds."""

    async def sleep(self, seconds: float) -> None:
        """Comes back after `seconds`."""


class Entropy(Protocol):
    """The one source of randomness."""

    def uid(self) -> str:
        """A new identifier, 20 characters of [a-z0-9], never used before."""

    def random(self) -> float:
        """A number in [0, 1), for jitter."""

    def bytes(self, count: int) -> bytes:
        """Unpredictable bytes, for secrets."""
