"""All rows of all tables from one database into another, in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from terrace.stores.queries import columns, keys
from terrace.stores.relational.database import Writer

_PAGE = 1000


class Sum(msgspec.Struct, frozen=True):
    """What a table holds: how many rows, and a digest of all of them (hexadecimal)."""

    rows: int
    digest: str


def copy(source: Writer, target: Writer) -> None:
    """Puts every row of `source` into `target`, whose tables are empty."""
    for table, names in columns().items():
        places = ", ".join("?" * len(names))
        query = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"
        for page in pages(source, table):
            target.executemany(query, page)


def clear(target: Writer) -> None:
    """Takes out every row."""
    for table in reversed(columns()):
        target.execute(f"DELETE FROM {table}")


def sums(reader: Writer) -> dict[str, Sum]:
    """The sum of every table."""
    found = {}
    for table in columns():
        rows, digest = 0, sha256()
        for page in pages(reader, table):
            rows += len(page)
            for row in page:
                digest.update(msgspec.msgpack.encode(row))
        found[table] = Sum(rows, digest.hexdigest())
    return found


def pages(reader: Writer, table: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table in the order of its key, some at a time."""
    names, key = list(columns()[table]), keys()[table]
    order = ", ".join(key)
    after, values = "", list[Any]()
    while True:
        query = f"SELECT {', '.join(names)} FROM {table} {after} ORDER BY {order} LIMIT ?"
        page = reader.execute(query, (*values, _PAGE)).fetchall()
        if page:
            yield page
        if len(page) < _PAGE:
            return
        last = dict(zip(names, page[-1], strict=True))
        values = [last[name] for name in key]
        after = f"WHERE ({order}) > ({', '.join('?' * len(key))})"


def filled(reader: Writer) -> set[str]:
    """The tables that hold a row."""
    return {table for table in columns() if reader.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()}
