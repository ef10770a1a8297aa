"""What to look at again: now, and at which time."""

from __future__ import annotations

import heapq


class Agenda:
    """Paths to decide again in this turn, and paths with the time (epoch seconds) at which they are due."""

    def __init__(self) -> None:
        self._touched: dict[str, None] = {}
        self._timers: list[tuple[float, str]] = []
        self._when: dict[str, float] = {}

    def touch(self, path: str) -> None:
        """Look at this path again in this turn."""
        self._touched[path] = None

    def take(self) -> dict[str, None]:
        """The paths that are touched, in the order in which they were; none are from now on."""
        taken, self._touched = self._touched, {}
        return taken

    def look_at(self, when: float, path: str) -> None:
        """Look at this path again at `when`, or before if that was said already."""
        known = self._when.get(path)
        if known is None or when < known:
            self._when[path] = when
            heapq.heappush(self._timers, (when, path))

    def due(self, now: float) -> None:
        """Touches what is due by now."""
        while self._timers and self._timers[0][0] <= now:
            when, path = heapq.heappop(self._timers)
            if self._when.get(path) == when:
                del self._when[path]
                self.touch(path)

    def next_look(self) -> float | None:
        """When something is due, if ever."""
        return self._timers[0][0] if self._timers else None
