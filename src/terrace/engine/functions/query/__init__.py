"""yaql: a query over data, by the library of that name, which is loaded only when a template asks for it."""

from __future__ import annotations

from typing import Any

from terrace.engine.functions.tank import Tank, arity, name_of, pay
from terrace.errors import SpecError

LONGEST_EXPRESSION = 10_000
DEEPEST = 40
"""Brackets in brackets."""
START = 2_000
"""Steps that reading an expression costs."""


def yaql(args: list[Any], fuel: Tank) -> Any:
    """(expression, data): what the expression makes of the data, whose root is `$.data`."""
    expression, data = arity("yaql", args, 2)
    if not isinstance(expression, str):
        raise SpecError(f"yaql: the expression must be a string, not {name_of(expression)}")
    _check(expression)
    fuel.spend(START)
    pay(data, fuel)
    from terrace.engine.functions.query import world

    return pay(world.answer(expression, data, fuel), fuel)


def _check(expression: str) -> None:
    if len(expression) > LONGEST_EXPRESSION:
        raise SpecError(
            f"yaql: the expression is longer than {LONGEST_EXPRESSION:,} characters", code="limit-reached"
        )
    depth = 0
    for char in expression:
        depth += (char in "([{") - (char in ")]}")
        if depth > DEEPEST:
            raise SpecError(f"yaql: brackets are nested more than {DEEPEST} deep", code="limit-reached")
