"""The default store: one SQLite file, one server to it, written in groups."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path

from terrace.errors import ConflictError, InvariantError
from terrace.model.event import Event
from terrace.model.stack import Lease
from terrace.ports.clock import Clock
from terrace.ports.secrets import Secrets
from terrace.ports.store import Commit, Ruling
from terrace.stores.encoding import Encoding
from terrace.stores.queries import SQL
from terrace.stores.sqlite import writing
from terrace.stores.sqlite.connection import Database, identify
from terrace.stores.sqlite.crossing import Crossings
from terrace.stores.sqlite.wishes import Wishes

_PROOF = b"terrace"


class SqliteStore(Wishes, Crossings):
    """Implements ports.Store on the file at `path`, which is made when it is missing. Taking a lease over
    need not be synced: what the file forgets in a power failure, the only server to it forgets as well."""

    def __init__(self, path: str | Path, secrets: Secrets, clock: Clock) -> None:
        self._path = Path(path)
        self._secrets = secrets
        self._clock = clock
        self._encoding = Encoding(secrets)
        self._database = Database(self._path)
        self._installation = ""

    async def open(self) -> None:
        self._database.open()
        try:
            await self._database.write(self._introduce, synced=True)
        except BaseException:
            await self._database.close()
            raise

    async def close(self) -> None:
        await self._database.close()

    async def installation(self) -> str:
        return self._installation

    async def commit(self, commits: Sequence[Commit]) -> list[bool]:
        return await self._database.write(
            lambda writer: writing.apply(writer, self._encoding, commits),
            synced=any(commit.synced for commit in commits),
        )

    async def publish(self, events: Sequence[Event]) -> None:
        await self._database.write(lambda writer: writing.tell(writer, self._encoding, events))

    async def rule(self, rulings: Sequence[Ruling], unrulings: Sequence[tuple[str, str]] = ()) -> None:
        await self._database.write(lambda writer: writing.rule(writer, rulings, unrulings), synced=True)

    async def acquire(self, scope: str, holder: str, duration: float) -> Lease | None:
        now = self._clock.now()
        values = (scope, holder, now + duration, now)
        rows = await self._database.write(
            lambda writer: writer.execute(SQL["leases.acquire"], values).fetchall()
        )
        return Lease(scope, holder, rows[0][0], now + duration) if rows else None

    async def release(self, lease: Lease) -> None:
        await self._execute("leases.release", lease.scope, lease.holder, lease.epoch)

    async def prune(self, *, events_before: float, events_kept: int, generations_kept: int) -> None:
        now = self._clock.now()

        def work(writer: sqlite3.Connection) -> None:
            writer.execute(SQL["events.prune_count"], (events_kept,))
            writer.execute(SQL["events.prune_age"], (events_before,))
            writing.prune_generations(writer, generations_kept)
            writer.execute(SQL["leases.prune"], (now,))

        await self._database.write(work)

    def _introduce(self, writer: sqlite3.Connection) -> None:
        """Gives a new database its identity, and makes sure that the key is the one it was sealed with."""
        self._installation = identify(writer, "installation", uuid.uuid4().hex[:20])
        proof = identify(writer, "key-proof", self._secrets.seal(_PROOF).hex())
        try:
            self._secrets.unseal(bytes.fromhex(proof))
        except InvariantError as error:
            raise ConflictError(
                f"the key does not belong to the database {self._path}: {error.message}",
                hint="Put back the key file that was made with this database.",
                code="key-mismatch",
            ) from error
