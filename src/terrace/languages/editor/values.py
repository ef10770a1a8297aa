"""Tables of properties as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from terrace.kinds.schema import Property, Type

Schema = dict[str, Any]

WHOLE = {"type": "string", "pattern": r"^\s*[+-]?[0-9]+\s*$"}
WORDS: list[Any] = [True, False, 0, 1]
WORDS += [
    case(word) for word in ["true", "false", "yes", "no", "on", "off"] for case in (str.lower, str.title)
]
WORDS += ["0", "1", "t", "f", "y", "n"]
_PYTHON_ONLY = re.compile(r"\(\?|\\[AZ]")


def any_of(*schemas: Schema) -> Schema:
    """What fits any of them."""
    return {"anyOf": list(schemas)}


def properties_schema(table: Mapping[str, Property], function: Schema) -> Schema:
    """A map with the properties of a table. Wherever a value stands a function may stand (`function`), and
    nothing, which is as if it were not given."""
    schema: Schema = {
        "type": "object",
        "properties": {name: property_schema(prop, function) for name, prop in table.items()},
        "additionalProperties": False,
    }
    required = [name for name, prop in table.items() if prop.required]
    return schema | ({"required": required} if required else {})


def property_schema(prop: Property, function: Schema) -> Schema:
    """One property, with its description."""
    if prop.refused:
        return {"description": f"Refused: {prop.refused}.", "type": "null"}
    if prop.ignored:
        return {"description": f"Has no effect: {prop.ignored}.", "deprecated": True}
    schema: Schema = {"description": prop.description} if prop.description else {}
    if prop.default is not None and prop.default != "":
        schema["default"] = prop.default
    if prop.type is Type.ANY or prop.shorthand is not None:
        return schema
    return schema | any_of(*_value(prop, function), function, {"type": "null"})


def _value(prop: Property, function: Schema) -> list[Schema]:
    """The literal values that fit."""
    if prop.allowed:
        values = [one for one in prop.allowed if one != ""]
        return [{"enum": [*values, *(str(one) for one in values if not isinstance(one, str))]}]
    if prop.type is Type.LIST:
        items = {} if prop.items is None else property_schema(prop.items, function)
        return [{"type": "array", "items": items} | _bounds(prop, "Items")]
    if prop.type is Type.MAP:
        if prop.properties:
            return [properties_schema(prop.properties, function)]
        items = {} if prop.items is None else property_schema(prop.items, function)
        return [{"type": "object"} | ({"additionalProperties": items} if items else {})]
    return _SCALARS[prop.type](prop)


def _text(prop: Property) -> list[Schema]:
    schema: Schema = {"type": "string"} | _bounds(prop, "Length")
    if prop.pattern and not _PYTHON_ONLY.search(prop.pattern):
        schema["pattern"] = f"^(?:{prop.pattern})$"
    return [schema, {"type": ["integer", "boolean"]}]


def _integer(prop: Property) -> list[Schema]:
    return [{"type": "integer"} | _range(prop), WHOLE]


def _number(prop: Property) -> list[Schema]:
    return [{"type": "number"} | _range(prop), {"type": "string"}]


def _boolean(prop: Property) -> list[Schema]:
    return [{"enum": WORDS}]


def _amount(prop: Property) -> list[Schema]:
    return [{"type": ["number", "string"]}]


_SCALARS: dict[Type, Callable[[Property], list[Schema]]] = {
    Type.STRING: _text,
    Type.INTEGER: _integer,
    Type.NUMBER: _number,
    Type.BOOLEAN: _boolean,
    Type.SIZE: _amount,
    Type.DURATION: _amount,
}


def _bounds(prop: Property, what: str) -> Schema:
    ends = {f"min{what}": prop.minimum, f"max{what}": prop.maximum}
    return {name: int(end) for name, end in ends.items() if end is not None}


def _range(prop: Property) -> Schema:
    ends = {"minimum": prop.minimum, "maximum": prop.maximum}
    return {name: end for name, end in ends.items() if end is not None}
