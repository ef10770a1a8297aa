"""Expressions: what is not known stays unknown, what is secret stays secret, and work is paid for."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.engine.expression import Fuel, evaluate, walk
from terrace.errors import SpecError
from terrace.model.value import UNKNOWN, Call, Ref, Secret

KNOWN = {"a": "one", "s": Secret("hush"), "n": {"list": [1, {"x": "deep"}]}}


def look(ref: Ref) -> Any:
    """The value of a reference in KNOWN."""
    return walk(KNOWN[ref.node], ref.path) if ref.node in KNOWN else UNKNOWN


def value_of(value: Any) -> Any:
    """`value` evaluated with what is KNOWN."""
    return evaluate(value, look, lambda args: {"size": 3}.get(args[1], ""))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"k": [1, None, True, "t"]}, {"k": [1, None, True, "t"]}),
        (Ref("a"), "one"),
        (Ref("n", ("list", 1, "x")), "deep"),
        (Ref("n", ("list", "1")), None),
        (Ref("n", ("nowhere", "at", "all")), None),
        (Ref("later"), UNKNOWN),
        (["x", Ref("later")], ["x", UNKNOWN]),
        (Call("list_join", ("-", ["x", Ref("a")])), "x-one"),
        (Call("list_join", ("-", ["x", Ref("later")])), UNKNOWN),
        (Call("input", ("nest", "size")), 3),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert value_of(value) == expected


def test_a_call_with_a_secret_is_a_secret() -> None:
    joined = value_of(Call("list_join", ("-", ["x", Ref("s")])))
    assert isinstance(joined, Secret)
    assert joined.reveal() == "x-hush"
    assert "hush" not in repr(joined)


def test_work_and_size_are_bounded() -> None:
    deep: Any = "x" * 1000
    for _ in range(12):
        deep = Call("list_join", ("", [deep, deep]))
    with pytest.raises(SpecError) as caught:
        evaluate(deep, look, lambda args: "", Fuel(steps=1000, size=100_000))
    assert caught.value.code == "limit-reached"
