"""The types that templates can name, told to people: what each takes, gives, ignores and refuses, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from terrace.errors import UserError
from terrace.kinds import SCHEMAS, TYPES
from terrace.kinds.rules.check import did_you_mean
from terrace.kinds.schema import Property, TypeEntry
from terrace.languages.hot.functions.absent import ABSENT, why_absent

TAKEN, IGNORED, REFUSED = "taken", "ignored", "refused"


class PropertyHelp(msgspec.Struct, frozen=True):
    """One property. `name` is its path: "networks[].port" is a part of each item of "networks". `effect` is
    taken, ignored or refused; `why` says why in the latter two."""

    name: str
    type: str
    required: bool = False
    default: Any = None
    allowed: tuple[Any, ...] = ()
    description: str = ""
    effect: str = TAKEN
    why: str = ""


class AttributeHelp(msgspec.Struct, frozen=True):
    """One attribute, for `get_attr`."""

    name: str
    description: str = ""


class TypeHelp(msgspec.Struct, frozen=True):
    """One type. `kind` is the native kind it becomes; `open` and `any_attribute`: others than those listed may
    be named too."""

    type: str
    kind: str
    description: str
    properties: tuple[PropertyHelp, ...] = ()
    attributes: tuple[AttributeHelp, ...] = ()
    open: bool = False
    any_attribute: bool = False


def type_names() -> list[str]:
    """All types that templates can name, but for files."""
    return sorted(TYPES)


def describe_types() -> list[TypeHelp]:
    """Every type, in the order of the alphabet."""
    return [describe_type(name) for name in type_names()]


def describe_type(name: str) -> TypeHelp:
    """One type. UserError with the nearest name when there is none."""
    entry = TYPES.get(name)
    if entry is None:
        hint = did_you_mean(name, TYPES) or "terrace template types"
        raise UserError(f'there is no type "{name}"', hint=hint, code="unknown-type")
    given = SCHEMAS[entry.kind].attributes
    return TypeHelp(
        entry.type,
        entry.kind,
        _description(entry),
        tuple(_properties(entry.properties)),
        (
            *(AttributeHelp(one, given.get(native, "")) for one, native in entry.attributes.items()),
            *(AttributeHelp(one, f"No value: {why_absent(entry.type, one)}.") for one in _absent(entry)),
        ),
        entry.open,
        entry.any_attribute,
    )


def _description(entry: TypeEntry) -> str:
    native = SCHEMAS[entry.kind].description
    return " ".join(dict.fromkeys(filter(None, (native, entry.description))))


def _absent(entry: TypeEntry) -> list[str]:
    """The attributes that the type has elsewhere, and no value for here."""
    return sorted(one for one in ABSENT.get(entry.type, ()) if entry.attribute((one,)) is None)


def _properties(table: Mapping[str, Property], before: str = "") -> Iterator[PropertyHelp]:
    """A table and, below each property, its parts. What is ignored or refused as a whole is not taken apart."""
    for name, prop in table.items():
        why = prop.refused or prop.ignored
        yield PropertyHelp(
            before + name,
            type_of(prop),
            prop.required,
            prop.default,
            tuple(one for one in prop.allowed if one != ""),
            prop.description,
            REFUSED if prop.refused else IGNORED if prop.ignored else TAKEN,
            why,
        )
        if why:
            continue
        yield from _properties(prop.properties, f"{before}{name}.")
        if prop.items is not None:
            yield from _properties(prop.items.properties, f"{before}{name}[].")


def type_of(prop: Property) -> str:
    """The type of a property in a few words: "list of map"."""
    return f"{prop.type} of {prop.items.type}" if prop.items is not None else str(prop.type)
