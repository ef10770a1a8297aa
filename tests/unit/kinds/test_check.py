"""Reading values against a table of properties."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.errors import SpecError
from terrace.kinds.rules.check import read, read_value
from terrace.kinds.rules.units import duration, size
from terrace.kinds.schema import Property, Type
from terrace.model.value import UNKNOWN, Call, Ref, Secret

FITTING = [
    (Type.STRING, "a", "a"),
    (Type.STRING, 12, "12"),
    (Type.STRING, True, "True"),
    (Type.INTEGER, 3, 3),
    (Type.INTEGER, "3", 3),
    (Type.INTEGER, " -3 ", -3),
    (Type.INTEGER, 3.0, 3),
    (Type.NUMBER, "1.5", 1.5),
    (Type.NUMBER, 2, 2),
    (Type.BOOLEAN, "yes", True),
    (Type.BOOLEAN, "Off", False),
    (Type.BOOLEAN, 1, True),
    (Type.BOOLEAN, False, False),
    (Type.SIZE, "512M", 512),
    (Type.SIZE, "2GiB", 2048),
    (Type.SIZE, "1.5g", 1536),
    (Type.SIZE, 64, 64),
    (Type.SIZE, "100k", 1),
    (Type.DURATION, "30s", 30.0),
    (Type.DURATION, "5m", 300.0),
    (Type.DURATION, "500ms", 0.5),
    (Type.DURATION, 2, 2.0),
    (Type.LIST, [1, "a"], [1, "a"]),
    (Type.MAP, {"a": 1}, {"a": 1}),
    (Type.ANY, 1.5, 1.5),
]
UNFITTING = [
    (Type.STRING, 1.5),
    (Type.STRING, ["a"]),
    (Type.STRING, {"a": "b"}),
    (Type.INTEGER, 1.5),
    (Type.INTEGER, "three"),
    (Type.INTEGER, True),
    (Type.NUMBER, "nan"),
    (Type.NUMBER, "inf"),
    (Type.NUMBER, []),
    (Type.BOOLEAN, "maybe"),
    (Type.BOOLEAN, 2),
    (Type.SIZE, "12Q"),
    (Type.SIZE, -1),
    (Type.SIZE, True),
    (Type.DURATION, "soon"),
    (Type.DURATION, float("inf")),
    (Type.LIST, "a,b"),
    (Type.LIST, {"a": 1}),
    (Type.MAP, ["a"]),
    (Type.MAP, "a"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), FITTING)
def test_fitting_values_are_coerced(kind: Type, value: Any, expected: Any) -> None:
    problems: list[SpecError] = []
    found = read_value(Property(kind), value, problems, ("it",))
    assert (found, type(found)) == (expected, type(expected))
    assert not problems


@pytest.mark.parametrize(("kind", "value"), UNFITTING)
def test_other_values_are_refused(kind: Type, value: Any) -> None:
    problems: list[SpecError] = []
    read_value(Property(kind), value, problems, ("it",))
    assert [(one.code, one.path) for one in problems] == [("wrong-type", ("it",))]


@pytest.mark.parametrize("later", [UNKNOWN, Ref("a"), Call("join", ())])
@pytest.mark.parametrize("kind", list(Type))
def test_what_is_not_known_yet_passes(kind: Type, later: Any) -> None:
    problems: list[SpecError] = []
    assert read({"it": Property(kind, pattern="a", minimum=3)}, {"it": later}, problems) == {"it": later}
    assert not problems


def test_all_mistakes_come_in_one_go_with_their_paths() -> None:
    inner = Property(Type.MAP, properties={"ip": Property(Type.STRING, required=True, pattern="[0-9.]+")})
    table = {"nets": Property(Type.LIST, items=inner), "size": Property(Type.INTEGER, minimum=1, maximum=9)}
    problems: list[SpecError] = []
    read(table, {"nets": [{}, {"ip": "x"}, {"pi": "1"}], "size": 10, "sice": 1}, problems)
    assert {(one.path, one.code) for one in problems} == {
        (("sice",), "unknown-property"),
        (("nets", 0, "ip"), "missing-property"),
        (("nets", 1, "ip"), "invalid-property"),
        (("nets", 2, "pi"), "unknown-property"),
        (("nets", 2, "ip"), "missing-property"),
        (("size",), "invalid-property"),
    }
    assert [one.hint for one in problems if one.path == ("sice",)] == ['did you mean "size"?']


def test_none_is_not_given() -> None:
    problems: list[SpecError] = []
    table = {"a": Property(Type.STRING, default="x"), "b": Property(Type.STRING), "c": Property(Type.LIST)}
    assert read(table, {"a": None, "b": None, "c": [None, 1]}, problems) == {"a": "x", "c": [1]}
    assert not problems


def test_allowed_values_hint_at_the_nearest() -> None:
    problems: list[SpecError] = []
    read({"a": Property(Type.STRING, allowed=("always", "never"))}, {"a": "alway"}, problems)
    assert problems[0].message == '"alway" is not one of always, never'
    assert problems[0].hint == 'did you mean "always"?'


def test_refused_and_ignored_properties() -> None:
    problems: list[SpecError] = []
    table = {"a": Property(Type.ANY, refused="it cannot be"), "b": Property(Type.ANY, ignored="no use")}
    read(table, {"a": 1, "b": {"anything": [1]}}, problems)
    assert [(one.message, one.code) for one in problems] == [("it cannot be", "not-supported")]


def test_secrets_stand_where_they_may_only() -> None:
    problems: list[SpecError] = []
    table = {
        "open": Property(Type.STRING),
        "hidden": Property(Type.STRING, secret=True),
        "env": Property(Type.MAP, items=Property(Type.STRING, secret=True)),
        "any": Property(Type.ANY),
    }
    given = {"open": Secret("a"), "hidden": Secret(1), "env": Secret({"A": "b"}), "any": Secret([1])}
    found = read(table, given, problems)
    assert [(one.path, one.code) for one in problems] == [(("open",), "hidden-value")]
    assert found["hidden"] == Secret("1")
    assert found["env"] == {"A": Secret("b")}
    assert found["any"] == Secret([1])


def test_mistakes_never_tell_a_secret() -> None:
    problems: list[SpecError] = []
    read({"a": Property(Type.STRING, secret=True, pattern="[a-z]")}, {"a": Secret("hunter2")}, problems)
    read({"a": Property(Type.STRING, secret=True)}, {"a": Secret(["hunter2"])}, problems)
    assert len(problems) == 2
    assert not any("hunter2" in f"{one.message} {one.hint}" for one in problems)


def test_units_refuse_nonsense() -> None:
    assert size(None) is None
    assert size("") is None
    assert duration("1 fortnight") is None
    assert duration(-1) is None
