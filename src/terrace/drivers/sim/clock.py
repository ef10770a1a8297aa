"""Clock and entropy of a simulation: virtual time, and randomness that follows from a seed."""

from __future__ import annotations

import asyncio
import random

START = 1_750_000_000.0
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class SimClock:
    """ports.Clock over the running loop's time. `start` is the epoch second at which the loop's time is 0;
    another `start` on one engine is a clock that goes wrong."""

    def __init__(self, start: float = START) -> None:
        self._start = start

    def now(self) -> float:
        """Epoch seconds."""
        return self._start + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Comes back after `seconds` of the loop's time."""
        await asyncio.sleep(seconds)


class SimEntropy:
    """ports.Entropy from a seed: the same seed gives the same ids, numbers and bytes in the same order."""

    def __init__(self, seed: int | str = 0) -> None:
        self._random = random.Random(f"entropy {seed}")

    def uid(self) -> str:
        """20 characters of [a-z0-9]."""
        return "".join(self._random.choices(ALPHABET, k=20))

    def random(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def bytes(self, count: int) -> bytes:
        """As unpredictable as the seed."""
        return self._random.randbytes(count)
