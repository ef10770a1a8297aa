"""Conditions in expressions: looked at only as far as needed, with what is unknown or secret in them."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.engine.expression import Fuel, evaluate
from terrace.errors import SpecError
from terrace.model.value import UNKNOWN, Call, Ref, Secret

LATER = Ref("later")


def run(value: Any) -> Any:
    def lookup(ref: Ref) -> Any:
        if ref.node == "broken":
            raise SpecError("looked at")
        return UNKNOWN

    return evaluate(value, lookup, lambda args: args[0])


def choose(*args: Any) -> Call:
    return Call("if", args)


def test_only_the_branch_that_is_taken_is_looked_at() -> None:
    assert run(choose(True, 1, Ref("broken"))) == 1
    assert run(choose(False, Ref("broken"), 2)) == 2
    with pytest.raises(SpecError, match="looked at"):
        run(choose(True, Ref("broken"), 2))


def test_without_the_other_value_there_is_nothing() -> None:
    assert run({"a": choose(False, 1), "b": [1, choose(False, 2), 3]}) == {"b": [1, 3]}
    assert run(choose(False, 1)) is None
    assert run(Call("list_join", ("-", ["a", choose(False, "b")], choose(False, ["c"])))) == "a"
    assert run({"a": choose(True, choose(False, 1))}) == {}


def test_what_is_not_known_yet() -> None:
    assert run(choose(LATER, 1, 2)) is UNKNOWN
    assert run({"a": choose(LATER, 1), "b": 2}) == {"a": UNKNOWN, "b": 2}
    assert run(Call("and", (LATER, False))) is False
    assert run(Call("and", (LATER, True))) is UNKNOWN
    assert run(Call("or", (LATER, True))) is True
    assert run(Call("or", (False, LATER))) is UNKNOWN
    assert run(Call("not", (LATER,))) is UNKNOWN
    assert run(Call("equals", (LATER, 1))) is UNKNOWN


def test_what_hangs_on_a_secret_is_secret() -> None:
    condition = Call("equals", (Secret("x"), "x"))
    assert run(choose(condition, [Secret(1)], 2)) == Secret([1])
    assert run(Call("or", (condition, False))) == Secret(True)
    assert run(choose(condition, [LATER], 2)) is UNKNOWN
    assert run([choose(Call("not", (condition,)), 1)]) == []


@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_a_condition_is_true_or_false_and_nothing_else(value: Any) -> None:
    for call in (choose(value, 1, 2), Call("not", (value,)), Call("and", (value, True))):
        with pytest.raises(SpecError) as caught:
            run(call)
        assert caught.value.code == "not-a-condition"


def test_conditions_cost_fuel() -> None:
    deep: Any = True
    for _ in range(100):
        deep = Call("and", (deep, deep))
    with pytest.raises(SpecError) as caught:
        evaluate(deep, run, run, Fuel(steps=10_000))
    assert caught.value.code == "limit-reached"


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(SpecError) as caught:
        run(Call("list_concat", (deep,)))
    assert caught.value.code == "limit-reached"
