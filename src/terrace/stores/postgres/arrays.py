"""Columns of many rows as PostgreSQL's binary arrays: one value each, however many rows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from psycopg.adapt import Dumper
from psycopg.pq import Format

_OIDS = {"TEXT": (25, 1009), "BIGINT": (20, 1016), "DOUBLE PRECISION": (701, 1022), "BYTEA": (17, 1001)}
"""Each type's own number and that of its array, fixed since they were first given."""
_NOTHING = struct.pack(">i", -1)


class Column:
    """All values of a column of one type, which is that of the subclass."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values


def column(kind: str, values: Sequence[Any]) -> Column:
    """The values as an array of a type of ours: TEXT, BIGINT, DOUBLE PRECISION or BYTEA. None is NULL."""
    return _COLUMNS[kind](values)


def _texts(values: Sequence[Any]) -> bytes:
    return _sized([None if value is None else value.replace("\0", "\ufffd").encode() for value in values])


def _sized(values: Sequence[Any]) -> bytes:
    pack, parts = struct.Struct(">i").pack, []
    for value in values:
        if value is None:
            parts.append(_NOTHING)
        else:
            parts += (pack(len(value)), value)
    return b"".join(parts)


def _numbers(letter: str) -> Callable[[Sequence[Any]], bytes]:
    def packed(values: Sequence[Any]) -> bytes:
        if None in values:
            one = struct.Struct(f">i{letter}").pack
            return b"".join(_NOTHING if value is None else one(8, value) for value in values)
        flat = [part for value in values for part in (8, value)]
        return struct.pack(f">{f'i{letter}' * len(values)}", *flat)

    return packed


_PACKED = {"TEXT": _texts, "BIGINT": _numbers("q"), "DOUBLE PRECISION": _numbers("d"), "BYTEA": _sized}


def _made(kind: str) -> tuple[type[Column], type[Dumper]]:
    own, array = _OIDS[kind]
    pack = _PACKED[kind]

    class _KindColumn(Column):
        __slots__ = ()

    class _KindDumper(Dumper):
        format = Format.BINARY
        oid = array

        def dump(self, obj: Column) -> bytes:
            return struct.pack(">iiIii", 1, 1, own, len(obj.values), 1) + pack(obj.values)

    return _KindColumn, _KindDumper


_MADE = {kind: _made(kind) for kind in _OIDS}
_COLUMNS = {kind: made[0] for kind, made in _MADE.items()}
DUMPERS = dict(_MADE.values())
"""How psycopg sends each kind of column."""
