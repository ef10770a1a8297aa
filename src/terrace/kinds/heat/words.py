"""How the types of Heat are said: pieces of their tables, and of their translations into our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from terrace.kinds.rules.address import wrong_address, wrong_range
from terrace.kinds.schema import Property, Type, TypeEntry

CLOUD = "it means something to an OpenStack cloud only"
DATA = "making a volume from existing data is not supported: it would come up empty"

TEXT: Final = Property(Type.STRING)
REQUIRED_TEXT: Final = Property(Type.STRING, required=True, minimum=1)
ADDRESS: Final = Property(Type.STRING, check=wrong_address)
RANGE: Final = Property(Type.STRING, check=wrong_range)
BOOLEAN: Final = Property(Type.BOOLEAN)
SECONDS: Final = Property(Type.DURATION)


def ignored(names: str, why: str = CLOUD) -> dict[str, Property]:
    """Properties that are taken and have no effect, and why."""
    return {name: Property(Type.ANY, ignored=why) for name in names.split()}


def refused(names: str, why: str) -> dict[str, Property]:
    """Properties that it is a mistake to give, and why."""
    return {name: Property(Type.ANY, refused=why) for name in names.split()}


def renamed(properties: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Those properties that are in `names`, under their new names."""
    return {names[name]: value for name, value in properties.items() if name in names and value is not None}


def first(properties: dict[str, Any], *names: str) -> Any:
    """The first of those properties that is given."""
    return next((properties[name] for name in names if properties.get(name) is not None), None)


def given(**values: Any) -> dict[str, Any]:
    """Those values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """`change` applied to the maps of a list; expressions stay."""
    if not isinstance(value, list | tuple):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


def entry(
    name: str,
    kind: str,
    properties: dict[str, Property],
    attributes: str,
    translate: Callable[[dict[str, Any]], dict[str, Any]],
    **others: str,
) -> TypeEntry:
    """A type with `attributes` under their native names, and `others` that are called otherwise."""
    names = {one: one for one in attributes.split()} | others
    return TypeEntry(name, kind, properties, names, translate, description=f"Answers to Heat's {name}.")
