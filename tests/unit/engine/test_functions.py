"""Functions of expressions: what they make, and that they stop."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.engine.expression import Fuel
from terrace.engine.functions import FUNCTIONS
from terrace.errors import SpecError


def call(name: str, *args: Any, fuel: Fuel | None = None) -> Any:
    return FUNCTIONS[name](list(args), fuel or Fuel())


def test_str_replace_takes_the_longest_key_first_and_ties_in_order() -> None:
    assert call("str_replace", "$ab $a", {"$a": "1", "$ab": "2"}) == "2 1"
    assert call("str_replace", "abc", {"ab": "X", "bc": "Y"}) == "Xc"


def test_str_replace_does_not_look_at_what_it_put_in() -> None:
    assert call("str_replace", "a b", {"a": "b", "b": "a"}) == "b a"


def test_str_replace_does_not_find_keys_across_what_it_put_in() -> None:
    assert call("str_replace", "aXXb", {"XX": "", "ab": "no"}) == "ab"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "True"),
        (1, "1"),
        (1.5, "1.5"),
        ({"b": 1, "a": None}, '{"a": null, "b": 1}'),
        ([1], "[1]"),
    ],
)
def test_str_replace_writes_values(value: Any, text: str) -> None:
    assert call("str_replace", "x", {"x": value}) == text


@pytest.mark.parametrize(
    "args", [(1, {}), ("x", [1]), ("x", None), ("x", {"": "y"}), ("x",), ("x", {}, {}), (None, {})]
)
def test_str_replace_refuses(args: tuple[Any, ...]) -> None:
    with pytest.raises(SpecError):
        call("str_replace", *args)


def test_list_join() -> None:
    assert call("list_join", "-", ["a", None, "b"], None, ["c"]) == "a--b-c"
    assert call("list_join", None, ["a", "b"]) == "ab"
    assert call("list_join", ",", [{"b": 1, "a": 2}, [1]]) == '{"a": 2, "b": 1},[1]'


@pytest.mark.parametrize("args", [("-",), (1, []), ("-", "text"), ("-", [1]), ("-", [True]), ("-", {"a": 1})])
def test_list_join_refuses(args: tuple[Any, ...]) -> None:
    with pytest.raises(SpecError):
        call("list_join", *args)


def test_index_replaces_in_values_only() -> None:
    value = {"%index%": ["web-%index%", 7, None, {"a": "%index%%index%"}]}
    assert call("index", value, {"%index%": "3"}) == {"%index%": ["web-3", 7, None, {"a": "33"}]}


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (("a",), [1, {"b": 2}]),
        (("a", 0), 1),
        (("a", "1", "b"), 2),
        (("a", -1, "b"), 2),
        (("a", 5), ""),
        (("a", "x"), ""),
        (("z", "y"), ""),
        (("a", 0, 0), ""),
        ((7,), "seven"),
    ],
)
def test_path_as_get_param_follows_it(keys: tuple[Any, ...], found: Any) -> None:
    assert call("path", {"a": [1, {"b": 2}], "7": "seven"}, *keys) == found


def test_a_quadratic_replacement_runs_out_of_fuel() -> None:
    params = {f"{n:05}": "x" for n in range(20_000)}
    with pytest.raises(SpecError) as caught:
        call("str_replace", "y" * 2_000_000, params)
    assert caught.value.code == "limit-reached"


def test_a_replacement_that_grows_runs_out_of_fuel_before_it_is_made() -> None:
    with pytest.raises(SpecError) as caught:
        call("str_replace", "a" * 900_000, {"a": "b" * 1_000_000})
    assert caught.value.code == "limit-reached"


def test_a_join_that_grows_runs_out_of_fuel_before_it_is_made() -> None:
    with pytest.raises(SpecError) as caught:
        call("list_join", "x" * 1_000_000, ["a"] * 1000)
    assert caught.value.code == "limit-reached"


def test_many_values_run_out_of_fuel() -> None:
    with pytest.raises(SpecError) as caught:
        call("index", [["%index%"] * 1000] * 2000, {"%index%": "1"})
    assert caught.value.code == "limit-reached"
