"""What kinds that consist of many members have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from terrace.errors import SpecError
from terrace.kinds.group.members import MEMBER, attribute
from terrace.kinds.group.size import UNBOUNDED
from terrace.kinds.rules.check import read
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect, Expansion

REFS: Final = {"refs": "The references of all members.", "refs_map": "The same by name."}
SIZE: Final = {"current_size": "How many members there should be."}


class Many(Noun):
    """ports.kind.Composite for many members; a kind says which these are."""

    provider = "builtin"
    composite = True

    def attribute(self, expansion: Expansion, path: tuple[Any, ...]) -> Any:
        """The expression over members that a Ref to all of them with this path stands for."""
        return attribute(expansion, path)


def many(properties: dict[str, Property], attributes: dict[str, str], description: str) -> Schema:
    """The schema of a kind of many members: whatever is an attribute of these is one of its own, too."""
    return Schema(properties, attributes, description, any_attribute=True)


def counted(words: str, **more: Any) -> Property:
    """A number of members."""
    return Property(Type.INTEGER, words, minimum=0, maximum=UNBOUNDED, changes=Effect.UPDATE, **more)


def shape(*, required: bool = False) -> Property:
    """What each member is."""
    return Property(
        Type.MAP, "What each member is.", properties=MEMBER, required=required, changes=Effect.UPDATE
    )


def read_plain(table: Mapping[str, Property], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those properties that are in a table, read against it; SpecError with the first mistake."""
    problems: list[SpecError] = []
    plain = read(table, values, problems)
    if problems:
        raise problems[0]
    return plain
