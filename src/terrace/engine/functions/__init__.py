"""The functions that expressions call. Each is called with evaluated arguments, never with what is unknown or
secret (terrace.engine.expression sees to both), and pays for its work and its result in fuel. FUNCTIONS is the
table."""

from __future__ import annotations

from typing import Any

from terrace.engine.functions.convert import parameter
from terrace.engine.functions.lists import contains, list_concat, list_concat_unique, remove, repeat, select
from terrace.engine.functions.logic import equals, negated
from terrace.engine.functions.maps import map_merge, map_replace, member_list
from terrace.engine.functions.query import yaql
from terrace.engine.functions.tank import Function, Tank, arity, listed
from terrace.engine.functions.texts import digest, list_join, str_replace, str_split
from terrace.engine.functions.trees import index, path
from terrace.engine.functions.urls import make_url

__all__ = ["FUNCTIONS", "Function", "Tank"]


def spread(args: list[Any], fuel: Tank) -> Any:
    """(function, list): the function with the items of the list as its arguments."""
    name, items = arity("spread", args, 2)
    return FUNCTIONS[name](list(listed(name, items)), fuel)


FUNCTIONS: dict[str, Function] = {
    "str_replace": str_replace,
    "list_join": list_join,
    "str_split": str_split,
    "digest": digest,
    "make_url": make_url,
    "repeat": repeat,
    "filter": remove,
    "list_concat": list_concat,
    "list_concat_unique": list_concat_unique,
    "contains": contains,
    "select": select,
    "map_merge": map_merge,
    "map_replace": map_replace,
    "member_list": member_list,
    "equals": equals,
    "not": negated,
    "yaql": yaql,
    "parameter": parameter,
    "index": index,
    "path": path,
    "spread": spread,
}
