"""How a kind declares its properties and attributes: one table per noun, read by languages, docs and
completion."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.decision import Effect


class Type(StrEnum):
    """The type of a property's value. SIZE: MiB, or text such as 512M, 2G. DURATION: seconds, or text such
    as 30s, 5m."""

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
    """One property. `items` is the type of a LIST's items, or of the values of a MAP with any keys;
    `properties` the parts of a MAP ({}: any keys); `changes` what a change of it takes; `allowed` the
    values it may have; `instead`: properties of which one may be given in place of a required one;
    `pattern` a regular expression it must match as a whole; `minimum`/`maximum` bounds of a number or of a
    length. `secret`: hidden values may stand here. `shorthand` turns a value of another shape into the
    declared one (None: it is as if none had been given); `check` says what is wrong with a value of the
    right type ("" when nothing is). `ignored` says why a property that is accepted has no effect, `refused`
    why giving it is an error ("" when it is not)."""

    type: Type
    description: str = ""
    required: bool = False
    instead: tuple[str, ...] = ()
    default: Any = None
    items: Property | None = None
    properties: dict[str, Property] = {}
    changes: Effect = Effect.REPLACE
    allowed: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    ignored: str = ""
    refused: str = ""
    secret: bool = False
    shorthand: Callable[[Any], Any] | None = None
    check: Callable[[Any], str] | None = None


class Schema(msgspec.Struct, frozen=True):
    """What a kind takes and gives. `attributes`: name -> description. `open`: any property may be
    named; `any_attribute`: any attribute. `pending`: properties that no provider heeds yet, and why."""

    properties: dict[str, Property]
    attributes: dict[str, str]
    description: str = ""
    open: bool = False
    any_attribute: bool = False
    pending: dict[str, str] = {}


def unchanged(properties: dict[str, Any]) -> dict[str, Any]:
    """The translation of a type that speaks the native words."""
    return properties


class TypeEntry(msgspec.Struct, frozen=True):
    """A type that templates can name. `kind` is the native kind; `properties` the table that its
    properties are checked against; `attributes` maps the names that templates use to native ones;
    `translate` turns properties (values and expressions, not evaluated) into native ones. `open`,
    `any_attribute`: others than those listed may be named too. `member`: the property of a group that says
    what each of its members is ("" for what is no group). `pending` as of the kind's Schema."""

    type: str
    kind: str
    properties: dict[str, Property]
    attributes: dict[str, str]
    translate: Callable[[dict[str, Any]], dict[str, Any]] = unchanged
    open: bool = False
    any_attribute: bool = False
    description: str = ""
    member: str = ""
    pending: dict[str, str] = {}

    def attribute(self, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The native form of an attribute's path; None when this type has no such attribute."""
        if not path or type(path[0]) is not str:
            return path
        native = self.attributes.get(path[0], path[0] if self.any_attribute else None)
        return None if native is None else (native, *path[1:])
