"""Values as a parameter of a type holds them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from terrace.engine.functions.constraints import broken
from terrace.engine.functions.tank import SCAN, Tank, arity
from terrace.errors import SpecError

DEEPEST = 64
"""Levels of a value that is given as JSON."""
_TRUE = frozenset({"t", "true", "on", "y", "yes", "1"})
_FALSE = frozenset({"f", "false", "off", "n", "no", "0"})


def convert(kind: str, value: Any) -> Any:
    """`value` as a parameter of type `kind` holds it. ValueError says in words what it should be (never
    what it is: it may be hidden)."""
    return _CONVERT[kind](value)


def parameter(args: list[Any], fuel: Tank) -> Any:
    """(name, type, value, rules, hidden): what a nested template's parameter is given, as its type holds it. None
    stays. SpecError when it does not fit the type, or breaks one of the rules."""
    name, kind, value, rules, hidden = arity("parameter", args, 5)
    if value is None:
        return None
    fuel.spend(1 + (len(value) // SCAN if isinstance(value, str) else 0) + 100 * len(rules))
    what = f'the value given for parameter "{name}"'
    try:
        converted = convert(kind, value)
    except ValueError as error:
        raise SpecError(f"{what} {error}", code="wrong-type") from None
    wrong = broken(rules, converted, hidden=hidden)
    if wrong:
        raise SpecError(f"{what} breaks a constraint: {wrong}", code="broken-constraint")
    return converted


def _string(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("must be a text")


def _number(value: Any) -> int | float:
    number: int | float | None = None
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    text = value.strip() if isinstance(value, str) else ""
    if text:
        try:
            number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else float(text[:100])
        except ValueError:
            number = None
    if number is None or not isfinite(number):
        raise ValueError("must be a number")
    return number


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ["" if item is None else str(item) for item in value]
    raise ValueError("must be a list of texts, or a text with commas between them")


def _json(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("must be a map or a list, or JSON of one") from None
        if _deeper(value, DEEPEST):
            raise ValueError(f"must not be nested more than {DEEPEST} levels deep")
    if isinstance(value, dict | list):
        return value
    raise ValueError("must be a map or a list, or JSON of one")


def _deeper(value: Any, levels: int) -> bool:
    """Whether a value has more than so many levels. Looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items)


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if text not in _TRUE and text not in _FALSE:
        raise ValueError("must be true or false")
    return text in _TRUE


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "comma_delimited_list": _list,
    "json": _json,
    "boolean": _boolean,
}
