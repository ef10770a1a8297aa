"""Every function stops: hostile arguments use up the fuel, in steps and bytes, before they use up the machine."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from terrace.engine.expression import Fuel
from terrace.engine.functions import FUNCTIONS
from terrace.errors import SpecError

MANY = [f"item{number}" for number in range(2_000)]
LONG = "x" * 100_000


def call(name: str, *args: Any, steps: int = 200_000, size: int = 2**21) -> Any:
    return FUNCTIONS[name](list(args), Fuel(steps, size))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("repeat", ("a-b-c", {"a": MANY, "b": MANY, "c": MANY}, True)),
        ("repeat", ([LONG] * 10, {"a": MANY}, True)),
        ("repeat", ("a", {"a": [[LONG]] * 1000}, True)),
        ("repeat", ("aaaa" * 1000, {"a": [LONG]}, True)),
        ("str_replace", ("x" * 10_000, {"x": LONG})),
        ("str_replace", (LONG, {f"{'x' * size}y": "" for size in range(1, 1000)})),
        ("filter", (MANY, MANY)),
        ("list_concat_unique", (MANY, MANY)),
        ("list_concat", tuple([[LONG]] * 100)),
        ("map_merge", tuple({str(number): LONG} for number in range(100))),
        ("map_replace", ({str(number): "v" for number in range(1000)}, {"values": {"v": LONG}})),
        ("str_split", ("x", "x" * 3_000_000)),
        ("list_join", (LONG, MANY)),
        ("yaql", ("range(200).select(range(200).select(range(200).select(1)))", {})),
        ("yaql", ("$.data.l.select($ + $).select($ + $).select($ + $)", {"l": ["x" * 5000] * 100})),
        ("yaql", ("range(200).aggregate($1 * 1000 * $1, 10)", {})),
        ("yaql", ("$.data.t * 1000000000", {"t": "x"})),
        ("yaql", ("$.data.t.replace(x, $.data.t)", {"t": LONG})),
        ("yaql", ("sequence().where(false).first()", {})),
        ("yaql", ("def(f, f($)) -> f(1)", {})),
        ("yaql", ("(" * 5000 + "1" + ")" * 5000, {})),
        ("yaql", ("1" + " + 1" * 3000, {})),
        ("yaql", ("x" * 20_000, {})),
    ],
)
def test_it_stops(name: str, args: tuple[Any, ...]) -> None:
    begun = time.process_time()
    with pytest.raises(SpecError):
        call(name, *args)
    assert time.process_time() - begun < 5


def test_a_regular_expression_that_tries_every_way_stops() -> None:
    begun = time.process_time()
    assert call("yaql", "$.data.t =~ '^(a+)+$'", {"t": "a" * 60 + "!"}) is False
    with pytest.raises(SpecError):
        call("yaql", "let(t => $.data.t) -> range(200).where($t =~ '(?!z)(x+x+)+y').len()", {"t": "x" * 9000})
    assert (
        call("yaql", "let(t => $.data.t) -> range(9).where($t =~ '(x+x+)+y').len()", {"t": "x" * 9000}) == 0
    )
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "expression",
    [
        "regex('x*y|x').searchAll($.data.t).len()",
        "regex('x*y|x').replace($.data.t, 'zz').len()",
        "regex('').split($.data.t).len()",
        "regex('x').replace($.data.t, $.data.t)",
        "regex('x').replaceBy($.data.t, 'y' * 100)",
        "range(200).select(regex('(x|xx|xxx){1,50}y').search($.data.t))",
    ],
)
def test_searching_again_and_again_stops(expression: str) -> None:
    begun = time.process_time()
    with pytest.raises(SpecError):
        call("yaql", expression, {"t": "x" * 9000})
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "expression",
    [
        "random()",
        "random(1, 2)",
        "pow(2, 3)",
        "1.shiftBitsLeft(2)",
        "call(len, [[]], {})",
    ],
)
def test_what_is_not_pure_or_has_no_bounds_is_not_there(expression: str) -> None:
    with pytest.raises(SpecError, match="yaql"):
        call("yaql", expression, {})


def test_one_query_leaves_nothing_for_the_next() -> None:
    assert call("yaql", "let(x => 5) -> $x", {}) == 5
    assert call("yaql", "$x", {}) is None
    with pytest.raises(SpecError):
        call("yaql", "f(1)", {})
    assert call("yaql", "def(f, $ + 1) -> f(1)", {}) == 2
    with pytest.raises(SpecError):
        call("yaql", "f(1)", {})


def test_many_may_ask_at_once() -> None:
    def ask(number: int) -> Any:
        expression = f"$.data.l.where($ > {number}).select($ * {number}).sum(0)" + " + 0" * (number % 7)
        return call("yaql", expression, {"l": list(range(20))})

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(400)))
    assert found == [sum(one * number for one in range(20) if one > number) for number in range(400)]
