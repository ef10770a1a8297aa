"""The real clock and the real entropy."""

from __future__ import annotations

import asyncio
import random
import secrets
import time

# What each random byte becomes: 32 letters divide 256 evenly, so all are equally likely.
_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8


class SystemClock:
    """Time of this computer."""

    def now(self) -> float:
        """Epoch seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Comes back after `seconds`."""
        await asyncio.sleep(seconds)


class SystemEntropy:
    """Randomness of this computer."""

    def uid(self) -> str:
        """20 characters of [a-z2-7]: 100 bits."""
        return secrets.token_bytes(20).translate(_LETTERS).decode()

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
        return random.random()

    def bytes(self, count: int) -> bytes:
        """Unpredictable bytes."""
        return secrets.token_bytes(count)
