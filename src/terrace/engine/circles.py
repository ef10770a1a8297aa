"""Finds what refers to itself, round a corner or not."""

from __future__ import annotations

from collections.abc import Collection, Mapping

MOST = 20


def circles(needs: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The circles among names that need one another, each as the names along it, the first once more at its
    end. Circles that share a name may be found as one; at most 20 are."""
    found: list[list[str]] = []
    left = _stuck(needs, set(needs))
    while left and len(found) < MOST:
        circle = _walk(needs, left, min(left))
        found.append(circle)
        left = _stuck(needs, left.difference(circle))
    return found


def _stuck(needs: Mapping[str, Collection[str]], names: set[str]) -> set[str]:
    """Those of `names` that are in a circle or need one that is."""
    waiting: dict[str, int] = {}
    readers: dict[str, list[str]] = {}
    for name in names:
        others = needs.get(name, ())
        waiting[name] = sum(other in names for other in others)
        for other in others:
            readers.setdefault(other, []).append(name)
    free = [name for name, count in waiting.items() if not count]
    while free:
        name = free.pop()
        del waiting[name]
        for reader in readers.get(name, ()):
            if reader in waiting:
                waiting[reader] -= 1
                if not waiting[reader]:
                    free.append(reader)
    return set(waiting)


def _walk(needs: Mapping[str, Collection[str]], left: set[str], start: str) -> list[str]:
    """Follows needs until a name comes again. What is left needs something that is left, so one must."""
    trail = [start]
    places = {start: 0}
    while True:
        name = min(other for other in needs[trail[-1]] if other in left)
        if name in places:
            return [*trail[places[name] :], name]
        places[name] = len(trail)
        trail.append(name)
