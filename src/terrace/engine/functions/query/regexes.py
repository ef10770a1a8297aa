"""Regular expressions in yaql, by RE2: its time grows with text and expression, never with the ways to try.

The names are those of yaql; a `_` at the end makes another form of the same function. What RE2 does not have (looking
ahead) is followed by terrace.engine.patterns, which can say whether something fits and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import re2
from yaql.language import exceptions, specs, yaqltypes

from terrace.engine.functions.query.metered import MOST_BYTES, Metered
from terrace.engine.patterns import Pattern
from terrace.errors import SpecError

MEMORY = 2**20
"""Bytes that one expression may take."""
CHARS_A_STEP = 128
"""Characters that one instruction of an expression is tried on for a step of fuel."""
LONGEST = MOST_BYTES * 10
"""Characters that replacing may make."""

_IN_SET = {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": r"\s\x0b\x1c-\x1f\x{85}\p{Z}"}
_ALONE = {name: f"[{inside}]" for name, inside in _IN_SET.items()} | {
    name.upper(): f"[^{inside}]" for name, inside in _IN_SET.items()
}
_ESCAPE = re.compile(r"\\(?:(?P<number>\d{1,2})|g<(?P<name>\w+)>|(?P<char>.))", re.DOTALL)
_CHARS = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


class Regex:
    """A regular expression. SpecError, in words, when it is none or cannot be followed."""

    def __init__(self, expression: str, flags: str = "") -> None:
        marked = f"(?{flags}){expression}" if flags else expression
        self._compiled, self._pattern = _compiled(marked), None
        if self._compiled is None:
            try:
                self._pattern = Pattern(marked)
            except ValueError as error:
                raise SpecError(f'yaql: the expression "{expression[:100]}" {error}') from None

    def found(self, text: str, context: Metered) -> bool:
        """Whether anything in `text` fits."""
        if self._pattern is None:
            return next(self.each(text, context), None) is not None
        try:
            fits = self._pattern.found(text)
        except ValueError as error:
            raise SpecError(f"yaql: a regular expression {error}", code="limit-reached") from None
        context.pay(self._pattern.spent)
        return fits

    def each(self, text: str, context: Metered) -> Iterator[Any]:
        """Everything in `text` that fits, from left to right, paid for one by one."""
        if self._compiled is None:
            message = "yaql: an expression that looks ahead can only be matched, not searched for"
            raise SpecError(message, hint="write it without (?= or (?!")
        size, begun, empty = self._compiled.programsize, 0, -1
        matches = self._compiled.finditer(text)
        while True:
            context.pay(1 + (len(text) - begun) * size // CHARS_A_STEP)
            match = next(matches, None)
            if match is None:
                return
            begun = match.end()
            if match.start() != begun:
                yield match
            elif begun != empty:
                empty = begun
                yield match

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return int(self._compiled.groups) if self._compiled is not None else 0


@lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        return re2.compile(_translated(expression), options)
    except re2.error:
        return None


def _translated(expression: str) -> str:
    r"""The expression in RE2's words: its \d, \w and \s know only ASCII, and its \Z is called \z."""
    found: list[str] = []
    at, inside = 0, False
    while at < len(expression):
        char = expression[at]
        if char == "\\" and at + 1 < len(expression):
            name = expression[at + 1]
            words = _IN_SET if inside else _ALONE
            found.append(words.get(name, r"\z" if name == "Z" and not inside else char + name))
            at += 2
            continue
        if not inside and char == "[":
            # The first ] of a set is one of its characters.
            opening = re.compile(r"\[\^?\]?").match(expression, at)
            assert opening is not None
            found.append(opening[0].replace("]", r"\]"))
            at, inside = opening.end(), True
            continue
        inside = inside and char != "]"
        found.append(char)
        at += 1
    return "".join(found)


_REGEX = yaqltypes.PythonType(Regex)


@specs.parameter("pattern", yaqltypes.String())
def regex(pattern: str, ignore_case: bool = False, multi_line: bool = False, dot_all: bool = False) -> Regex:
    """A regular expression."""
    flags = (("i", ignore_case), ("m", multi_line), ("s", dot_all))
    return Regex(pattern, "".join(flag for flag, is_set in flags if is_set))


def is_regex(value: Any) -> bool:
    """Whether it is a regular expression."""
    return isinstance(value, Regex)


@specs.parameter("string", yaqltypes.String())
def escape_regex(string: str) -> str:
    """The text with everything escaped that means something in an expression."""
    return re.escape(string)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.method
def matches(context: Metered, pattern: Regex, string: str) -> bool:
    """Whether something in the text fits."""
    return pattern.found(string, context)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.method
def matches_(context: Metered, string: str, pattern: str) -> bool:
    """Whether something in the text fits."""
    return Regex(pattern).found(string, context)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _REGEX)
@specs.name("#operator_=~")
def fits(context: Metered, string: str, pattern: Regex) -> bool:
    """Whether something in the text fits."""
    return pattern.found(string, context)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.name("#operator_=~")
def fits_(context: Metered, string: str, pattern: str) -> bool:
    """Whether something in the text fits."""
    return Regex(pattern).found(string, context)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _REGEX)
@specs.name("#operator_!~")
def fits_not(context: Metered, string: str, pattern: Regex) -> bool:
    """Whether nothing in the text fits."""
    return not pattern.found(string, context)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.name("#operator_!~")
