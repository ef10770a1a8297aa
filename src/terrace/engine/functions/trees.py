"""Functions that walk through a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terrace.engine.functions.tank import SCAN, Tank, arity
from terrace.errors import SpecError


def index(args: list[Any], fuel: Tank) -> Any:
    """(value, {text: replacement}): `value` with each text replaced in every string inside it, keys of maps
    excepted. This is how a member of a group learns its number."""
    value, replacements = arity("index", args, 2)
    return _substitute(value, dict(replacements), fuel)


def _substitute(value: Any, replacements: dict[str, str], fuel: Tank) -> Any:
    fuel.spend(1)
    if isinstance(value, str):
        for old, new in replacements.items():
            if old in value:
                value = value.replace(old, new)
                fuel.spend(len(value) // SCAN, len(value))
        return value
    if isinstance(value, Mapping):
        return {key: _substitute(item, replacements, fuel) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_substitute(item, replacements, fuel) for item in value]
    return value


def path(args: list[Any], fuel: Tank) -> Any:
    """(value, key, ...): the part of `value` that the keys lead to, as get_param does it: a number written as
    text is an index of a list, and keys that lead nowhere give ''."""
    if not args:
        raise SpecError("path takes a value and the keys to follow")
    value = args[0]
    fuel.spend(len(args))
    for key in args[1:]:
        value = step(value, key)
    return value


def step(value: Any, key: Any) -> Any:
    """The part of `value` under one key; '' where there is none."""
    if isinstance(value, Mapping):
        if isinstance(key, str | int | float | None) and key in value:
            return value[key]
        return value.get(str(key), "")
    if isinstance(value, list | tuple):
        number = _number(key)
        if number is not None and -len(value) <= number < len(value):
            return value[number]
    return ""


def _number(key: Any) -> int | None:
    if isinstance(key, str) and key.lstrip("-").isdecimal() and len(key) < 10:
        return int(key)
    return key if isinstance(key, int) and not isinstance(key, bool) else None
