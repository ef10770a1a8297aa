"""How stacks are shared among engines: evenly, and without a stack going to and fro."""

from __future__ import annotations


def share(stacks: int, engines: int) -> int:
    """How many stacks one of `engines` is to have, rounded up: so that the last stack has a place, and engines that
    stand at it have nothing to move."""
    return -(-stacks // engines) if engines else 0


def room(fair: int, held: int, free: int) -> int:
    """How many stacks that nobody has an engine that has `held` may take."""
    return max(0, min(fair - held, free))


def surplus(fair: int, held: int, others: list[int], free: int) -> int:
    """How many stacks an engine gives away: no more than what others (each has so many) still have room for once they
    have taken what is free already. What was given and not yet taken counts as free, so nothing is given twice."""
    wanted = sum(max(0, fair - other) for other in others)
    return max(0, min(held - fair, wanted - free))
