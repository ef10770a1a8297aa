"""Regular expressions of yaql say what Python's say, which Heat uses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from terrace.engine.expression import Fuel
from terrace.engine.functions import FUNCTIONS

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "ä",
        ".",
        r"\d",
        r"\w",
        r"\W",
        r"\s",
        "[ab]",
        "[^a]",
        r"[\wx-]",
        r"[^\d]",
        r"\.",
        "[]a]",
        "(a|b)",
    ]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{1,2}", "*?", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=5,
)
TEXTS = st.text("abä12 .x-\n", max_size=12)


def ask(expression: str, pattern: str, text: str) -> Any:
    return FUNCTIONS["yaql"]([expression, {"p": pattern, "t": text}], Fuel(200_000, 2**21))


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, TEXTS)
def test_search_split_and_replace(pattern: str, text: str) -> None:
    known = re.compile(pattern)
    spans = [match.span() for match in known.finditer(text)]
    # After nothing was matched somewhere Python tries again there for something; RE2 has no way to ask that.
    assume(not any(start == end and (start, start) != spans[-1] for start, end in spans))
    assert ask("regex($.data.p).matches($.data.t)", pattern, text) is (known.search(text) is not None)
    found = ask("regex($.data.p).searchAll($.data.t, [$.value, $.start, $.end])", pattern, text)
    assert found == [[match.group(), match.start(), match.end()] for match in known.finditer(text)]
    assert ask("regex($.data.p).split($.data.t)", pattern, text) == known.split(text)
    assert ask("regex($.data.p).replace($.data.t, '<\\\\g<0>>')", pattern, text) == known.sub(
        r"<\g<0>>", text
    )


@pytest.mark.parametrize("text", ["", "a", "ab", "bb"])
@pytest.mark.parametrize("pattern", ["a*", r"\b", "^", "$", "x?"])
def test_nothing_is_found_once_at_a_place(pattern: str, text: str) -> None:
    known = [match.span() for match in re.finditer(pattern, text)]
    found = ask("regex($.data.p).searchAll($.data.t, [$.start, $.end])", pattern, text)
    assert [tuple(span) for span in found] == known
