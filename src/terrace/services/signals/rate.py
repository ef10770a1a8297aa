"""How often somebody may knock."""

from __future__ import annotations

from collections import OrderedDict

MOST = 10_000


class Rate:
    """A bucket for each key that holds `burst` tokens and gets `per_second` new ones. Only the last few thousand keys
    are remembered, so that strangers cannot fill the memory."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Takes a token: 0.0, or the seconds until there is one again."""
        left, at = self._buckets.pop(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._per_second)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._per_second
        self._buckets[key] = (left - 1.0 if not wait else left, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return wait

    def empty(self, key: str, now: float) -> float:
        """The seconds until there is a token, without taking one."""
        left, at = self._buckets.get(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._per_second)
        return 0.0 if left >= 1.0 else (1.0 - left) / self._per_second

    def give_back(self, key: str) -> None:
        """A token that was taken for nothing."""
        if key in self._buckets:
            left, at = self._buckets[key]
            self._buckets[key] = (min(self._burst, left + 1.0), at)
