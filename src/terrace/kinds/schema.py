"""How a kind declares its properties and attributes: one table per noun, read by languages, docs and completion."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.decision import Effect


class Type(StrEnum):
    """The type of a property's value. SIZE: MiB, or text such as 512M, 2G. DURATION: seconds, or text such as 30s, 5m."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"
    MAP = "map"
    ANY = "any"
    SIZE = "size"
    DURATION = "duration"


class Property(msgspec.Struct, frozen=True):
    """One property. `items` is the type of a LIST's items; `properties` the parts of a MAP ({} : any keys); `changes` what a change of it
    takes; `allowed` the values it may have; `pattern` a regular expression it must match as a whole; `minimum`/`maximum` bounds of a
    number or of a length. `ignored` says why a property that is accepted has no effect ("" when it has)."""

    type: Type
    description: str = ""
    required: bool = False
    default: Any = None
    items: Property | None = None
    properties: dict[str, Property] = {}
    changes: Effect = Effect.REPLACE
    allowed: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    ignored: str = ""


class Dialect(msgspec.Struct, frozen=True):
    """A foreign type that a kind answers to: its property table, attribute names, and the function that turns its properties (values and
    expressions, not evaluated) into native ones."""

    type: str
    properties: dict[str, Property]
    attributes: dict[str, str] = {}


class Schema(msgspec.Struct, frozen=True):
    """What a kind takes and gives. `attributes`: name -> description."""

    properties: dict[str, Property]
    attributes: dict[str, str]
    dialects: tuple[Dialect, ...] = ()
    description: str = ""
