"""When trouble strikes, and what happens at the provider later by itself."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable

from terrace.drivers.sim.faults import CALM, Faults, Point, Rule, Trouble


class Weather:
    """Draws faults from a seeded source. `hits` counts (verb/kind, trouble, point) that struck. `calm`:
    nothing can strike and nothing is due, so a request need not ask. Times are epoch seconds."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(f"weather {seed}")
        self.hits: Counter[tuple[str, str, str]] = Counter()
        self.down_until = 0.0
        self.calm = True
        self._faults = CALM
        self._struck: Counter[int] = Counter()
        self._due: list[tuple[float, int, Callable[[float], object]]] = []
        self._number = 0

    @property
    def faults(self) -> Faults:
        """What may go wrong from now on; setting it starts every rule's count of times anew."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._struck.clear()
        self._weigh()

    def go_down(self, until: float) -> None:
        """No request gets through before `until` (0: up again)."""
        self.down_until = until
        self._weigh()

    def strike(self, verb: str, kind: str, point: Point, possible: frozenset[Trouble]) -> Rule | None:
        """Draws whether one of the rules, of those about `possible` troubles, strikes this request now;
        counts it."""
        for number, rule in enumerate(self._faults.rules):
            if rule.trouble not in possible or not rule.fits(verb, kind, point):
                continue
            if rule.times and self._struck[number] >= rule.times:
                continue
            if rule.chance >= 1 or self.random.random() < rule.chance:
                self._struck[number] += 1
                self.count(verb, kind, rule.trouble, point)
                return rule
        return None

    def count(self, verb: str, kind: str, trouble: Trouble, point: Point) -> None:
        """Notes that `trouble` struck."""
        self.hits[f"{verb}/{kind}", trouble.value, point.value] += 1

    def delay(self, verb: str) -> float:
        """How long a request takes, seconds."""
        latency = self._faults.latency
        if not latency:
            return 0.0
        least, most = latency.get(verb) or latency.get("*") or (0.0, 0.0)
        return least if least == most else self.random.uniform(least, most)

    def later(self, due: float, act: Callable[[float], object]) -> None:
        """`act(due)` happens at the provider at `due`, whether or not anybody waits for it."""
        self._number += 1
        heapq.heappush(self._due, (due, self._number, act))
        self.calm = False

    def catch_up(self, now: float) -> None:
        """Lets everything happen that is due by `now`."""
        while self._due and self._due[0][0] <= now:
            due, _, act = heapq.heappop(self._due)
            act(due)
        self._weigh()

    def _weigh(self) -> None:
        self.calm = self._faults == CALM and not self._due and not self.down_until
