"""Circles among names."""

from __future__ import annotations

from terrace.engine.circles import circles


def test_none() -> None:
    assert circles({}) == []
    assert circles({"a": ["b", "c"], "b": ["c"]}) == []


def test_itself() -> None:
    assert circles({"a": ["a"]}) == [["a", "a"]]


def test_round_a_corner_with_others_waiting() -> None:
    needs = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"], "e": ["d", "x"]}
    assert circles(needs) == [["a", "b", "c", "a"]]


def test_several() -> None:
    found = circles({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"]})
    assert found == [["a", "b", "a"], ["c", "d", "c"]]


def test_the_order_of_names_does_not_matter() -> None:
    needs = {"c": ["a"], "b": ["c"], "a": ["b", "z"], "z": ["a"]}
    assert circles(needs) == circles(dict(sorted(needs.items())))
