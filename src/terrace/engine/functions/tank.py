"""What all functions of expressions share: their fuel, and how values are named, counted and written as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from terrace.errors import SpecError

SCAN = 256
"""Bytes of text that one step of fuel lets a function read."""


class Tank(Protocol):
    """What a function takes its fuel from: terrace.engine.expression.Fuel."""

    def spend(self, steps: int, size: int = 0) -> None:
        """Pays for `steps` of work and `size` bytes of result; SpecError when the tank is empty."""


Function = Callable[[list[Any], Tank], Any]


def arity(name: str, args: list[Any], count: int) -> Sequence[Any]:
    """The arguments; SpecError unless there are `count`."""
    if len(args) != count:
        raise SpecError(f"{name} takes {count} arguments, not {len(args)}")
    return args


def name_of(value: Any) -> str:
    """The type of a value, in the words of a template's author."""
    names = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", type(None): "nothing"}
    return names.get(type(value), "a number")


def json_of(value: Any, fuel: Tank) -> str:
    """`value` as JSON with sorted keys."""
    text = json.dumps(value, sort_keys=True)
    fuel.spend(1 + len(text) // 16, len(text))
    return text


def text_of(value: Any, fuel: Tank) -> str:
    """A value as it is put into a text."""
    if value is None:
        return ""
    return json_of(value, fuel) if isinstance(value, Mapping | list | tuple) else str(value)


def pay(value: Any, fuel: Tank) -> Any:
    """`value`, after paying for all that is in it: what is put in twice is paid twice."""
    fuel.spend(1, len(value) if isinstance(value, str) else 0)
    if isinstance(value, Mapping):
        for key, item in value.items():
            fuel.spend(0, len(key) if isinstance(key, str) else 8)
            pay(item, fuel)
    elif isinstance(value, list | tuple):
        for item in value:
            pay(item, fuel)
    return value


def listed(name: str, value: Any) -> Sequence[Any]:
    """A list, or None as an empty one; SpecError for anything else."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise SpecError(f"{name} takes lists, not {name_of(value)}")
    return value


def mapped(name: str, value: Any) -> Mapping[Any, Any]:
    """A map, or None as an empty one; SpecError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SpecError(f"{name} takes maps, not {name_of(value)}")
    return value
