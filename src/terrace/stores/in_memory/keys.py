"""Data keys in a MemoryStore: ports.Keys, and sealing anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from msgspec.structs import replace

from terrace.model.codec import reseal
from terrace.ports.clock import Clock
from terrace.ports.secrets import KeyStatus, Rotation
from terrace.stores.in_memory.quotas import Written
from terrace.stores.in_memory.tables import Tables
from terrace.stores.sealing.envelope import DIGEST, SEAL, Envelope
from terrace.stores.sealing.standing import check_idle, next_number, spare, status_of

BATCH = 5
"""Values that are sealed anew in one step: few, so that tests see one that is half done."""
LAST = "last"


class Place(NamedTuple):
    """A sealed value: in which table, under which key, and what is to stand there with `body` in its place."""

    table: dict[Any, Any]
    key: Any
    body: bytes
    put: Callable[[bytes], Any]


class MemoryKeys:
    """Implements ports.Keys in the tables of `store`, which seals with `envelope`."""

    def __init__(self, store: Written, envelope: Envelope, clock: Clock) -> None:
        self._store = store
        self._envelope = envelope
        self._clock = clock

    async def status(self) -> KeyStatus:
        tables = self._store._tables
        return status_of([*tables.data_keys.values()], self._envelope.masters, tables.rotations.get(LAST))

    async def rotate(self, delay: float = 0.0) -> KeyStatus:
        await self.refresh()
        check_idle(await self.status())
        self._envelope.masters.add()
        now = self._clock.now()
        with self._store._writing("rotate", synced=True) as tables:
            _wrapped_by_all(tables, self._envelope)
            number = next_number([*tables.data_keys.values()])
            fresh = self._envelope.make(number, SEAL, now=now, delay=delay)
            tables.put(tables.data_keys, fresh.id, fresh)
            tables.put(tables.rotations, LAST, Rotation(fresh.id, now, fresh.begins, 0.0, 0))
        await self.refresh()
        return await self.status()

    async def step(self) -> bool:
        rotation = self._store._tables.rotations.get(LAST)
        if rotation is None or rotation.finished:
            return False
        await self.refresh()
        if self._envelope.current < rotation.id:
            return False  # it has not begun yet
        with self._store._writing("reseal", synced=True) as tables:
            sealed = _renew(tables, self._envelope)
            finished = 0.0 if sealed else self._clock.now()
            far = replace(rotation, sealed=rotation.sealed + sealed, finished=finished)
            tables.put(tables.rotations, LAST, far)
        return not finished

    async def forget(self, master: str) -> KeyStatus:
        found = spare(await self.status(), master)
        with self._store._writing("forget", synced=True) as tables:
            _wrapped_by_all(tables, self._envelope)
            for key in list(tables.data_keys.values()):
                rest = {name: body for name, body in key.wrapped.items() if name != master}
                tables.put(tables.data_keys, key.id, replace(key, wrapped=rest))
        if found.here:
            self._envelope.masters.drop(master)
        return await self.status()

    async def refresh(self) -> None:
        self._envelope.take(self._store._tables.data_keys.values())


def join(tables: Tables, envelope: Envelope, now: float) -> None:
    """Gives a store its first data keys, and the envelope those that there are. InvariantError when they are wrapped by
    none of its master keys."""
    if not tables.data_keys:
        first = envelope.make(1, DIGEST, envelope.masters.digest_key, now=now)
        for key in (first, envelope.make(2, SEAL, now=now)):
            tables.put(tables.data_keys, key.id, key)
    _wrapped_by_all(tables, envelope)
    tables.sync()


def _wrapped_by_all(tables: Tables, envelope: Envelope) -> None:
    """Each data key is wrapped by every master key of this server when this returns."""
    envelope.take(tables.data_keys.values())
    for key in list(tables.data_keys.values()):
        more = envelope.wrap_again(key)
        if more:
            tables.put(tables.data_keys, key.id, replace(key, wrapped={**key.wrapped, **more}))


def _renew(tables: Tables, envelope: Envelope) -> int:
    """Seals some of what is sealed with an older key anew; how many."""
    old, sealed = envelope.outdated(), 0
    for place in list(_places(tables)):
        if sealed == BATCH:
            break
        fresh = reseal(place.body, old, envelope.unseal, envelope.seal) if place.body else None
        if fresh is not None:
            tables.put(place.table, place.key, place.put(fresh))
            sealed += 1
    return sealed


def _places(tables: Tables) -> Iterator[Place]:
    """Everything that may be sealed."""
    for saved in tables.generations.values():
        for number in list(saved):
            for field in ("light", "content"):
                yield Place(saved, number, getattr(saved[number], field), _field(saved, number, field))
    for rows in tables.records.values():
        for key, row in rows.items():
            yield Place(rows, key, row.body, lambda body, row=row: row._replace(body=body))  # type: ignore[misc]
    plain: list[dict[Any, dict[Any, bytes]]] = [tables.directives, tables.exports, tables.uses]
    for each in plain:
        for inner in each.values():
            for name, body in inner.items():
                yield Place(inner, name, body, bytes)
    for owner, kept in tables.secrets.items():
        yield Place(tables.secrets, owner, kept.body, lambda body, kept=kept: kept._replace(body=body))  # type: ignore[misc]


def _field(saved: dict[int, Any], number: int, field: str) -> Callable[[bytes], Any]:
    return lambda body: saved[number]._replace(**{field: body})
