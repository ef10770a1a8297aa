"""The real clock and the real entropy."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from base64 import b32encode


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
        return b32encode(secrets.token_bytes(13))[:20].decode().lower()

    def random(self) -> float:
        """A number in [0, 1), for jitter."""
        return random.random()

    def bytes(self, count: int) -> bytes:
        """Unpredictable bytes."""
        return secrets.token_bytes(count)
