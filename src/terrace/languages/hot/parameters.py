"""Parameters: how they are declared, which values fit them, and which value holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec

from terrace.languages.document import Mark
from terrace.languages.patterns import Pattern

TYPES = ("string", "number", "comma_delimited_list", "json", "boolean")
KEYS = frozenset({"type", "label", "description", "default", "hidden", "constraints", "immutable", "tags"})
PSEUDO = ("OS::stack_id", "OS::stack_name", "OS::project_id")
LONGEST_MATCHED = 4096

_TRUE = frozenset({"t", "true", "on", "y", "yes", "1"})
_FALSE = frozenset({"f", "false", "off", "n", "no", "0"})


class Constraint(msgspec.Struct, frozen=True):
    """A rule for values. `kind` is the key of HOT, `rule` its value, checked to be of the right shape."""

    kind: str
    rule: Any
    description: str = ""


class Parameter(msgspec.Struct, frozen=True):
    """A declared parameter. `mark` is where its name stands in the template."""

    name: str
    type: str
    mark: Mark
    default: Any = None
    hidden: bool = False
    description: str = ""
    constraints: tuple[Constraint, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None


def convert(kind: str, value: Any) -> Any:
    """`value` as a parameter of type `kind` holds it. ValueError says in words what it should be (never
    what it is: it may be hidden)."""
    return _CONVERT[kind](value)


def _string(value: Any) -> str:
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("must be a text")


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else float(text[:100])
    except ValueError:
        raise ValueError("must be a number") from None
    return number


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ["" if item is None else str(item) for item in value]
    raise ValueError("must be a list of texts, or a text with commas between them")


def _json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError("must be a map or a list, or JSON of one") from None
    if isinstance(value, dict | list):
        return value
    raise ValueError("must be a map or a list, or JSON of one")


def _boolean(value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if text not in _TRUE and text not in _FALSE:
        raise ValueError("must be true or false")
    return text in _TRUE


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "number": _number,
    "comma_delimited_list": _list,
    "json": _json,
    "boolean": _boolean,
}


def broken(parameter: Parameter, value: Any) -> str:
    """Why a converted value breaks a constraint, in the author's words if there are any; "" when it breaks
    none. Says nothing of a hidden value."""
    for constraint in parameter.constraints:
        wrong = _CHECKS[constraint.kind](constraint.rule, value)
        if wrong:
            shown = "" if parameter.hidden else f"{_show(value)} "
            return constraint.description or f"{shown}{wrong}"
    return ""


def _length(rule: dict[str, Any], value: Any) -> str:
    size = len(value)
    if not rule.get("min", size) <= size <= rule.get("max", size):
        return f"has a length that is not {_between(rule)}"
    return ""


def _range(rule: dict[str, Any], value: Any) -> str:
    if not rule.get("min", value) <= value <= rule.get("max", value):
        return f"is not {_between(rule)}"
    return ""


def _modulo(rule: dict[str, Any], value: Any) -> str:
    if value % rule["step"] != rule["offset"]:
        return f"is not {rule['offset']} more than a multiple of {rule['step']}"
    return ""


def _allowed(rule: list[Any], value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    if all(item in rule for item in values):
        return ""
    return f"is not one of {', '.join(map(str, rule))[:300]}"


def _pattern(rule: Pattern, value: Any) -> str:
    if len(value) > LONGEST_MATCHED:
        return f"is longer than the {LONGEST_MATCHED} characters that a pattern is tried on"
    try:
        return "" if rule.fits(value) else f"does not match {rule.expression}"
    except ValueError as error:
        return f"cannot be tried: the pattern {error}"


def _custom(rule: Any, value: Any) -> str:
    """The provider is asked when the resource is made: it alone knows its images, flavors and networks."""
    return ""


_CHECKS: dict[str, Callable[[Any, Any], str]] = {
    "length": _length,
    "range": _range,
    "modulo": _modulo,
    "allowed_values": _allowed,
    "allowed_pattern": _pattern,
    "custom_constraint": _custom,
}

# Which constraints fit which types.
FITS = {
    "length": ("string", "comma_delimited_list", "json"),
    "range": ("number",),
    "modulo": ("number",),
    "allowed_values": ("string", "number", "comma_delimited_list", "boolean"),
    "allowed_pattern": ("string",),
    "custom_constraint": TYPES,
}


def _between(rule: dict[str, Any]) -> str:
    if "min" in rule and "max" in rule:
        return f"between {rule['min']} and {rule['max']}"
    return f"at least {rule['min']}" if "min" in rule else f"at most {rule['max']}"


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
