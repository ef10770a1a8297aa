"""The one difference function: what is wanted beside what was applied, and beside what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from terrace.model.decision import NO_CHANGE, Change, Difference, Effect
from terrace.model.seen import Seen
from terrace.model.value import Unknown, holds

Same = Callable[[Any, Any], bool]


class Rules(msgspec.Struct, frozen=True):
    """How the fields of a spec may change. `always`: in place whatever the provider (what Terrace itself
    carries out); `in_place`: in place where the provider can; `inert`: a difference means nothing; all
    others force a replacement. `defaults` are the plain forms of fields that a form leaves out. `same`
    says, by field, whether what is wanted and what is seen are equal."""

    always: frozenset[str] = frozenset()
    in_place: frozenset[str] = frozenset()
    inert: frozenset[str] = frozenset()
    defaults: dict[str, Any] = {}
    same: dict[str, Same] = {}

    def forces(self, field: str, can: frozenset[str]) -> bool:
        """Whether a change of `field` takes a replacement where the provider changes the fields `can` in
        place."""
        return field not in self.always and not (field in self.in_place and field in can)


def defaults_of(spec: type[Any]) -> dict[str, Any]:
    """The plain forms of a spec's defaults, by field; fields that must be given are missing."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(spec):
        if field.default is not msgspec.NODEFAULT:
            found[field.name] = msgspec.to_builtins(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            found[field.name] = msgspec.to_builtins(field.default_factory())
    return found


def compare(
    wanted: Mapping[str, Any],
    applied: Mapping[str, Any],
    seen: Seen | None,
    rules: Rules,
    can: frozenset[str],
) -> Change:
    """The change that leads from `applied` and `seen` to `wanted` (forms). `can` are the fields that the
    provider changes in place.

    Where the wish is as it was applied, what is seen may still differ: drift, told only of fields that the
    provider shows.
    """
    shown = seen.properties if seen is not None else {}
    if not shown and equal(wanted, applied):
        return NO_CHANGE
    differences: list[Difference] = []
    for field in sorted({*wanted, *applied, *shown} - rules.inert):
        default = rules.defaults.get(field)
        after, before = wanted.get(field, default), applied.get(field, default)
        drift = False
        if equal(before, after):
            if field not in shown or rules.same.get(field, equal)(after, shown[field]):
                continue
            before, drift = shown[field], True
        differences.append(
            Difference(field, before, after, rules.forces(field, can), not holds(after, Unknown), drift)
        )
    return _total(differences)


def equal(one: Any, other: Any) -> bool:
    """Whether two plain values are the same; tuples and lists are not told apart (a form that was stored
    comes back with lists)."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(item, other[key]) for key, item in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return (type(one) is type(other) and bool(one == other)) or (
        _number(one) and _number(other) and bool(one == other)
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _total(differences: list[Difference]) -> Change:
    if not differences:
        return NO_CHANGE
    forcing = [one for one in differences if one.forces]
    return Change(
        effect=Effect.REPLACE if forcing else Effect.UPDATE,
        differences=tuple(differences),
        certain=any(one.certain for one in forcing or differences),
    )
