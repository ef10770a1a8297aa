"""The part of JSON Schema (draft 7) that our schemas use, so that tests can hold documents against them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
KNOWN = {
    *("$schema", "$ref", "title", "description", "default", "deprecated", "definitions"),
    *(
        "type",
        "enum",
        "const",
        "anyOf",
        "allOf",
        "not",
        "if",
        "then",
        "required",
        "properties",
        "propertyNames",
    ),
    *("additionalProperties", "items", "pattern", "minLength", "maxLength", "minItems", "maxItems"),
    *("minimum", "maximum", "minProperties", "maxProperties"),
}


def faults(schema: Any, value: Any, top: dict[str, Any], path: str = "") -> Iterator[str]:
    """Where and how `value` does not fit."""
    if "$ref" in schema:
        schema = top["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    if "type" in schema and not any(_is(value, one) for one in _list(schema["type"])):
        yield f"{path}: not of type {schema['type']}"
        return
    if "enum" in schema and not any(value == one and type(value) is type(one) for one in schema["enum"]):
        yield f"{path}: not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: not {schema['const']}"
    if "anyOf" in schema and all(any(faults(one, value, top, path)) for one in schema["anyOf"]):
        yield f"{path}: fits none of several"
    if "not" in schema and not any(faults(schema["not"], value, top, path)):
        yield f"{path}: fits what it must not"
    for one in schema.get("allOf", ()):
        yield from faults(one, value, top, path)
    if "if" in schema and not any(faults(schema["if"], value, top, path)):
        yield from faults(schema["then"], value, top, path)
    if isinstance(value, dict):
        yield from _of_map(schema, value, top, path)
    elif isinstance(value, list):
        yield from _sizes(schema, len(value), "Items", path)
        for index, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, top, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from _sizes(schema, len(value), "Length", path)
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: does not match {schema['pattern']}"
    elif _is(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: out of range"


def _of_map(schema: Any, value: dict[str, Any], top: dict[str, Any], path: str) -> Iterator[str]:
    yield from _sizes(schema, len(value), "Properties", path)
    yield from (f"{path}: lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        where = f"{path}.{name}"
        yield from faults(schema.get("propertyNames", {}), name, top, where)
        inner = schema.get("properties", {}).get(name)
        inner = schema.get("additionalProperties", True) if inner is None else inner
        if inner is False:
            yield f"{where}: is not known"
        elif inner is not True:
            yield from faults(inner, item, top, where)


def _sizes(schema: Any, size: int, what: str, path: str) -> Iterator[str]:
    if not schema.get(f"min{what}", size) <= size <= schema.get(f"max{what}", size):
        yield f"{path}: has {size} {what}"


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def words(schema: Any) -> Iterator[str]:
    """Every keyword of a schema and of those in it."""
    if not isinstance(schema, dict):
        return
    yield from schema
    for name in ("properties", "definitions"):
        for inner in schema.get(name, {}).values():
            yield from words(inner)
    for name in ("items", "additionalProperties", "propertyNames", "not", "if", "then"):
        yield from words(schema.get(name))
    for name in ("anyOf", "allOf"):
        for inner in schema.get(name, ()):
            yield from words(inner)
