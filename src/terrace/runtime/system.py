"""The real clock and the real entropy."""

from __future__ import annotations

import asyncio
import random
import secrets
import string
import time

ALPHABET = string.ascii_lowercase + string.digits


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
        """20 characters of [a-z0-9]: 103 bits."""
        return "".join(secrets.choice(ALPHABET) for _ in range(20))

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
        return random.random()

    def bytes(self, count: int) -> bytes:
        """Unpredictable bytes."""
        return secrets.token_bytes(count)
