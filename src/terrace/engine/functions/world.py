"""The small world in which an expression of yaql lives. It imports the library, so it is imported late.

What an author writes there is a program: so nothing in it asks for the time or for chance, no regular expression
is tried but those that terrace.engine.patterns can follow, and no arithmetic grows without bound. It runs on fuel:
each call of a function costs steps, and iterations, texts and lists have their limits.
"""

from __future__ import annotations

import collections.abc
from copy import copy
from functools import cache
from typing import Any

import yaql
from yaql.language import contexts, conventions, exceptions, specs, utils, yaqltypes

from terrace.engine.functions.tank import Tank
from terrace.engine.patterns import Pattern
from terrace.errors import SpecError

MOST_ITERATIONS = 200
MOST_BYTES = 10_000
STEP = 150
"""What one call of a function costs: the library does much for each."""
GONE = frozenset({"random", "pow", "shiftBitsLeft", "call", "replace"})
"""Functions that are taken away: they are not pure, or one call of them can make something endless. What is left of
`replace` is put back below."""
TOO_MUCH = (exceptions.CollectionTooLargeException, exceptions.MemoryQuotaExceededException, RecursionError)


class Metered(contexts.Context):  # type: ignore[misc]
    """A context in which each call of a function costs fuel. The library makes contexts below it by itself."""

    def __init__(
        self, parent_context: Any = None, data: Any = utils.NO_VALUE, convention: Any = None
    ) -> None:
        super().__init__(parent_context, data, convention)
        self.tank: Tank | None = getattr(parent_context, "tank", None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.tank is not None:
            self.tank.spend(STEP)
        return super().__call__(*args, **kwargs)


def answer(expression: str, data: Any, fuel: Tank) -> Any:
    """What an expression makes of the data, as plain data. SpecError for whatever goes wrong with it."""
    try:
        engine, context = _world()
        scope = context.create_child_context()
        scope.tank = fuel
        return _plain(_own(engine)(expression).evaluate({"data": data}, scope))
    except SpecError:
        raise
    except TOO_MUCH as error:
        raise SpecError(
            f"yaql: more than {MOST_ITERATIONS} items, {MOST_BYTES:,} bytes or too many levels at once",
            code="limit-reached",
            hint="split the query, or make what it works on smaller",
        ) from error
    except Exception as error:  # what the author's program does wrong comes as any type of error
        raise SpecError(f"yaql: {_words(error)}") from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


@cache
def _world() -> tuple[Any, Any]:
    """The library's parser, and the context with the functions that expressions may use."""
    options = {
        "yaql.limitIterators": MOST_ITERATIONS,
        "yaql.memoryQuota": MOST_BYTES,
        "yaql.convertSetsToLists": True,
    }
    root = Metered(convention=conventions.CamelCaseConvention())
    context = yaql.create_context(context=root, regex=False, datetime=False, yaqlized=False)
    layer = context
    while layer is not None:
        for known in layer._functions.values():
            for spec in [spec for spec in known if spec.name in GONE]:
                layer.delete_function(spec)
        layer = layer.parent
    for function in (regex, matches, matches_, fits, fits_, fits_not, fits_not_, replace, replace_by):
        context.register_function(function)
    return yaql.YaqlFactory().create(options), context


def _own(engine: Any) -> Any:
    """An engine like this one with a parser of its own: the library's remembers where it is, and templates are
    compiled in several threads."""
    return type(engine)(engine.lexer.clone(), copy(engine.parser), engine.options, engine.factory)


def _plain(value: Any) -> Any:
    if isinstance(value, collections.abc.Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, collections.abc.Iterable):
        return [_plain(item) for item in value]
    raise SpecError("yaql: the result is no plain data")


# --- functions put back: the names are those of yaql, a `_` at the end makes another form of the same

_PATTERN = yaqltypes.PythonType(Pattern)


def _found(context: Metered, pattern: Pattern, string: str) -> bool:
    found = pattern.found(string)
    if context.tank is not None:
        context.tank.spend(pattern.spent)
    return found


@specs.parameter("pattern", yaqltypes.String())
def regex(pattern: str) -> Pattern:
    """A regular expression."""
    return Pattern(pattern)


@specs.parameter("pattern", _PATTERN)
@specs.parameter("string", yaqltypes.String())
@specs.method
def matches(context: Metered, pattern: Pattern, string: str) -> bool:
    """Whether something in the text fits."""
    return _found(context, pattern, string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.method
def matches_(context: Metered, string: str, pattern: str) -> bool:
    """Whether something in the text fits."""
    return _found(context, Pattern(pattern), string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _PATTERN)
@specs.name("#operator_=~")
def fits(context: Metered, string: str, pattern: Pattern) -> bool:
    """Whether something in the text fits."""
    return _found(context, pattern, string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.name("#operator_=~")
def fits_(context: Metered, string: str, pattern: str) -> bool:
    """Whether something in the text fits."""
    return _found(context, Pattern(pattern), string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", _PATTERN)
@specs.name("#operator_!~")
def fits_not(context: Metered, string: str, pattern: Pattern) -> bool:
    """Whether nothing in the text fits."""
    return not _found(context, pattern, string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("pattern", yaqltypes.String())
@specs.name("#operator_!~")
def fits_not_(context: Metered, string: str, pattern: str) -> bool:
    """Whether nothing in the text fits."""
    return not _found(context, Pattern(pattern), string)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("old", yaqltypes.String())
@specs.parameter("new", yaqltypes.String())
@specs.parameter("count", int)
@specs.method
def replace(string: str, old: str, new: str, count: int = -1) -> str:
    """The text with `old` replaced by `new`, `count` times (-1: always)."""
    if len(string) + string.count(old) * len(new) > MOST_BYTES * 10:
        raise exceptions.MemoryQuotaExceededException
    return string.replace(old, new, count)


@specs.parameter("string", yaqltypes.String())
@specs.parameter("replacements", utils.MappingType)
@specs.parameter("count", int)
@specs.method
@specs.name("replace")
def replace_by(string: str, replacements: collections.abc.Mapping[Any, Any], count: int = -1) -> str:
    """The text with each key of a map replaced by its value, one after the other."""
    for old, new in replacements.items():
        string = replace(string, str(old), str(new), count)
    return string
