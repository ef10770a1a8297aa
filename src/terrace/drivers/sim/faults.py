"""What can go wrong at a simulated provider, as plain data: which trouble, at which request, how likely."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Trouble(StrEnum):
    """THROTTLED is a 429 with a time, CONFLICT a 409, BROKEN a 500, REFUSED a no for good. LOST: the
    connection breaks (before: nothing was done; after: it was done, and the answer is lost). LATE: the
    connection breaks, and a create is carried out later all the same. GHOST: what was deleted stays visible
    for a while; STUCK: until it is deleted again; ZOMBIE: it is gone, and comes back. PARTIAL: a listing that
    breaks off. The rest are counted where they strike and are not asked for by rules."""

    THROTTLED = "429"
    CONFLICT = "409"
    BROKEN = "500"
    REFUSED = "refused"
    LOST = "lost"
    LATE = "late"
    GHOST = "ghost"
    STUCK = "stuck"
    ZOMBIE = "zombie"
    PARTIAL = "partial"
    DOWN = "down"
    QUOTA = "quota"
    KILL = "kill"


class Point(StrEnum):
    """Where in a request: before the provider has done it, or after."""

    BEFORE = "before"
    AFTER = "after"


BEFORE = frozenset({Trouble.THROTTLED, Trouble.CONFLICT, Trouble.BROKEN, Trouble.REFUSED, Trouble.LOST})
AFTER = frozenset({Trouble.LOST, Trouble.BROKEN})
ON_CREATE = BEFORE | {Trouble.LATE}
ON_DELETE = frozenset({Trouble.GHOST, Trouble.STUCK, Trouble.ZOMBIE})
ON_LIST = AFTER | {Trouble.PARTIAL}


class Rule(msgspec.Struct, frozen=True):
    """`trouble` strikes requests of `verb` (create files start update delete unpause restart find look list
    lookup) and `kind` at `point`, "*" for any, with probability `chance`, at most `times` times (0: no
    bound). `seconds`: the retry-after of a 429, the delay of LATE, how long GHOST stays and ZOMBIE hides."""

    trouble: Trouble
    chance: float = 1.0
    verb: str = "*"
    kind: str = "*"
    point: str = "*"
    times: int = 0
    seconds: float = 2.0

    def fits(self, verb: str, kind: str, point: Point) -> bool:
        """Whether it is about this request and point."""
        return self.verb in ("*", verb) and self.kind in ("*", kind) and self.point in ("*", point)


class Faults(msgspec.Struct, frozen=True):
    """All that may go wrong. Times in seconds. `latency`: (least, most) of a request by verb, "*" for the
    others; half of it passes before the provider acts. `lag`: at most this long until a change shows in
    listings. `work`: how long a create of a kind goes on after it was accepted. `quota`: how many things of a
    kind there may be. `deaf`: the share of hints that get lost."""

    rules: tuple[Rule, ...] = ()
    latency: dict[str, tuple[float, float]] = {}
    lag: float = 0.0
    work: dict[str, float] = {}
    quota: dict[str, int] = {}
    deaf: float = 0.0


CALM = Faults()
