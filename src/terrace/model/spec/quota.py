"""What specs take of what a project may have: the resources that are counted, their units, and what is short."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from terrace.errors import QuotaError

Amounts = dict[str, int]
"""How much of each resource; what is missing is 0."""


class Unit(msgspec.Struct, frozen=True):
    """How a resource is counted: as `base` (what 1 stands for), and how people write it."""

    one: str
    sizes: dict[str, int] = {}
    fraction: int = 1


_BINARY = {"m": 1, "g": 1024, "t": 1024**2}
RESOURCES: Final[dict[str, Unit]] = {
    "stacks": Unit("stacks"),
    "machines": Unit("machines"),
    "cpu": Unit("cores", fraction=1000),
    "memory": Unit("MiB", _BINARY),
    "disk": Unit("MiB", _BINARY),
    "volumes": Unit("volumes"),
    "storage": Unit("GiB", {"g": 1, "t": 1024}),
}
"""cpu is counted in thousandths of a core, memory and disk (of machines) in MiB, storage (of volumes) in GiB."""

MOST = 2**53
_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)\s*(?:([a-z])(?:i?b)?)?", re.IGNORECASE)


def parse(resource: str, text: str) -> int:
    """The amount of a resource that people write as `text` (20, 1.5, 64G). ValueError, in words."""
    unit = RESOURCES[resource]
    match = _NUMBER.fullmatch(text.strip())
    size = (match[2] or "").lower() if match else ""
    example = "64G" if unit.sizes else "1.5" if unit.fraction > 1 else "20"
    if match is None or (size and size not in unit.sizes):
        raise ValueError(
            f'{resource}: "{text[:40]}" is not an amount; write for example {resource}={example}'
        )
    exact = float(match[1]) * (unit.sizes[size] if size else 1) * unit.fraction
    if exact != int(exact) or exact > MOST:
        raise ValueError(f"{resource}: {text[:40]} is no whole number of {unit.one}, or too many")
    return int(exact)


def shown(resource: str, amount: int) -> str:
    """An amount as people read it."""
    unit = RESOURCES[resource]
    if unit.fraction > 1:
        return f"{amount / unit.fraction:,g}"
    if unit.sizes:
        step = 1024 if unit.one == "MiB" else 1
        return f"{amount // step:,} GiB" if amount % step == 0 and amount else f"{amount:,} {unit.one}"
    return f"{amount:,}"


class Shortage(msgspec.Struct, frozen=True):
    """More of a resource is wanted than is left: `asked` more, of `most` of which `used` are taken."""

    resource: str
    asked: int
    used: int
    most: int

    def __str__(self) -> str:
        asked, left, most = (
            shown(self.resource, amount) for amount in (self.asked, max(self.most - self.used, 0), self.most)
        )
        return f"{self.resource}: {asked} more wanted, {left} of {most} left"


def total(all_: Iterable[Amounts]) -> Amounts:
    """All together, without what there is none of."""
    found: Amounts = {}
    for one in all_:
        for name, amount in one.items():
            if amount:
                found[name] = found.get(name, 0) + amount
    return found


def larger(one: Amounts, other: Amounts) -> Amounts:
    """Of each resource the larger amount."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}


def shortages(limits: Amounts, used: Amounts, before: Amounts, after: Amounts) -> tuple[Shortage, ...]:
    """What is short when something that had `before` is to have `after`, where `used` is what all have now. What does
    not grow is never short, however much is used."""
    found = []
    for name in RESOURCES:
        growth = after.get(name, 0) - before.get(name, 0)
        if name in limits and growth > 0 and used.get(name, 0) + growth > limits[name]:
            found.append(Shortage(name, growth, used.get(name, 0), limits[name]))
    return tuple(found)


def over(project: str, short: Sequence[Shortage], where: str = "") -> QuotaError:
    """What people are told; `where` names the resource with which it becomes too much."""
    said = "; ".join(str(one) for one in short)
    return QuotaError(
        f'{where}the quota of project "{project}" does not allow that: {said}',
        code="quota-exceeded",
        hint="terrace quota show; take something away, or have the quota raised",
    )
