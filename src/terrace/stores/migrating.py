"""Migrations, whatever the database: their steps, and which versions of Terrace may use one database.

A migration only adds (tables, indexes, columns with a default), so that servers of the version before go on beside
those of the next one. One that cannot hold to that says in its first line from which schema on a server must know it:
`-- compatible from 0012`; servers that do not then refuse the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from terrace.errors import ConflictError
from terrace.stores.queries import migrations

_DECLARE = (
    "INSERT INTO identity (key, value) VALUES ('compatible_from', '{:04d}')"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


class Step(msgspec.Struct, frozen=True):
    """One migration: what brings a database from the schema before to schema `number`."""

    number: int
    statements: Sequence[str]


def steps() -> list[Step]:
    """Every migration, in order, with what it says of older servers."""
    found = []
    for number, compatible_from, statements in migrations():
        said = [_DECLARE.format(compatible_from)] if compatible_from else []
        found.append(Step(number, [*statements, *said]))
    return found


def check_version(place: str, present: int, known: Sequence[Step], compatible_from: str) -> None:
    """ConflictError when the database at `place`, of schema `present`, is only for servers that know a schema newer
    than the last of `known`."""
    newest = known[-1].number
    if present > newest and int(compatible_from or 0) > newest:
        raise ConflictError(
            f"the database {place} is of a newer Terrace (schema {present}, of which servers must know "
            f"{int(compatible_from)}; this one knows {newest})",
            hint="Install the newer Terrace again, or put back a copy of the database from before it.",
            code="store-newer",
        )
