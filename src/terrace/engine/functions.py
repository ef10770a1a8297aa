"""The functions that expressions call. Each is called with evaluated arguments, never with what is unknown or
secret (terrace.engine.expression sees to both), and pays for its work and its result in fuel."""

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


def str_replace(args: list[Any], fuel: Tank) -> Any:
    """(template, params): every key of params in the text replaced by its value. The longest key goes
    first, keys of one length in alphabetical order; what was put in is not looked at again. SpecError for
    anything but a text and a map of texts."""
    template, params = _arity("str_replace", args, 2)
    if not isinstance(template, str):
        raise SpecError(f"str_replace: the template must be a string, not {_name(template)}")
    if not isinstance(params, Mapping):
        raise SpecError(f"str_replace: params must be a map, not {_name(params)}")
    if not all(isinstance(key, str) and key for key in params):
        raise SpecError("str_replace: a key of params is empty or no text")
    pieces: list[tuple[str, bool]] = [(template, False)]
    for key in sorted(params, key=lambda key: (-len(key), key)):
        pieces = _replace(pieces, key, _text(params[key], fuel), fuel)
    fuel.spend(1, sum(len(text) for text, _ in pieces))
    return "".join(text for text, _ in pieces)


def _replace(pieces: list[tuple[str, bool]], key: str, value: str, fuel: Tank) -> list[tuple[str, bool]]:
    """`pieces` (text, whether it was put in) with `key` replaced in those that were not put in."""
    fuel.spend(len(pieces))
    done: list[tuple[str, bool]] = []
    for piece in pieces:
        text, inserted = piece
        found = 0 if inserted else text.count(key)
        fuel.spend(found + len(text) // SCAN)
        if not found:
            done.append(piece)
            continue
        for part in text.split(key):
            done.append((part, False))
            done.append((value, True))
        done.pop()
    return done


def list_join(args: list[Any], fuel: Tank) -> Any:
    """(delimiter, list, ...): the items of all lists as one text. A list that is None is left out, an item
    that is None is empty, maps and lists are JSON. SpecError for other items: a number is not a text."""
    if len(args) < 2:
        raise SpecError("list_join takes a delimiter and at least one list")
    delimiter = "" if args[0] is None else args[0]
    if not isinstance(delimiter, str):
        raise SpecError(f"list_join: the delimiter must be a string, not {_name(delimiter)}")
    texts: list[str] = []
    for items in args[1:]:
        if items is None:
            continue
        if not isinstance(items, list | tuple):
            raise SpecError(f"list_join joins lists, not {_name(items)}")
        fuel.spend(len(items))
        texts.extend(_item(item, fuel) for item in items)
    fuel.spend(1, sum(map(len, texts)) + len(delimiter) * len(texts))
    return delimiter.join(texts)


def index(args: list[Any], fuel: Tank) -> Any:
    """(value, {text: replacement}): `value` with each text replaced in every string inside it, keys of maps
    excepted. This is how a member of a group learns its number."""
    value, replacements = _arity("index", args, 2)
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
        if isinstance(value, Mapping):
            if key not in value and str(key) not in value:
                return ""
            value = value[key] if key in value else value[str(key)]
        elif isinstance(value, list | tuple):
            number = _number(key)
            if number is None or not -len(value) <= number < len(value):
                return ""
            value = value[number]
        else:
            return ""
    return value


def _number(key: Any) -> int | None:
    if isinstance(key, str) and key.lstrip("-").isdecimal() and len(key) < 10:
        return int(key)
    return key if isinstance(key, int) and not isinstance(key, bool) else None


def _arity(name: str, args: list[Any], count: int) -> Sequence[Any]:
    if len(args) != count:
        raise SpecError(f"{name} takes {count} arguments, not {len(args)}")
    return args


def _text(value: Any, fuel: Tank) -> str:
    """How str_replace writes a value."""
    if value is None:
        return ""
    return _json(value, fuel) if isinstance(value, Mapping | list | tuple) else str(value)


def _item(value: Any, fuel: Tank) -> str:
    """How list_join writes an item."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple):
        return _json(value, fuel)
    raise SpecError(
        f"list_join: an item must be a string, a map or a list, not {_name(value)}",
        hint="write a number in quotes, or put it in with str_replace",
    )


def _json(value: Any, fuel: Tank) -> str:
    text = json.dumps(value, sort_keys=True)
    fuel.spend(1 + len(text) // 16, len(text))
    return text


def _name(value: Any) -> str:
    """The type of a value, in the words of a template's author."""
    names = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", type(None): "nothing"}
    return names.get(type(value), "a number")


FUNCTIONS: dict[str, Function] = {
    "str_replace": str_replace,
    "list_join": list_join,
    "index": index,
    "path": path,
}
