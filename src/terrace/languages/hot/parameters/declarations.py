"""Reads the section `parameters`: every mistake in how a parameter is declared."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.engine.functions.convert import convert
from terrace.engine.functions.forms import ASKED, CLOUDS, FORMS, known
from terrace.engine.patterns import Pattern
from terrace.languages.document import Tree
from terrace.languages.hot.parameters.parameter import (
    FITS,
    KEYS,
    PSEUDO,
    TYPES,
    Constraint,
    Parameter,
    broken,
)
from terrace.languages.shape import Shape, describe


def read_parameters(shape: Shape, section: dict[str, Tree]) -> dict[str, Parameter]:
    """The declared parameters by name. One that is declared wrongly is still there, so that uses of it are no
    mistakes of their own."""
    return {name: _parameter(shape, section, name) for name in section if name not in PSEUDO}


def _parameter(shape: Shape, section: dict[str, Tree], name: str) -> Parameter:
    mark = shape.document.key(section, name)
    tree = section[name]
    if not isinstance(tree, dict):
        message = f'parameter "{name}" must be a map with a type, not {describe(tree)}'
        shape.error(shape.document.value(section, name), "wrong-type", message)
        return Parameter(name, "json", mark)
    what = f'parameter "{name}"'
    shape.known(tree, KEYS, what)
    kind = _type(shape, section, name, tree)
    hidden = shape.boolean(tree, "hidden", f"hidden of {what}")
    if hidden:
        shape.report.conceal(name, tree.get("default"))
    shape.text(tree, "label", f"the label of {what}")
    _tags(shape, tree, what)
    parameter = Parameter(
        name=name,
        type=kind,
        mark=mark,
        hidden=hidden,
        description=shape.text(tree, "description", f"the description of {what}"),
        constraints=_constraints(shape, tree, kind, what),
        immutable=shape.boolean(tree, "immutable", f"immutable of {what}"),
    )
    return _with_default(shape, tree, parameter)


def _type(shape: Shape, section: dict[str, Tree], name: str, tree: dict[str, Tree]) -> str:
    kind = tree.get("type")
    if kind is None:
        hint = f"one of {', '.join(TYPES)}"
        shape.error(shape.document.key(section, name), "missing-key", f'parameter "{name}" has no type', hint)
    elif kind not in TYPES:
        hint = shape.report.guess(str(kind), TYPES) or f"one of {', '.join(TYPES)}"
        message = f'parameter "{name}": there is no type "{str(kind)[:100]}"'
        shape.error(shape.document.value(tree, "type"), "unknown-parameter-type", message, hint)
    return kind if kind in TYPES else "json"


def _tags(shape: Shape, tree: dict[str, Tree], what: str) -> None:
    for index, tag in enumerate(shape.list(tree, "tags", f"tags of {what}")):
        if not isinstance(tag, str):
            at = shape.document.value(tree["tags"], index)
            shape.error(at, "wrong-type", f"a tag of {what} must be a text, not {describe(tag)}")


def _with_default(shape: Shape, tree: dict[str, Tree], parameter: Parameter) -> Parameter:
    given = tree.get("default")
    if given is None or tree.get("type") not in TYPES:
        return _set_default(parameter, given)
    at = shape.document.value(tree, "default")
    what = f'the default of parameter "{parameter.name}"'
    try:
        value = convert(parameter.type, given)
        wrong = broken(parameter, value, default=True)
        code, message = "broken-constraint", f"{what} breaks a constraint: {wrong}"
    except ValueError as error:
        value, wrong = None, str(error)
        code, message = "wrong-type", f"{what} {wrong}"
    if wrong:
        shape.report.error(shape.document, at, code, message, secret=parameter.hidden)
    return _set_default(parameter, value)


def _set_default(parameter: Parameter, value: Any) -> Parameter:
    return msgspec.structs.replace(parameter, default=value)


def _constraints(shape: Shape, tree: dict[str, Tree], kind: str, what: str) -> tuple[Constraint, ...]:
    found = []
    items = shape.list(tree, "constraints", f"constraints of {what}")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            message = f"a constraint of {what} must be a map, not {describe(item)}"
            shape.error(shape.document.value(items, index), "wrong-type", message)
            continue
        constraint = _constraint(shape, item, kind, what)
        if constraint is not None:
            found.append(constraint)
    return tuple(found)


def _constraint(shape: Shape, item: dict[str, Tree], kind: str, what: str) -> Constraint | None:
    document = shape.document
    shape.known(item, (*FITS, "description"), f"a constraint of {what}")
    names = [key for key in item if key in FITS]
    if len(names) != 1:
        if names or set(item) <= {"description"}:
            message = f"a constraint of {what} has one rule, this has {len(names)}"
            shape.error(document.start(item), "bad-constraint", message, f"one of {', '.join(FITS)}")
        return None
    name = names[0]
    if kind not in FITS[name]:
        message = f'the constraint "{name}" does not fit {what}, which is a {kind}'
        shape.error(document.key(item, name), "bad-constraint", message)
        return None
    rule, wrong = _RULES[name](item[name])
    if not wrong and name == "allowed_values":
        rule, wrong = _allowed_values(rule, kind)
    if wrong:
        message = f'the constraint "{name}" of {what} {wrong}'
        shape.error(document.value(item, name), "bad-constraint", message)
        return None
    if name == "custom_constraint" and not known(rule):
        hint = (
            shape.report.guess(rule, [*FORMS, *ASKED]) or f"or one of {', '.join(CLOUDS)}, a dot and a name"
        )
        message = f'{what}: there is no custom constraint "{rule[:100]}"; it is not checked'
        shape.report.warn(document, document.value(item, name), "unknown-constraint", message, hint)
    return Constraint(name, rule, shape.text(item, "description", "the description of a constraint"))


def _bounds(rule: Any) -> tuple[Any, str]:
    if not isinstance(rule, dict) or not rule or not set(rule) <= {"min", "max"}:
        return None, "takes min, max or both"
    bounds = {key: _numeric(value) for key, value in rule.items()}
    if None in bounds.values():
        return None, "takes numbers as min and max"
    return bounds, ""


def _steps(rule: Any) -> tuple[Any, str]:
    if not isinstance(rule, dict) or set(rule) != {"step", "offset"}:
        return None, "takes step and offset"
    step, offset = _numeric(rule["step"]), _numeric(rule["offset"])
    if step is None or offset is None:
        return None, "takes numbers as step and offset"
    if step == 0 or abs(offset) >= abs(step) or step * offset < 0:
        return None, "needs an offset that is smaller than the step and has the same sign"
    return {"step": step, "offset": offset}, ""


def _numeric(value: Any) -> int | float | None:
    try:
        number: int | float = convert("number", value)
    except ValueError:
        return None
    return number


def _values(rule: Any) -> tuple[Any, str]:
    return (rule, "") if isinstance(rule, list) else (None, "takes a list of values")


def _allowed_values(rule: list[Any], kind: str) -> tuple[Any, str]:
    """The values as the parameter would hold them."""
    try:
        return [convert("string" if kind == "comma_delimited_list" else kind, item) for item in rule], ""
    except ValueError as error:
        return None, f"has a value that does not fit: each {error}"


def _expression(rule: Any) -> tuple[Any, str]:
    if not isinstance(rule, str):
        return None, "takes a regular expression"
    try:
        Pattern(rule)
        return rule, ""
    except ValueError as error:
        return None, str(error)


def _word(rule: Any) -> tuple[Any, str]:
    return (
        (rule, "") if isinstance(rule, str) else (None, "takes the name of a constraint, such as nova.flavor")
    )


_RULES = {
    "length": _bounds,
    "range": _bounds,
    "modulo": _steps,
    "allowed_values": _values,
    "allowed_pattern": _expression,
    "custom_constraint": _word,
}
