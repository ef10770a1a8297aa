"""Functions over lists and maps."""

from __future__ import annotations

from typing import Any

from terrace.languages.document import Tree
from terrace.languages.hot import versions
from terrace.languages.hot.expressions import LATE, Call_, Expressions
from terrace.languages.shape import describe

_REPEAT = ("for_each", "template")


def repeat(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A template once for each combination of items."""
    if not isinstance(arg, dict) or not set(_REPEAT) <= set(arg) <= {*_REPEAT, "permutations"}:
        return on.fail(on.at(call), "wrong-type", "repeat takes a map of for_each and template")
    permutations = on.argument(arg.get("permutations", True))
    if "permutations" in arg and on.template.version < versions.PERMUTATIONS:
        message = f"repeat takes permutations only from version {versions.PERMUTATIONS} on"
        return on.fail(on.document.key(arg, "permutations"), "newer-version-needed", message)
    if not isinstance(permutations, (bool, *LATE)):
        message = f"permutations of repeat must be true or false, not {describe(permutations)}"
        return on.fail(on.document.value(arg, "permutations"), "wrong-type", message)
    each, template = on.argument(arg["for_each"]), on.argument(arg["template"])
    if not isinstance(each, (dict, *LATE)):
        message = f"for_each of repeat must be a map of variables to lists, not {describe(each)}"
        return on.fail(on.document.value(arg, "for_each"), "wrong-type", message)
    return on.fold(call, "repeat", (template, each, permutations))


def map_merge(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Several maps as one."""
    return on.listed(call, "map_merge", 0, None, "a list of maps")


def map_replace(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A map with other keys and values."""
    return on.listed(call, "map_replace", 2, 2, "a list: a map, and a map of keys and values to replace")


def remove(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A list without some values."""
    return on.listed(call, "filter", 2, 2, "a list: the values to take out, and the list")


def list_concat(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Several lists as one."""
    return on.listed(call, "list_concat", 0, None, "a list of lists")


def list_concat_unique(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Several lists as one, each item once."""
    return on.listed(call, "list_concat_unique", 0, None, "a list of lists")


def contains(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Whether a value is in a list."""
    return on.listed(call, "contains", 2, 2, "a list: a value, and a list")
