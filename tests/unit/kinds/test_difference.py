"""The one difference function."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds.rules.difference import Rules, compare, defaults_of
from terrace.model.decision import NO_CHANGE, Effect
from terrace.model.seen import Seen
from terrace.model.spec.machine import MachineSpec
from terrace.model.value import UNKNOWN

RULES = Rules(
    always=frozenset({"rule"}),
    in_place=frozenset({"size", "other"}),
    inert=frozenset({"note"}),
    defaults={"size": 0, "items": ()},
)
CAN = frozenset({"size"})


def shown(**properties: Any) -> Seen:
    return Seen(kind="X", provider_id="x", properties=properties)


@pytest.mark.parametrize(
    ("wanted", "applied", "effect", "fields"),
    [
        ({"a": 1}, {"a": 1}, Effect.NONE, ()),
        ({"size": 2}, {"size": 1}, Effect.UPDATE, ("size",)),
        ({"size": 2}, {}, Effect.UPDATE, ("size",)),
        ({}, {"size": 0}, Effect.NONE, ()),
        ({"other": 2}, {"other": 1}, Effect.REPLACE, ("other",)),
        ({"rule": 2}, {"rule": 1}, Effect.UPDATE, ("rule",)),
        ({"note": 2}, {"note": 1}, Effect.NONE, ()),
        ({"a": 1, "size": 1}, {"a": 2}, Effect.REPLACE, ("a", "size")),
        ({"items": ((1, 2),)}, {"items": [[1, 2]]}, Effect.NONE, ()),
        ({"items": [1]}, {}, Effect.REPLACE, ("items",)),
        ({"a": {"b": (1,)}}, {"a": {"b": [1]}}, Effect.NONE, ()),
        ({"a": True}, {"a": 1}, Effect.REPLACE, ("a",)),
        ({"a": 1.0}, {"a": 1}, Effect.NONE, ()),
    ],
)
def test_wishes(
    wanted: dict[str, Any], applied: dict[str, Any], effect: Effect, fields: tuple[str, ...]
) -> None:
    change = compare(wanted, applied, None, RULES, CAN)
    assert (change.effect, change.fields) == (effect, fields)
    assert not any(one.drift for one in change.differences)


def test_drift_is_seen_in_what_the_provider_shows_only() -> None:
    same = {"size": 2, "a": 1}
    assert compare(same, same, shown(size=2), RULES, CAN) is NO_CHANGE
    change = compare(same, same, shown(size=3), RULES, CAN)
    [one] = change.differences
    assert (change.effect, one.before, one.after, one.drift) == (Effect.UPDATE, 3, 2, True)


def test_a_wish_that_changed_is_no_drift() -> None:
    change = compare({"size": 3}, {"size": 2}, shown(size=2), RULES, CAN)
    assert [(one.before, one.after, one.drift) for one in change.differences] == [(2, 3, False)]


@pytest.mark.parametrize(
    ("wanted", "effect", "certain"),
    [
        ({"size": UNKNOWN, "a": 1}, Effect.UPDATE, False),
        ({"size": 1, "a": UNKNOWN}, Effect.REPLACE, False),
        ({"size": 5, "a": [UNKNOWN]}, Effect.REPLACE, False),
        ({"size": UNKNOWN, "a": 2}, Effect.REPLACE, True),
    ],
)
def test_the_unknown_is_not_certain(wanted: dict[str, Any], effect: Effect, certain: bool) -> None:
    change = compare(wanted, {"size": 1, "a": 1}, None, RULES, CAN)
    assert (change.effect, change.certain) == (effect, certain)


def test_defaults_are_those_of_the_spec() -> None:
    found = defaults_of(MachineSpec)
    assert found["restart"] == "always"
    assert found["environment"] == {}
    assert "image" not in found
