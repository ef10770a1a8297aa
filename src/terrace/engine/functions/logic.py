"""Conditions. `if`, `and` and `or` are not here: they look at an argument only when they need it, so
terrace.engine.expression knows them itself."""

from __future__ import annotations

from typing import Any

from terrace.engine.functions.tank import Tank, arity, name_of, pay
from terrace.errors import SpecError


def truth(value: Any) -> bool:
    """A condition's value; SpecError for anything but true and false."""
    if not isinstance(value, bool):
        raise SpecError(
            f"a condition must be true or false, not {name_of(value)}",
            code="not-a-condition",
            hint="a parameter that is a condition by itself has the type boolean",
        )
    return value


def equals(args: list[Any], fuel: Tank) -> Any:
    """(value, value): whether both are the same."""
    one, other = arity("equals", args, 2)
    pay(one, fuel)
    return bool(one == other)


def negated(args: list[Any], fuel: Tank) -> Any:
    """(condition): whether it does not hold."""
    fuel.spend(1)
    return not truth(arity("not", args, 1)[0])
