"""Our SQL in PostgreSQL's words."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from terrace.stores.queries import columns

_LOCK = re.compile(r"/\* (FOR [A-Z]+) \*/")
_CLOCK = re.compile(r"\bclock\(\)")
_WITHIN = re.compile(r"\binstr\((\w+), \?\)")
_NOW = "CAST(extract(epoch FROM now()) AS DOUBLE PRECISION)"
_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w\s,]+)\)\s+VALUES \(([?\s,]+)\)(.*)", re.DOTALL)
_CONFLICT = re.compile(r"\s*ON CONFLICT \(([\w\s,]+)\) DO UPDATE")
_TEXT = re.compile(r"\bTEXT\b")


class Bulk(NamedTuple):
    """An INSERT that takes all its rows at once, a column in an array. `key`: the places of the columns by which a
    later row takes an earlier one's place; no statement may touch one row twice."""

    query: str
    kinds: tuple[str, ...]
    key: tuple[int, ...]


@cache
def translated(query: str) -> str:
    """A query of ours as psycopg takes it."""
    query = _WITHIN.sub(r"position(? in \1)", query)
    return _CLOCK.sub(_NOW, _LOCK.sub(r"\1", query)).replace("%", "%%").replace("?", "%s")


@cache
def bulk(query: str) -> Bulk | None:
    """The same for many rows at once; None when it is no plain INSERT."""
    found = _INSERT.fullmatch(query)
    if found is None:
        return None
    table, names, _, tail = found.groups()
    wanted = _split(names)
    types = columns()[table]
    arrays = ", ".join(f"%s::{types[name].lower()}[]" for name in wanted)
    text = f"INSERT INTO {table} ({', '.join(wanted)}) SELECT * FROM unnest({arrays}) {translated(tail)}"
    clash = _CONFLICT.match(tail)
    key = tuple(wanted.index(name) for name in _split(clash[1])) if clash else ()
    return Bulk(text, tuple(types[name] for name in wanted), key)


def migration(statement: str, *, collated: bool) -> str:
    """A statement of a migration. `collated`: text is compared byte by byte, whatever the database's own order."""
    if collated and statement.startswith(("CREATE TABLE", "ALTER TABLE")):
        statement = _TEXT.sub('TEXT COLLATE "C"', statement)
    return statement.replace("%", "%%")


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",")]
