"""if, and what conditions are made of."""

from __future__ import annotations

from typing import Any

from terrace.engine.expression import ELIDED
from terrace.languages.document import Tree
from terrace.languages.hot import versions
from terrace.languages.hot.expressions import Call_, Expressions
from terrace.model.value import UNKNOWN, Call


def choose(on: Expressions, call: Call_, arg: Tree) -> Any:
    """One of two values. Of a condition that is known only the value that it takes is looked at."""
    if not isinstance(arg, list) or len(arg) not in (2, 3):
        form = "if takes a list: a condition, the value if it holds, and the value if not"
        return on.fail(on.at(call), "wrong-type", form)
    if len(arg) == 2 and on.template.version < versions.ELISION:
        message = f"if takes two arguments only from version {versions.ELISION} on: a value is missing"
        return on.fail(on.at(call), "newer-version-needed", message)
    condition = UNKNOWN if on.conditions is None else on.conditions.read(arg[0], arg, 0)
    if condition is True:
        return on.value(arg[1])
    if condition is False:
        if len(arg) == 3:
            return on.value(arg[2])
        on.elided = True
        return ELIDED
    branches = [on.perhaps(branch) for branch in arg[1:]]
    if condition is UNKNOWN:
        return UNKNOWN
    on.choices = True
    return Call("if", (condition, *branches))


def equals(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Whether two values are the same."""
    return on.listed(call, "equals", 2, 2, "a list of two values")


def negated(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Whether a condition does not hold."""
    condition = UNKNOWN if on.conditions is None else on.conditions.read(arg, call, "not")
    if isinstance(condition, bool):
        return not condition
    return UNKNOWN if condition is UNKNOWN else Call("not", (condition,))


def conjunction(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Whether all conditions hold."""
    return _joined(on, call, arg)


def disjunction(on: Expressions, call: Call_, arg: Tree) -> Any:
    """Whether at least one condition holds."""
    return _joined(on, call, arg)


def _joined(on: Expressions, call: Call_, arg: Tree) -> Any:
    name = next(iter(call))
    if not isinstance(arg, list) or len(arg) < 2:
        return on.fail(on.at(call), "wrong-type", f"{name} takes a list of at least two conditions")
    if on.conditions is None:
        return UNKNOWN
    found = [on.conditions.read(item, arg, position) for position, item in enumerate(arg)]
    decides = name == "or"
    if any(one is decides for one in found):
        return decides
    if any(one is UNKNOWN for one in found):
        return UNKNOWN
    if all(isinstance(one, bool) for one in found):
        return not decides
    return Call(name, tuple(found))
