"""Engines that share a database; see ports.engines for what each method does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from terrace.model.codec import Codec
from terrace.model.seen import Ghost, Seen
from terrace.model.stack import Lease
from terrace.ports.engines import KEPT, Beat, Member, News, Published
from terrace.ports.secrets import Secrets
from terrace.stores.queries import SQL, many
from terrace.stores.relational.database import Database, Writer

STACK = "stack:"
LIGHT = 8
"""How many columns a listing has without what was adopted."""
CHUNK = 200
"""How many rows are named in one query."""


class Members:
    """Who is there."""

    database: Database

    async def join(self, member: Member, duration: float) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL["engines.let_go"], (member.id,))
            roles = ",".join(member.roles)
            row = (member.id, member.name, roles, member.version, duration)
            writer.execute(SQL["engines.join"], row)

        await self.database.write(work, synced=True)

    async def beat(self, member: str, duration: float, holds: int) -> Beat | None:
        def work(writer: Writer) -> Beat | None:
            if not writer.execute(SQL["engines.beat"], (duration, holds, member)).rowcount:
                return None
            writer.execute(SQL["engines.bury"])
            stacks, held = _number(writer, "engines.stacks"), _number(writer, "engines.held")
            return Beat(_now(writer), tuple(_members(writer)), stacks, max(stacks - held, 0))

        return await self.database.write(work, synced=True)

    async def leave(self, member: str) -> None:
        def work(writer: Writer) -> None:
            writer.execute(SQL["engines.let_go"], (member,))
            writer.execute(SQL["engines.leave"], (member,))

        await self.database.write(work, synced=True)

    async def members(self) -> list[Member]:
        def work(reader: Writer) -> list[Member]:
            now = _now(reader)
            return [member for member in _members(reader) if member.expires > now]

        return await self.database.read(work)

    async def drain(self, member: str, on: bool) -> bool:
        return await self.database.write(_told("engines.drain", int(on), member))


class Holders(Members):
    """Who holds what. A lease is free when its holder is not among the living. All of it is on disk before it is
    believed: a database that came back without the last of what was written must not give one epoch twice."""

    async def claim(self, member: str, most: int) -> list[Lease]:
        def work(writer: Writer) -> list[Lease]:
            found = writer.execute(SQL["engines.free"], (most,)).fetchall()
            return _take(writer, member, [f"{STACK}{stack}" for (stack,) in found])

        return await self.database.write(work, synced=True)

    async def take(self, member: str, scope: str) -> Lease | None:
        def work(writer: Writer) -> Lease | None:
            taken = _take(writer, member, [scope], again=True)
            return taken[0] if taken else None

        return await self.database.write(work, synced=True)

    async def give(self, leases: Sequence[Lease]) -> None:
        rows = [(lease.scope, lease.holder, lease.epoch) for lease in leases]

        def work(writer: Writer) -> None:
            writer.executemany(SQL["engines.give"], rows)

        await self.database.write(work, synced=True)

    async def whose(self, uid: str) -> str:
        rows = await self.database.rows(SQL["engines.whose"], (uid,))
        return str(rows[0][0]) if rows else ""


class Bells(Holders):
    """What has changed."""

    async def ring(self, stacks: Sequence[str]) -> None:
        def work(writer: Writer) -> None:
            writer.executemany(SQL["wakes.ring"], [(stack,) for stack in stacks])

        await self.database.write(work)

    async def news(self, member: str) -> News:
        def work(reader: Writer) -> News:
            now, event = _now(reader), _number(reader, "wakes.last_event")
            woken = reader.execute(SQL["wakes.unheard"], (member,)).fetchall()
            listings = reader.execute(SQL["listings.all"]).fetchall()
            return News(now, event, tuple((s, m) for s, m in woken), tuple(map(_listing, listings)))

        return await self.database.read(work)

    async def heeded(self, marks: Sequence[tuple[str, int]]) -> None:
        def work(writer: Writer) -> None:
            writer.executemany(SQL["wakes.heed"], [(mark, stack, mark) for stack, mark in marks])

        await self.database.write(work)

    async def waiting(self, stack: str, mark: int = 0) -> int:
        rows = await self.database.rows(SQL["wakes.of"], (stack,))
        rung, heeded = rows[0] if rows else (0, 0)
        return int(rung) if heeded < (mark or rung) else 0


class RelationalEngines(Bells):
    """ports.engines.Engines in tables."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self.database = database
        self._codec = Codec(secrets.seal, secrets.unseal)

    async def publish(
        self,
        lease: Lease,
        listing: Published,
        changes: Sequence[tuple[str, Seen | None]],
        ghosts: Sequence[Ghost],
    ) -> bool:
        encode, name = self._codec.encode, listing.provider
        rows = [(key, None if seen is None else encode(seen)) for key, seen in changes]
        haunting = encode(list(ghosts))

        def work(writer: Writer) -> bool:
            held = writer.execute(SQL["listings.holder"], (lease.scope,)).fetchone()
            if held is None or tuple(held) != (lease.holder, lease.epoch):
                return False
            writer.execute(SQL["listings.open"], (name, b""))
            marks = (listing.started, listing.answered, listing.why, listing.since, int(listing.restored))
            adopted = msgspec.json.encode(listing.adopted).decode()
            found = writer.execute(SQL["listings.next"], (*marks, adopted, haunting, name)).fetchall()
            ((number,),) = found
            writer.executemany(SQL["listings.saw"], [(name, key, number, body) for key, body in rows])
            writer.execute(SQL["listings.forget"], (name, number - KEPT))
            return True

        return await self.database.write(work)

    async def sightings(self, provider: str, after: int) -> tuple[Published, list[tuple[str, Seen | None]]]:
        def work(reader: Writer) -> tuple[Published, list[tuple[str, bytes | None]]]:
            found = reader.execute(SQL["listings.one"], (provider,)).fetchone()
            rows = reader.execute(SQL["listings.sightings"], (provider, after)).fetchall()
            return _listing(found) if found else Published(provider), [(key, body) for key, body in rows]

        listing, rows = await self.database.read(work)
        read = self._codec.decode
        return listing, [(key, None if body is None else read(bytes(body), Seen)) for key, body in rows]

    async def ask(self, provider: str) -> int:
        def work(writer: Writer) -> int:
            writer.execute(SQL["listings.open"], (provider, b""))
            ((asked,),) = writer.execute(SQL["listings.ask"], (provider,)).fetchall()
            return int(asked)

        return await self.database.write(work)

    async def ghosts(self, provider: str) -> list[Ghost]:
        rows = await self.database.rows(SQL["listings.ghosts"], (provider,))
        body = bytes(rows[0][0]) if rows else b""
        return self._codec.decode(body, list[Ghost]) if body else []


