"""Data keys in tables: ports.secrets over any database."""

from __future__ import annotations

from typing import Any

from terrace.errors import ConflictError
from terrace.ports.clock import Clock
from terrace.ports.secrets import KeyStatus, Rotation
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database, Writer
from terrace.stores.relational.sealed import reseal
from terrace.stores.sealing.envelope import DIGEST, SEAL, DataKey, Envelope
from terrace.stores.sealing.standing import check_idle, next_number, spare, status_of

PROOF = b"terrace"
"""What a database keeps sealed, so that it can tell whether the keys are its own."""


class RelationalKeys:
    """Implements ports.Keys for an `envelope` whose data keys lie in `database`."""

    def __init__(self, database: Database, envelope: Envelope, clock: Clock) -> None:
        self._database = database
        self._envelope = envelope
        self._clock = clock

    async def status(self) -> KeyStatus:
        return await self._database.read(self._status)

    async def rotate(self, delay: float = 0.0) -> KeyStatus:
        await self.refresh()
        check_idle(await self.status())
        self._envelope.masters.add()
        now = self._clock.now()

        def work(writer: Writer) -> None:
            keys = _wrapped_by_all(writer, self._envelope)
            fresh = self._envelope.make(next_number(keys), SEAL, now=now, delay=delay)
            if not _insert(writer, fresh):
                raise ConflictError("somebody else rotates the keys", code="rotation-under-way")
            writer.execute(SQL["keys.rotate"], (fresh.id, now))

        await self._database.write(work, synced=True)
        await self.refresh()
        return await self.status()

    async def step(self) -> bool:
        row = _rotation(await self._database.rows(SQL["keys.rotation"]))
        if row is None or row[0].finished:
            return False
        rotation, place = row
        if self._envelope.lacks or self._envelope.current < rotation.id:
            await self.refresh()
        if self._envelope.current < rotation.id:
            return False  # it has not begun yet
        now = self._clock.now()
        return await self._database.write(
            lambda writer: reseal.batch(writer, self._envelope, (rotation, place), now)
        )

    async def forget(self, master: str) -> KeyStatus:
        found = spare(await self.status(), master)

        def work(writer: Writer) -> None:
            _wrapped_by_all(writer, self._envelope)
            writer.execute(SQL["keys.unwrap"], (master,))

        await self._database.write(work, synced=True)
        if found.here:
            self._envelope.masters.drop(master)
        return await self.status()

    async def refresh(self) -> None:
        self._envelope.take(await self._database.read(read))

    def _status(self, reader: Writer) -> KeyStatus:
        row = _rotation(reader.execute(SQL["keys.rotation"]).fetchall())
        return status_of(read(reader), self._envelope.masters, row[0] if row else None)


def join(writer: Writer, envelope: Envelope, now: float) -> None:
    """Gives a database its first data keys, and the envelope those that there are. InvariantError when they are
    wrapped by none of its master keys."""
    if not read(writer):
        _insert(writer, envelope.make(1, DIGEST, envelope.masters.digest_key, now=now))
        _insert(writer, envelope.make(2, SEAL, now=now))
    _wrapped_by_all(writer, envelope)


def read(reader: Writer) -> list[DataKey]:
    """All data keys, oldest first."""
    wrapped: dict[str, dict[str, bytes]] = {}
    for name, master, body in reader.execute(SQL["keys.wrapped"]).fetchall():
        wrapped.setdefault(name, {})[master] = bytes(body)
    rows = reader.execute(SQL["keys.data"]).fetchall()
    return [
        DataKey(name, purpose, created, begins, wrapped.get(name, {}))
        for name, purpose, created, begins in rows
    ]


def _wrapped_by_all(writer: Writer, envelope: Envelope) -> list[DataKey]:
    """All data keys; each is wrapped by every master key of this server when this returns."""
    keys = read(writer)
    envelope.take(keys)
    for key in keys:
        for master, body in envelope.wrap_again(key).items():
            writer.execute(SQL["keys.wrap"], (key.id, master, body))
    return keys


def _insert(writer: Writer, key: DataKey) -> bool:
    """Writes a new data key; whether there was none of that id before."""
    row = (key.id, key.purpose, key.created, key.begins)
    if not writer.execute(SQL["keys.insert"], row).rowcount:
        return False
    for master, body in key.wrapped.items():
        writer.execute(SQL["keys.wrap"], (key.id, master, body))
    return True


def _rotation(rows: list[Any]) -> tuple[Rotation, str] | None:
    """The last rotation, and how far it has come."""
    return (Rotation(*rows[0][:5]), rows[0][5]) if rows else None
