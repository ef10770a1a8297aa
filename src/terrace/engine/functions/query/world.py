"""The small world in which an expression of yaql lives. It imports the library, so it is imported late.

What an author writes there is a program: so nothing in it asks for the time or for chance, no regular expression
tries one way after another, and no arithmetic grows without bound. It runs on fuel: each call of a function costs
steps, and iterations, texts and lists have their limits.
"""

from __future__ import annotations

import collections.abc
from copy import copy
from functools import cache
from typing import Any

import yaql
from yaql.language import conventions, exceptions, specs, utils, yaqltypes

from terrace.engine.functions.query.dates import DATES, is_date, is_span
from terrace.engine.functions.query.metered import MOST_BYTES, MOST_ITERATIONS, Metered
from terrace.engine.functions.query.regexes import REGEXES
from terrace.engine.functions.tank import Tank
from terrace.errors import SpecError

GONE = frozenset(
    {"random", "pow", "shiftBitsLeft", "call", "replace", "now", "localtz", "datetime", "format"}
) | {
    "#property#utc",
    "#property#timestamp",
}
"""Functions that are taken away: they are not pure, or one call of them can make something endless. What is left of
some is put back."""
TOO_MUCH = (exceptions.CollectionTooLargeException, exceptions.MemoryQuotaExceededException, RecursionError)


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
    context = yaql.create_context(context=root, regex=False, datetime=True, yaqlized=False)
    layer = context
    while layer is not None:
        for known in layer._functions.values():
            for spec in [spec for spec in known if spec.name in GONE]:
                layer.delete_function(spec)
        layer = layer.parent
    for function in (*REGEXES, *DATES, replace, replace_by):
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
    if is_date(value):
        return value.isoformat()
    if is_span(value):
        raise SpecError(
            "yaql: the result is a span of time",
            hint="take a number of it: .seconds, .minutes, .hours, .days",
        )
    if isinstance(value, collections.abc.Iterable):
        return [_plain(item) for item in value]
    raise SpecError("yaql: the result is no plain data")


# --- functions put back


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
