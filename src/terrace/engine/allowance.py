"""What a stack may hold of its project's quota, and what it asks for."""

from __future__ import annotations

from collections.abc import Callable

from terrace.model.spec.quota import RESOURCES, Amounts, Shortage, total


class Allowance:
    """What a stack of a project with limits may hold (`granted`, as the store has it). `asked` is all that it needs and
    does not have, `least` what it needs for the first that waits; `waiting` are those, and `short` is what was said."""

    def __init__(self, limits: Amounts, granted: Amounts) -> None:
        self.limits = limits
        self.granted = granted
        self.asked: Amounts = {}
        self.least: Amounts = {}
        self.waiting: set[str] = set()
        self.short: tuple[Shortage, ...] = ()
        self._turn: object = None
        self._each: dict[str, Amounts] = {}
        self._all: Amounts = {}

    def begin(self, turn: object, each: Callable[[], dict[str, Amounts]]) -> None:
        """Counts what every path takes, once in a turn."""
        if self._turn is not turn:
            self._turn, self._each = turn, each()
            self._all = total(self._each.values())

    def take(self, path: str, wanted: Amounts) -> bool:
        """Whether what is at `path` may take `wanted` without asking; if so it has it from now on."""
        before = self._each.get(path, {})
        together = _plus(self._all, wanted, before)
        if any(together.get(name, 0) > self.granted.get(name, 0) for name in self.limits if name in wanted):
            self.least = self.least or together
            self.asked = _plus(self.asked, wanted, before) if self.asked else together
            self.waiting.add(path)
            return False
        self.waiting.discard(path)
        self._each[path], self._all = wanted, together
        return True


def _plus(all_: Amounts, more: Amounts, less: Amounts) -> Amounts:
    return {
        name: amount
        for name in RESOURCES
        if (amount := all_.get(name, 0) + more.get(name, 0) - less.get(name, 0))
    }
