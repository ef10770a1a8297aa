"""Whether a text fits a regular expression as a whole, in time that no expression can blow up.

Python's own matcher tries one way after another, and an author can write an expression that takes it years.
Here all ways are followed at once: each part of the expression maps the set of positions at which it may
begin to the set of those at which it may end. What that cannot express (references to groups, looking back)
is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MOST_STEPS = 200_000

_CATEGORIES: dict[Any, Callable[[str], Any]] = {
    code.CATEGORY_DIGIT: re.compile(r"\d").match,
    code.CATEGORY_NOT_DIGIT: re.compile(r"\D").match,
    code.CATEGORY_SPACE: re.compile(r"\s").match,
    code.CATEGORY_NOT_SPACE: re.compile(r"\S").match,
    code.CATEGORY_WORD: re.compile(r"\w").match,
    code.CATEGORY_NOT_WORD: re.compile(r"\W").match,
}

_SINGLE = (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN)
_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)
_BOUNDARY = re.compile(r"\b")

Positions = set[int]


class Pattern:
    """A regular expression. ValueError, in words, when it is none or cannot be followed."""

    def __init__(self, expression: str) -> None:
        try:
            self.expression = expression
            re.compile(expression)
            self._parts = parser.parse(expression)
            _check(self._parts)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"is no regular expression: {error}") from None
        flags = self._parts.state.flags
        self._ignore_case = bool(flags & re.IGNORECASE)
        self._dot_all = bool(flags & re.DOTALL)
        self._multiline = bool(flags & re.MULTILINE)
        self._text = ""
        self._steps = MOST_STEPS

    def fits(self, text: str) -> bool:
        """Whether the whole of `text` fits. ValueError when finding out takes too much work."""
        return len(text) in self._ends(text, {0})

    def found(self, text: str) -> bool:
        """Whether anything in `text` fits. ValueError when finding out takes too much work."""
        return bool(self._ends(text, set(range(len(text) + 1))))

    @property
    def spent(self) -> int:
        """How much work the last text took, in steps of one position."""
        return MOST_STEPS - self._steps

    def _ends(self, text: str, at: Positions) -> Positions:
        self._text, self._steps = text, MOST_STEPS
        try:
            return self._sequence(self._parts, at)
        except RecursionError:
            raise ValueError("is nested too deep") from None

    def _sequence(self, parts: Any, at: Positions) -> Positions:
        for kind, value in parts:
            if not at:
                break
            at = self._part(kind, value, at)
        return at

    def _part(self, kind: Any, value: Any, at: Positions) -> Positions:
        self._steps -= 1 + len(at)
        if self._steps < 0:
            raise ValueError("takes too much work to try")
        if kind in _SINGLE:
            end = len(self._text)
            return {here + 1 for here in at if here < end and self._one(kind, value, self._text[here])}
        if kind is code.BRANCH:
            return set().union(*(self._sequence(branch, at) for branch in value[1]))
        if kind is code.SUBPATTERN:
            return self._sequence(value[3], at)
        if kind in _REPEATS:
            return self._repeat(value, at)
        if kind is code.AT:
            return {here for here in at if self._stands(value, here)}
        wanted = kind is code.ASSERT
        return {here for here in at if bool(self._sequence(value[1], {here})) is wanted}

    def _repeat(self, value: Any, at: Positions) -> Positions:
        """At least and at most so many times. After the least is done every position is followed only
        once."""
        least, most, parts = value
        for _ in range(least):
            at = self._sequence(parts, at)
            if not at:
                return at
        found, fresh, times = set(at), at, least
        while fresh and times < most:
            fresh = self._sequence(parts, fresh) - found
            found |= fresh
            times += 1
        return found

    def _stands(self, where: Any, here: int) -> bool:
        text = self._text
        if where in (code.AT_BEGINNING, code.AT_BEGINNING_STRING):
            lines = self._multiline and where is code.AT_BEGINNING
            return here == 0 or (lines and text[here - 1] == "\n")
        if where is code.AT_END_STRING:
            return here == len(text)
        if where is code.AT_END:
            return text[here:] in ("", "\n") or (self._multiline and text[here] == "\n")
        return bool(_BOUNDARY.match(text, here)) is (where is code.AT_BOUNDARY)

    def _one(self, kind: Any, value: Any, char: str) -> bool:
        """Whether one character fits."""
        if kind is code.ANY:
            return self._dot_all or char != "\n"
        chars = {char, char.lower(), char.upper()} if self._ignore_case else {char}
        if kind is code.IN:
            negated = value[0][0] is code.NEGATE
            return any(_in_set(value, one) for one in chars) is not negated
        return any(len(one) == 1 and ord(one) == value for one in chars) is (kind is code.LITERAL)


def _check(parts: Any) -> None:
    """Raises ValueError for what cannot be followed."""
    for kind, value in parts:
        if kind is code.BRANCH:
            for branch in value[1]:
                _check(branch)
        elif kind is code.SUBPATTERN and not value[1] and not value[2]:
            _check(value[3])
        elif kind in _REPEATS:
            _check(value[2])
        elif kind in (code.ASSERT, code.ASSERT_NOT) and value[0] > 0:
            _check(value[1])
        elif kind not in _SINGLE and kind is not code.AT:
            raise ValueError(
                "uses what is not supported: a reference to a group, looking back, or flags for a part"
            )


def _in_set(items: Any, char: str) -> bool:
    for kind, value in items:
        if kind is code.LITERAL and char == chr(value):
            return True
        if kind is code.RANGE and len(char) == 1 and value[0] <= ord(char) <= value[1]:
            return True
        if kind is code.CATEGORY and _CATEGORIES[value](char):
            return True
    return False
