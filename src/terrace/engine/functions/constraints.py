"""Constraints: which values a parameter takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from terrace.engine.functions.forms import FORMS
from terrace.engine.patterns import Pattern

LONGEST_MATCHED = 4096
Rule = tuple[str, Any, str]
"""A kind of constraint by its name in HOT, its rule, which was checked to be of the right shape, and what its author
says of it."""


def broken(rules: Iterable[Rule], value: Any, *, hidden: bool = False) -> str:
    """Why a converted value breaks a rule, in the author's words if there are any; "" when it breaks none. Says
    nothing of a hidden value."""
    for kind, rule, description in rules:
        wrong = _CHECKS[kind](rule, value)
        if wrong:
            return description or (wrong if hidden else f"{_show(value)} {wrong}")
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


def _pattern(rule: str, value: Any) -> str:
    if len(value) > LONGEST_MATCHED:
        return f"is longer than the {LONGEST_MATCHED} characters that a pattern is tried on"
    try:
        return "" if Pattern(rule).fits(value) else f"does not match {rule}"
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


def _between(rule: dict[str, Any]) -> str:
    if "min" in rule and "max" in rule:
        return f"between {rule['min']} and {rule['max']}"
    return f"at least {rule['min']}" if "min" in rule else f"at most {rule['max']}"


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."
