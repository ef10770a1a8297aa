"""Doors of a simulated process: what alarms call goes through the use cases of the server."""

from __future__ import annotations

from typing import Any

from terrace.drivers.sim.clock import SimEntropy
from terrace.errors import InvariantError
from terrace.ports.stacks import Order, Ring, Standing
from terrace.services.gate import Surface
from terrace.services.signals import Signals, Sizes
from terrace.stores.memory import MemoryStore
from tests.scenarios.process import GuardedStore, Process


class NoStacks:
    """ports.stacks.OwnStacks where no resource owns one."""

    async def order(self, order: Order) -> None:
        """Nobody asks."""
        raise InvariantError("no resource of a history owns a stack")

    async def standing(self, project: str, name: str, owner: str) -> Standing | None:
        """There is none."""
        return None

    async def delete(self, project: str, name: str, owner: str) -> None:
        """There is none."""


class Doors:
    """ports.stacks.Doors of one process."""

    def __init__(self, process: Process, store: MemoryStore, entropy: SimEntropy) -> None:
        self._process = process
        self._store = store
        self._entropy = entropy
        self._signals: Signals | None = None

    async def call(self, url: str, ring: Ring) -> str | None:
        """As the server does it."""
        if self._signals is None:
            parts: dict[str, Any] = {
                "gate": None,
                "store": GuardedStore(self._store, self._process),
                "controller": self._process.controller,
                "clock": self._process,
                "entropy": self._entropy,
                "telemetry": self._process,
                "vault": None,
            }
            surface = Surface(**parts)
            self._signals = Signals(surface, Sizes(surface))
        return await self._signals.call(url, ring)
