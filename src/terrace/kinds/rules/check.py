"""Reading values against a table of properties: coercion, defaults, and every mistake in one go."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from terrace.errors import SpecError
from terrace.kinds.rules.units import duration, size
from terrace.kinds.schema import Property, Type
from terrace.model.value import Call, Ref, Secret, Unknown

Path = tuple[str | int, ...]

_LATER = (Ref, Call, Unknown)
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "t": True, "y": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False, "f": False, "n": False}
_EXPECTED = {
    Type.STRING: "a text",
    Type.INTEGER: "a whole number",
    Type.NUMBER: "a number",
    Type.BOOLEAN: "true or false",
    Type.LIST: "a list",
    Type.MAP: "a map",
    Type.SIZE: "a size (MiB, or a text such as 512M or 2G)",
    Type.DURATION: "a duration (seconds, or a text such as 30s or 5m)",
}


def closest(name: str, names: Iterable[str]) -> str:
    """The one of `names` that `name` was probably meant to be, "" when none is near."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.7)
    return found[0] if found else ""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint with the closest of `names`, "" when none is near."""
    near = closest(name, names)
    return f'did you mean "{near}"?' if near else ""


def mistake(path: Path, message: str, hint: str = "", code: str = "") -> SpecError:
    """A SpecError; whoever shows it puts the path or the place before the message."""
    return SpecError(message, path, hint=hint, code=code)


def read(
    table: Mapping[str, Property], values: Mapping[str, Any], problems: list[SpecError], path: Path = ()
) -> dict[str, Any]:
    """`values` coerced to the types of `table`, defaults filled in, None taken as not given. Expressions
    and UNKNOWN are left as they are. Mistakes are appended to `problems`."""
    for name in values:
        if name not in table:
            hint = did_you_mean(str(name), table) or (f"known: {', '.join(sorted(table))}" if table else "")
            problems.append(mistake((*path, name), "there is no such property", hint, "unknown-property"))
    result: dict[str, Any] = {}
    for name, prop in table.items():
        value = values.get(name)
        if value is not None and prop.shorthand is not None:
            value = prop.shorthand(value)
        if value is None:
            if prop.required and not any(values.get(other) is not None for other in prop.instead):
                problems.append(mistake((*path, name), "is required", code="missing-property"))
            elif prop.default is not None:
                result[name] = prop.default
        elif prop.refused:
            problems.append(mistake((*path, name), prop.refused, code="not-supported"))
        else:
            result[name] = read_value(prop, value, problems, (*path, name))
    return result


def read_value(prop: Property, value: Any, problems: list[SpecError], path: Path) -> Any:
    """One value coerced to its property's type; mistakes are appended to `problems`."""
    if prop.shorthand is not None:
        value = prop.shorthand(value)
    if isinstance(value, _LATER) or prop.type is Type.ANY:
        return value
    if isinstance(value, Secret):
        return _read_secret(prop, value, problems, path)
    if prop.type is Type.LIST:
        return _read_list(prop, value, problems, path)
    if prop.type is Type.MAP:
        return _read_map(prop, value, problems, path)
    plain = _scalar(prop.type, value)
    if plain is None:
        problems.append(
            mistake(path, f"expects {_EXPECTED[prop.type]}, not {_shown(value)}", code="wrong-type")
        )
        return None
    wrong = _constraint(prop, plain)
    if wrong:
        hint = did_you_mean(str(plain), map(str, prop.allowed)) if prop.allowed else ""
        problems.append(mistake(path, wrong, hint))
    return plain


def _read_list(prop: Property, value: Any, problems: list[SpecError], path: Path) -> Any:
    if not isinstance(value, list | tuple):
        problems.append(mistake(path, f"expects a list, not {_shown(value)}", code="wrong-type"))
        return []
    items = prop.items
    result = [
        value[index] if items is None else read_value(items, value[index], problems, (*path, index))
        for index in range(len(value))
        if value[index] is not None
    ]
    wrong = _bounds(prop, len(result), "entries")
    if wrong:
        problems.append(mistake(path, wrong))
    return result


def _read_map(prop: Property, value: Any, problems: list[SpecError], path: Path) -> Any:
    if not isinstance(value, dict):
        problems.append(mistake(path, f"expects a map, not {_shown(value)}", code="wrong-type"))
        return {}
    if prop.properties:
        return read(prop.properties, value, problems, path)
    if prop.items is None:
        return dict(value)
    items = prop.items
    return {
        str(key): read_value(items, item, problems, (*path, str(key)))
        for key, item in value.items()
        if item is not None
    }


def _read_secret(prop: Property, value: Secret, problems: list[SpecError], path: Path) -> Any:
    inside = value.reveal()
    if prop.type is Type.MAP and prop.items is not None and prop.items.secret and isinstance(inside, dict):
        return _read_map(prop, {key: Secret(item) for key, item in inside.items()}, problems, path)
    if not prop.secret:
        problems.append(
            mistake(path, "a hidden value cannot stand here, for it would be seen", code="hidden-value")
        )
        return None
    found: list[SpecError] = []
    plain = read_value(prop, inside, found, path)
    if found:
        problems.append(
            mistake(path, f"expects {_EXPECTED[prop.type]}, not what the hidden value is", code="wrong-type")
        )
    return Secret(plain)


def _scalar(kind: Type, value: Any) -> Any:
    if kind is Type.STRING:
        return _string(value)
    if kind is Type.SIZE:
        return size(value)
    if kind is Type.DURATION:
        return duration(value)
    if kind is Type.BOOLEAN:
        return value if isinstance(value, bool) else _WORDS.get(str(value).lower())
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    if kind is Type.INTEGER:
        return int(value) if value == value // 1 else None
    return value


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) else None


def _number(text: str) -> int | float | None:
    try:
        return int(text) if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text) else float(text)
    except ValueError:
        return None


def _constraint(prop: Property, value: Any) -> str:
    if prop.allowed and value not in prop.allowed:
        return f"{_shown(value)} is not one of {', '.join(map(str, prop.allowed))}"
    if prop.pattern and not re.fullmatch(prop.pattern, value):
        return f"{_shown(value)} does not match {prop.pattern}"
    wrong = _bounds(prop, len(value), "characters") if isinstance(value, str) else _bounds(prop, value, "")
    return wrong or (prop.check(value) if prop.check is not None else "")


def _bounds(prop: Property, amount: float, unit: str) -> str:
    what = f"{amount:g} {unit}".strip()
    if prop.minimum is not None and amount < prop.minimum:
        return f"{what} is less than {prop.minimum:g}"
    if prop.maximum is not None and amount > prop.maximum:
        return f"{what} is more than {prop.maximum:g}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "a map" if isinstance(value, dict) else "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + '..."'
