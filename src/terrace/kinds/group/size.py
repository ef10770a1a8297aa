"""How many members a group has: the newest of what a person, a policy or a changed template said, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, copysign, floor
from typing import Any

import msgspec

from terrace.model.spec.signal import PolicySpec

SIZE = "size"
TEMPLATE = "template"
UNBOUNDED = 100_000

CHANGE, EXACT, PERCENT = "change_in_capacity", "exact_capacity", "percent_change_in_capacity"


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """What a template says of a size: `wish` is how many there should be (None: it does not say), never fewer than
    `minimum` nor more than `maximum`."""

    wish: int | None
    minimum: int = 0
    maximum: int = UNBOUNDED

    def within(self, size: int) -> int:
        """The nearest size that is allowed."""
        return max(self.minimum, min(self.maximum, size))


class Size(msgspec.Struct, frozen=True, omit_defaults=True):
    """A size as it is kept: who set it and why, at which time. `template` is what the template said then; `number`
    counts what people and policies said, so that the newest is known; `uid` the group they meant."""

    size: int
    who: str = TEMPLATE
    why: str = ""
    at: float = 0.0
    template: int | None = None
    number: int = 0
    uid: str = ""


def kept(value: Any) -> Size | None:
    """A size from what was stored; None when there is none, or it is something else."""
    try:
        return msgspec.convert(value, Size) if value else None
    except msgspec.ValidationError:
        return None


def newest(before: Size | None, said: Size | None, bounds: Bounds) -> Size:
    """What counts now: `before` is what counted until now, `said` the last word of a person or a policy."""
    changed = before is not None and before.template != bounds.wish
    heard = 0 if before is None else before.number
    if said is not None and said.number > heard and (not changed or said.template == bounds.wish):
        return msgspec.structs.replace(said, template=bounds.wish)
    if before is None or changed:
        wish = bounds.minimum if bounds.wish is None else bounds.wish
        if changed and bounds.wish is None and before is not None:
            wish = before.size
        return Size(wish, template=bounds.wish, number=max(heard, said.number if said else 0))
    return before


def current(memory: Mapping[str, Any], directives: Mapping[str, Any], uid: str, bounds: Bounds) -> Size:
    """The size that counts for the group `uid`, from its memory and what is desired besides the template."""
    said = kept(directives.get(SIZE))
    return newest(kept(memory.get(SIZE)), said if said is not None and said.uid == uid else None, bounds)


def adjusted(policy: PolicySpec, size: int, bounds: Bounds) -> int:
    """The size after a policy has changed it. Percents are rounded towards nothing, but at least to one."""
    if policy.kind == EXACT:
        return bounds.within(round(policy.adjustment))
    if policy.kind == CHANGE:
        return bounds.within(size + round(policy.adjustment))
    change = size * policy.adjustment / 100.0
    steps = ceil(abs(change)) if abs(change) < 1 else floor(abs(change))
    steps = max(steps, policy.least)
    return bounds.within(size + int(copysign(steps, policy.adjustment)))