def fits_not_(context: Metered, string: str, pattern: str) -> bool:
    """Whether nothing in the text fits."""
    return not Regex(pattern).found(string, context)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.parameter("selector", yaqltypes.Lambda(with_context=True))
@specs.method
def search(context: Metered, pattern: Regex, string: str, selector: Any = None) -> Any:
    """The first text that fits (None: there is none), or what a selector makes of it."""
    match = next(pattern.each(string, context), None)
    return None if match is None else _selected(context, match, selector)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.parameter("selector", yaqltypes.Lambda(with_context=True))
@specs.method
def search_all(context: Metered, pattern: Regex, string: str, selector: Any = None) -> Iterator[Any]:
    """Every text that fits, or what a selector makes of each."""
    for match in pattern.each(string, context):
        yield _selected(context, match, selector)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.parameter("max_split", int)
@specs.method
def split(context: Metered, pattern: Regex, string: str, max_split: int = 0) -> list[Any]:
    """The text between what fits, with the groups of each between them; `max_split` times (0: always)."""
    return _pieces(context, pattern, string, max_split)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _REGEX)
@specs.parameter("max_split", int)
@specs.method
@specs.name("split")
def split_(context: Metered, string: str, pattern: Regex, max_split: int = 0) -> list[Any]:
    """The text between what fits."""
    return _pieces(context, pattern, string, max_split)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.parameter("repl", yaqltypes.String())
@specs.parameter("count", int)
@specs.method
@specs.name("replace")
def replace_all(context: Metered, pattern: Regex, string: str, repl: str, count: int = 0) -> str:
    r"""The text with what fits replaced, `count` times (0: always); `\1` and `\g<name>` are groups of it."""
    return _replaced(context, pattern, string, lambda match: _expanded(repl, match), count)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _REGEX)
@specs.parameter("repl", yaqltypes.String())
@specs.parameter("count", int)
@specs.method
@specs.name("replace")
def replace_all_(context: Metered, string: str, pattern: Regex, repl: str, count: int = 0) -> str:
    """The text with what fits replaced."""
    return _replaced(context, pattern, string, lambda match: _expanded(repl, match), count)


@specs.parameter("pattern", _REGEX)
@specs.parameter("string", yaqltypes.String())
@specs.parameter("repl", yaqltypes.Lambda(with_context=True))
@specs.parameter("count", int)
@specs.method
@specs.name("replaceBy")
def replace_each(context: Metered, pattern: Regex, string: str, repl: Any, count: int = 0) -> str:
    """The text with what fits replaced by what an expression makes of it, `count` times (0: always)."""
    return _replaced(context, pattern, string, lambda match: str(_selected(context, match, repl)), count)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _REGEX)
@specs.parameter("repl", yaqltypes.Lambda(with_context=True))
@specs.parameter("count", int)
@specs.method
@specs.name("replaceBy")
def replace_each_(context: Metered, string: str, pattern: Regex, repl: Any, count: int = 0) -> str:
    """The text with what fits replaced by what an expression makes of it."""
    return _replaced(context, pattern, string, lambda match: str(_selected(context, match, repl)), count)


REGEXES = (
    *(regex, is_regex, escape_regex, matches, matches_, fits, fits_, fits_not, fits_not_, search, search_all),
    *(split, split_, replace_all, replace_all_, replace_each, replace_each_),
)


# --- inside


def _so_many(matches: Iterator[Any], count: int) -> Iterator[Any]:
    """The first `count` of them (0: all)."""
    for number, match in enumerate(matches, 1):
        yield match
        if number == count:
            return


def _pieces(context: Metered, pattern: Regex, string: str, max_split: int) -> list[Any]:
    pieces: list[Any] = []
    end = 0
    for match in _so_many(pattern.each(string, context), max_split):
        pieces += [string[end : match.start()], *match.groups()]
        end = match.end()
    return [*pieces, string[end:]]


def _replaced(context: Metered, pattern: Regex, string: str, make: Callable[[Any], str], count: int) -> str:
    pieces: list[str] = []
    end = size = 0
    for match in _so_many(pattern.each(string, context), count):
        pieces += [string[end : match.start()], make(match)]
        end = match.end()
        size += len(pieces[-1])
        if size > LONGEST:
            raise exceptions.MemoryQuotaExceededException
    return "".join([*pieces, string[end:]])


def _selected(context: Metered, match: Any, selector: Any) -> Any:
    """What a selector makes of a match: `$` is all of it, `$2` its first group, `$name` one with a name, each a map
    with value, start and end."""
    if selector is None:
        return match.group()
    inner = context.create_child_context()
    for number in range(match.re.groups + 1):
        inner[f"${number + 1}"] = _part(match, number)
    for name, number in match.re.groupindex.items():
        inner[f"${name}"] = _part(match, number)
    return selector(inner)


def _part(match: Any, group: int) -> dict[str, Any]:
    return {"value": match.group(group), "start": match.start(group), "end": match.end(group)}


def _expanded(template: str, match: Any) -> str:
    def one(escape: re.Match[str]) -> str:
        char = escape["char"]
        if char is not None:
            if char.isalpha() and char not in _CHARS:
                raise SpecError(rf"yaql: \{char} means nothing in what replaces a match")
            return _CHARS.get(char, char)
        try:
            name = escape["name"]
            group = match.group(
                int(escape["number"]) if name is None else int(name) if name.isdigit() else name
            )
        except (IndexError, KeyError):
            raise SpecError(f"yaql: the expression has no group {escape[0]}") from None
        return group or ""

    return _ESCAPE.sub(one, template)