def _now(reader: Writer) -> float:
    return float(reader.execute(SQL["engines.now"]).fetchone()[0])


def _number(reader: Writer, query: str) -> int:
    return int(reader.execute(SQL[query]).fetchone()[0])


def _members(reader: Writer) -> list[Member]:
    return [
        Member(id, name, tuple(roles.split(",")), version, started, beat, expires, bool(draining), holds)
        for id, name, roles, version, started, beat, expires, draining, holds in reader.execute(
            SQL["engines.members"]
        ).fetchall()
    ]


def _listing(row: Sequence[object]) -> Published:
    *marks, restored, adopted = (*row, "[]") if len(row) == LIGHT else row
    names = msgspec.json.decode(str(adopted), type=tuple[str, ...])
    return Published(*marks, bool(restored), names)  # type: ignore[arg-type, call-arg]  # the columns are the fields


def _told(query: str, *values: str | int) -> Callable[[Writer], bool]:
    return lambda writer: bool(writer.execute(SQL[query], values).rowcount)


def _take(writer: Writer, member: str, scopes: Sequence[str], *, again: bool = False) -> list[Lease]:
    """Those of `scopes` that nobody alive holds (`again`: or it itself does). The rows are locked before it is looked
    who lives, so of two that try at once the second sees what the first did."""
    writer.executemany(SQL["engines.open"], [(scope, "", 0, 0.0) for scope in sorted(scopes)])
    taken = []
    for start in range(0, len(scopes), CHUNK):
        some = sorted(scopes)[start : start + CHUNK]
        rows = writer.execute(many("engines.locked", len(some)), some).fetchall()
        alive = {id for (id,) in writer.execute(SQL["engines.alive"]).fetchall()}
        if member not in alive:
            return []
        for scope, holder, epoch in rows:
            if again and holder == member:
                taken.append(Lease(scope, member, epoch, 0.0))
            elif holder not in alive:
                writer.execute(SQL["engines.take"], (member, epoch + 1, scope))
                taken.append(Lease(scope, member, epoch + 1, 0.0))
    return taken
