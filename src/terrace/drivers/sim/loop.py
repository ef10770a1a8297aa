"""An event loop whose time is virtual: when nothing can run it jumps to the next timer.

An hour costs no time, and runs replay exactly.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

REAL_PATIENCE = 5.0
TURNS_PER_INSTANT = 200_000


class StalledError(RuntimeError):
    """Nothing will ever happen again (no timer, nothing ready), or too much happens without time passing."""


class _JumpingSelector(selectors.DefaultSelector):
    """Asks for I/O without waiting, and moves the loop's time instead of sleeping."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready:
            return ready
        if timeout is None:
            # No timer is set: only another thread could wake this loop, and that takes real time.
            ready = super().select(REAL_PATIENCE)
            if not ready:
                raise StalledError("the simulation is stuck: every task waits and no timer is set")
            return ready
        self.loop.pass_time(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and is in seconds. `turns` counts the loop's iterations; `on_turn`, if set, is
    called before each (a simulator may strike there). Threads must not be used under it:
    their real time would be lost."""

    def __init__(self) -> None:
        self._virtual = 0.0
        self._idle_turns = 0
        self.turns = 0
        self.on_turn: Callable[[int], None] | None = None
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual

    def pass_time(self, seconds: float) -> None:
        """Moves time on."""
        if seconds > 0:
            self._virtual += seconds
            self._idle_turns = 0

    def _run_once(self) -> None:
        self.turns += 1
        self._idle_turns += 1
        if self._idle_turns > TURNS_PER_INSTANT:
            raise StalledError(f"{TURNS_PER_INSTANT} turns of the loop at one instant: something spins")
        if self.on_turn is not None:
            self.on_turn(self.turns)
        super()._run_once()  # type: ignore[misc]


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` to its end under virtual time, then cancels what it left behind."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)
