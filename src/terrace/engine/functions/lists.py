"""Functions over lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from terrace.engine.functions.tank import SCAN, Tank, arity, listed, name_of, pay
from terrace.engine.functions.texts import replaced
from terrace.errors import SpecError


def repeat(args: list[Any], fuel: Tank) -> Any:
    """(template, {variable: list}, permutations): the template once for each combination of items, the last
    variable changing fastest; without permutations once for the first items, once for the second and so on.
    A list that is None is empty; of a map the keys are taken. Variables are replaced in texts and in keys of
    maps; a text that is nothing but a variable becomes the item itself when that is a map or a list."""
    template, lists, permutations = arity("repeat", args, 3)
    if not isinstance(lists, Mapping) or not lists:
        raise SpecError("repeat: for_each must be a map of at least one variable")
    if not all(isinstance(name, str) and name for name in lists):
        raise SpecError("repeat: a variable of for_each is empty or no text")
    columns = [_column(name, items) for name, items in lists.items()]
    if not all(columns):
        return []
    if not permutations and len({len(column) for column in columns}) > 1:
        raise SpecError("repeat: without permutations all lists of for_each must be equally long")
    rows: Iterable[tuple[Any, ...]] = product(*columns) if permutations else zip(*columns, strict=True)
    return [_fill(template, dict(zip(lists, row, strict=True)), fuel) for row in rows]


def _column(name: str, items: Any) -> Sequence[Any]:
    if isinstance(items, Mapping):
        return list(items)
    if items is not None and not isinstance(items, list | tuple):
        raise SpecError(f'repeat: "{name[:100]}" of for_each must be a list, not {name_of(items)}')
    return items or ()


def _fill(value: Any, row: Mapping[str, Any], fuel: Tank) -> Any:
    fuel.spend(1)
    if isinstance(value, str):
        item = row.get(value)
        if isinstance(item, Mapping | list | tuple):
            return pay(item, fuel)
        return replaced(value, row, fuel)
    if isinstance(value, Mapping):
        return {_key(key, row, fuel): _fill(item, row, fuel) for key, item in value.items()}
    return [_fill(item, row, fuel) for item in value] if isinstance(value, list | tuple) else value


def _key(key: Any, row: Mapping[str, Any], fuel: Tank) -> Any:
    return replaced(key, row, fuel) if isinstance(key, str) else key


def remove(args: list[Any], fuel: Tank) -> Any:
    """(values, list): the list without the items that are among the values. This is HOT's `filter`."""
    values, items = (listed("filter", arg) for arg in arity("filter", args, 2))
    fuel.spend(1 + len(values) * len(items))
    return [pay(item, fuel) for item in items if item not in values]


def list_concat(args: list[Any], fuel: Tank) -> Any:
    """(list, ...): all items as one list; a list that is None is left out."""
    return [pay(item, fuel) for items in args for item in listed("list_concat", items)]


def list_concat_unique(args: list[Any], fuel: Tank) -> Any:
    """(list, ...): all items as one list, each once, where it comes first."""
    found: list[Any] = []
    for items in args:
        for item in listed("list_concat_unique", items):
            fuel.spend(1 + len(found) // 4)
            if item not in found:
                found.append(pay(item, fuel))
    return found


def contains(args: list[Any], fuel: Tank) -> Any:
    """(value, list): whether the value is in the list, or a text in a text."""
    value, items = arity("contains", args, 2)
    if isinstance(items, str):
        if not isinstance(value, str):
            raise SpecError(f"contains: only a string can be in a string, not {name_of(value)}")
        fuel.spend(1 + len(items) // SCAN)
        return value in items
    fuel.spend(1 + len(listed("contains", items)))
    return items is not None and value in items


def select(args: list[Any], fuel: Tank) -> Any:
    """(index, list) or (key, map): the item; '' where there is none."""
    key, items = arity("Fn::Select", args, 2)
    fuel.spend(1)
    if isinstance(items, Mapping):
        return items.get(key, "") if isinstance(key, str) else ""
    number = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 10 else key
    if isinstance(number, bool) or not isinstance(number, int):
        raise SpecError("Fn::Select takes a number and a list, or a key and a map")
    items = listed("Fn::Select", items)
    return items[number] if 0 <= number < len(items) and items[number] is not None else ""
