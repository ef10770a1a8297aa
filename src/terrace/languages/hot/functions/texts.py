"""Functions that make texts, or take them apart."""

from __future__ import annotations

from typing import Any

from terrace.engine.functions.texts import SCALARS, STRICT, VERY_STRICT
from terrace.languages.document import Tree
from terrace.languages.hot import versions
from terrace.languages.hot.expressions import LATE, Call_, Expressions
from terrace.languages.shape import describe


def str_replace(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A text with keys replaced by values."""
    return _replace(on, call, arg, "" if on.template.version >= versions.MULTIPLE_LISTS else SCALARS)


def str_replace_strict(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The same, where every key must be found."""
    return _replace(on, call, arg, STRICT)


def str_replace_vstrict(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The same, where no value may be empty."""
    return _replace(on, call, arg, VERY_STRICT)


def _replace(on: Expressions, call: Call_, arg: Tree, rule: str) -> Any:
    name = next(iter(call))
    if not isinstance(arg, dict) or set(arg) != {"template", "params"}:
        return on.fail(on.at(call), "wrong-type", f"{name} takes a map of template and params")
    template, params = on.argument(arg["template"]), on.argument(arg["params"])
    if not isinstance(template, (str, *LATE)):
        message = f"the template of {name} must be a text, not {describe(template)}"
        return on.fail(on.document.value(arg, "template"), "wrong-type", message)
    if not isinstance(params, (dict, *LATE)):
        message = f"the params of {name} must be a map, not {describe(params)}"
        return on.fail(on.document.value(arg, "params"), "wrong-type", message)
    return on.fold(call, "str_replace", (template, params, rule) if rule else (template, params))


def list_join(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The items of lists as one text."""
    form = "a list: a delimiter, and a list of texts"
    if not isinstance(arg, list) or len(arg) < 2:
        return on.listed(call, "list_join", 2, None, form)
    if len(arg) > 2 and on.template.version < versions.MULTIPLE_LISTS:
        message = f"list_join takes several lists only from version {versions.MULTIPLE_LISTS} on"
        return on.fail(on.document.value(arg, 2), "newer-version-needed", message)
    args = [on.argument(item) for item in arg]
    for position, item in enumerate(args):
        fine = (str, type(None)) if position == 0 else (list, type(None))
        nothing = position > 0 and item in ("", {}) and on.template.version >= versions.MULTIPLE_LISTS
        if not nothing and not isinstance(item, (*fine, *LATE)):
            what = "a text as its delimiter" if position == 0 else "a list to join"
            message = f"list_join takes {what}, not {describe(item)}"
            return on.fail(on.document.value(arg, position), "wrong-type", message)
    return on.fold(call, "list_join", tuple(args))


def str_split(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The parts of a text, or one of them."""
    return on.listed(call, "str_split", 2, 3, "a list: a delimiter, a text, and perhaps an index")


def digest(on: Expressions, call: Call_, arg: Tree) -> Any:
    """The digest of a text."""
    return on.listed(call, "digest", 2, 2, "a list: an algorithm and a text")


def make_url(on: Expressions, call: Call_, arg: Tree) -> Any:
    """A URL from its parts."""
    parts = on.argument(arg)
    if not isinstance(parts, (dict, *LATE)):
        return on.fail(on.at(call), "wrong-type", f"make_url takes a map of parts, not {describe(parts)}")
    return on.fold(call, "make_url", (parts,))


def yaql(on: Expressions, call: Call_, arg: Tree) -> Any:
    """What a yaql expression makes of data."""
    if not isinstance(arg, dict) or not {"expression"} <= set(arg) <= {"expression", "data"}:
        return on.fail(on.at(call), "wrong-type", "yaql takes a map of expression and data")
    expression, data = on.argument(arg["expression"]), on.argument(arg.get("data", {}))
    if not isinstance(expression, (str, *LATE)):
        message = f"the expression of yaql must be a text, not {describe(expression)}"
        return on.fail(on.document.value(arg, "expression"), "wrong-type", message)
    return on.fold(call, "yaql", (expression, data))
