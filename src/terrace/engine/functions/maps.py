"""Functions over maps."""

from __future__ import annotations

from typing import Any

from terrace.engine.functions.tank import Tank, arity, listed, mapped, name_of, pay
from terrace.errors import SpecError


def map_merge(args: list[Any], fuel: Tank) -> Any:
    """(map, ...): all keys as one map; of a key that comes twice the later value. None is left out."""
    merged: dict[Any, Any] = {}
    for one in args:
        for key, value in mapped("map_merge", one).items():
            merged[key] = pay(value, fuel)
    return merged


def map_replace(args: list[Any], fuel: Tank) -> Any:
    """(map, {keys, values}): keys and values of a map replaced by what the second says. SpecError when two keys
    would become one."""
    given, rules = (mapped("map_replace", arg) for arg in arity("map_replace", args, 2))
    if not set(rules) <= {"keys", "values"}:
        raise SpecError("map_replace takes a map, and a map of keys and values to replace")
    keys, values = (mapped("map_replace", rules.get(name)) for name in ("keys", "values"))
    result: dict[Any, Any] = {}
    for key, value in given.items():
        fresh = keys.get(key)
        fresh = key if fresh is None else fresh
        if not isinstance(fresh, str | int):
            raise SpecError(f"map_replace: a key is replaced by a string, not by {name_of(fresh)}")
        if fresh in result or (fresh != key and fresh in given):
            raise SpecError(f'map_replace: two keys would be "{str(fresh)[:100]}"')
        known = isinstance(value, str | int | float | None) and value in values
        result[fresh] = pay(values[value] if known else value, fuel)
    return result


def member_list(args: list[Any], fuel: Tank) -> Any:
    """(key, value, list of ".member.N.KEY=text"): the map that such a list stands for."""
    key_name, value_name, members = arity("Fn::MemberListToMap", args, 3)
    if not isinstance(key_name, str) or not isinstance(value_name, str):
        raise SpecError("Fn::MemberListToMap takes the names of keys and values, and a list")
    found: dict[str, dict[str, str]] = {}
    for member in listed("Fn::MemberListToMap", members):
        fuel.spend(1)
        name, equals, text = member.partition("=") if isinstance(member, str) else ("", "", "")
        number, _, field = name.removeprefix(".member.").partition(".")
        if not equals or not name.startswith(".member.") or not number.isdecimal():
            raise SpecError(f"Fn::MemberListToMap: an item is no .member.NUMBER.{key_name}=TEXT")
        found.setdefault(number, {})[field] = text
    pairs = (found[number] for number in sorted(found, key=int))
    return {pair[key_name]: pair[value_name] for pair in pairs if key_name in pair and value_name in pair}
