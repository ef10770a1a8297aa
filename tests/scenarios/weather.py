"""Which troubles one seed brings, and the table of (step, fault, point) pairs that all seeds together must hit."""

from __future__ import annotations

from random import Random

from terrace.drivers.sim.faults import Faults, Rule, Trouble

Pair = tuple[str, str, str]

THINGS = ("Machine", "Volume", "Network")
CHANGES = (
    *(f"create/{kind}" for kind in THINGS),
    "files/Machine",
    "start/Machine",
    "update/Machine",
    "unpause/Machine",
    "stop/Machine",
    *(f"delete/{kind}" for kind in THINGS),
)
BEFORE = ("429", "409", "500", "lost")
AFTER = ("500", "lost")
GHOSTS = ("ghost", "stuck", "zombie")
OF_ENGINES = ("steal", "drain", "freeze", "cut off")


def wanted_pairs() -> list[Pair]:
    """Every pair that must be hit."""
    pairs = [(step, fault, "before") for step in CHANGES for fault in BEFORE]
    pairs += [(step, fault, "after") for step in CHANGES for fault in AFTER]
    pairs += [(step, "kill", point) for step in CHANGES for point in ("before", "after")]
    pairs += [(f"create/{kind}", "late", "before") for kind in THINGS]
    pairs += [(f"create/{kind}", "refused", "before") for kind in THINGS]
    pairs += [(f"delete/{kind}", fault, "before") for kind in THINGS for fault in GHOSTS]
    pairs += [("list/*", "partial", "after"), ("list/*", "down", "before"), ("list/*", "500", "before")]
    pairs += [("create/Machine", "quota", "before")]
    pairs += [("commit", "kill", point) for point in ("before", "after")]
    pairs += [("lease", fault, "any") for fault in OF_ENGINES]
    return pairs


def targets(seed: int, each: int) -> list[Pair]:
    """The pairs that this seed goes for, so that `each` per seed cover all in turn."""
    pairs = wanted_pairs()
    return [pairs[(seed * each + n) % len(pairs)] for n in range(each)]


def faults(random: Random, aims: list[Pair]) -> Faults:
    """Some of everything, and a good deal of what is aimed at."""
    rules = [
        Rule(Trouble(fault), 0.5, *step.split("/"), point=point, times=3, seconds=random.uniform(0.5, 4.0))
        for step, fault, point in aims
        if fault not in ("kill", "down", "quota") and step not in ("commit", "lease")
    ]
    rate = random.choice((0.0, 0.01, 0.05))
    if rate:
        rules += [
            Rule(trouble, rate, seconds=random.uniform(0.5, 4.0))
            for trouble in (
                Trouble.THROTTLED,
                Trouble.CONFLICT,
                Trouble.BROKEN,
                Trouble.LOST,
                Trouble.LATE,
                Trouble.GHOST,
                Trouble.STUCK,
                Trouble.PARTIAL,
            )
        ]
    return Faults(
        rules=tuple(rules),
        latency={"*": (0.001, random.choice((0.01, 0.3, 1.5)))},
        lag=random.choice((0.0, 0.0, 3.0)),
        work={"Machine": random.choice((0.0, 4.0))},
        quota={"Machine": 1} if any(fault == "quota" for _, fault, _ in aims) else {},
        deaf=random.choice((0.0, 0.5, 1.0)),
    )
