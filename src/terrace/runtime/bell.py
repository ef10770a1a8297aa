"""Wakes whoever watches events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Rings after commits that carry events. `count` rises with every ring: read it, look into the store, and
    wait for a later count. `on_ring` is called for what happened in this process."""

    def __init__(self) -> None:
        self.count = 0
        self.on_ring: Callable[[], None] = lambda: None
        self._event = asyncio.Event()

    def ring(self, *, elsewhere: bool = False) -> None:
        """Wakes all who wait. `elsewhere`: for something that another process did."""
        self.count += 1
        if not elsewhere:
            self.on_ring()
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self, after: int, timeout: float) -> bool:
        """Whether it rang after `count` was `after`, within `timeout` seconds."""
        if self.count > after:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return False
        return True
