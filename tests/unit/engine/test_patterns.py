"""Patterns fit what Python's own would fit, and never take for ever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrace.engine.patterns import Pattern

EXPRESSIONS = [
    "[a-z]+",
    "[^a-c]*",
    "a|bc|",
    "(a|ab)(c|bcd)",
    "(?:ab)+?b",
    r"\d{2,3}",
    "a{2}",
    "a{,2}b",
    "(a*)*",
    "(a+)+b",
    "(?=.*[A-Z])(?=.*[0-9]).{2,}",
    "(?!ab)[ab]*",
    r"^\w+$",
    r"a\b.b",
    r"\Aab\Z",
    "(?i)aB[c-d]",
    "(?s).b.",
    "(?m)^a$.^b$",
    r"[\d_-]+\s?[^\W]",
    "(?P<x>a)b*",
    "",
]


@given(st.sampled_from(EXPRESSIONS), st.text("abcABC012_- \n", max_size=8))
def test_fits_as_python_does(expression: str, text: str) -> None:
    assert Pattern(expression).fits(text) is (re.fullmatch(expression, text) is not None)


def test_an_expression_that_would_take_years_takes_none() -> None:
    assert not Pattern("(a+)+b").fits("a" * 4000)
    assert Pattern("(a|aa)*").fits("a" * 4000)
    assert Pattern("(.*)*x").fits("a" * 1000 + "x")


def test_one_that_takes_too_much_work_says_so() -> None:
    with pytest.raises(ValueError, match="too much work"):
        Pattern("((a*)*,)*((b?){1000}){1000}").fits("a" * 4000)


@pytest.mark.parametrize(
    "expression", ["(", "[z-a]", r"(a)\1", "(?<=a)b", "(?i:a)b", "a**", "(" * 5000 + ")" * 5000]
)
def test_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Pattern(expression)
