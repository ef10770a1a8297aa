"""Sealing everything anew, row by row: a bounded number at a time, beside everything else that is written. A row that
somebody else writes meanwhile is left to them: they seal with the new key."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from terrace.model.codec import reseal
from terrace.ports.secrets import Rotation
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Writer
from terrace.stores.sealing.envelope import Envelope

BATCH = 100
"""Rows that are looked at in one transaction."""


class Column(NamedTuple):
    """A column with sealed values: the queries reseal.page_NAME and reseal.put_NAME, what comes before every key, and
    how many rows are looked at at once."""

    name: str
    first: tuple[Any, ...]
    rows: int = BATCH


SEALED = (
    Column("light", ("", -1)),
    Column("content", ("", -1), 5),
    Column("records", ("", -1, "")),
    Column("directives", ("", "", "")),
    Column("exports", ("", "")),
    Column("uses", ("", "", "", "", "")),
    Column("secrets", ("", "", -1)),
    Column("sightings", ("", "")),
    Column("ghosts", ("",)),
)
"""Everything that may be sealed."""


class Place(msgspec.Struct, frozen=True):
    """Which column is being gone through, after which key, and how many rows of this round were sealed anew."""

    column: int = 0
    after: list[Any] = []
    changed: int = 0


def batch(writer: Writer, envelope: Envelope, at: tuple[Rotation, str], now: float) -> bool:
    """Goes on from where a rotation is; whether there is more to do. It is finished when a whole round found nothing
    any more that is sealed with an older key."""
    rotation, text = at
    place = msgspec.json.decode(text, type=Place) if text else Place()
    column = SEALED[place.column]
    after = tuple(place.after) or column.first
    rows = writer.execute(SQL[f"reseal.page_{column.name}"], (*after, column.rows)).fetchall()
    old = envelope.outdated()
    sealed = sum(_renew(writer, envelope, column.name, row, old) for row in rows)
    changed = place.changed + sealed
    if len(rows) == column.rows:
        following = Place(place.column, list(rows[-1][:-1]), changed)
    elif place.column + 1 < len(SEALED):
        following = Place(place.column + 1, [], changed)
    else:
        following = Place()
    done = following == Place() and not changed
    if done:
        _prove(writer, envelope)
    progress = ("" if done else msgspec.json.encode(following).decode(), sealed, now if done else 0.0)
    writer.execute(SQL["keys.progress"], (*progress, rotation.id, text))
    return not done


def _renew(writer: Writer, envelope: Envelope, name: str, row: Any, old: tuple[bytes, ...]) -> int:
    *key, body = row
    if not any(mark in body for mark in old):
        return 0
    fresh = reseal(bytes(body), old, envelope.unseal, envelope.seal)
    if fresh is None:
        return 0
    return int(writer.execute(SQL[f"reseal.put_{name}"], (fresh, *key, body)).rowcount)


def _prove(writer: Writer, envelope: Envelope) -> None:
    """What shows that the keys are the database's is sealed anew, too."""
    row = writer.execute(SQL["facts.identity"], ("key-proof",)).fetchone()
    writer.execute(SQL["keys.proof"], (envelope.seal(envelope.unseal(bytes.fromhex(row[0]))).hex(),))
