"""Parameters: how they are declared, which values fit them, and which value holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from terrace.engine.patterns import Pattern
from terrace.languages.document import Mark
from terrace.languages.hot.parameters.forms import FORMS

TYPES = ("string", "number", "comma_delimited_list", "json", "boolean")
KEYS = frozenset({"type", "label", "description", "default", "hidden", "constraints", "immutable", "tags"})
PSEUDO = ("OS::stack_id", "OS::stack_name", "OS::project_id")
LONGEST_MATCHED = 4096


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
    immutable: bool = False

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None


def broken(parameter: Parameter, value: Any, *, default: bool = False) -> str:
    """Why a converted value breaks a constraint, in the author's words if there are any; "" when it breaks
    none. Says nothing of a hidden value. Custom constraints do not bind a default."""
    for constraint in parameter.constraints:
        if default and constraint.kind == "custom_constraint":
            continue
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
    """What has a form by itself is checked here. For the rest a provider is asked: it alone knows its images, flavors
    and networks (terrace.services.admission)."""
    form = FORMS.get(rule)
    return form(value) if form is not None and isinstance(value, str) else ""


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
