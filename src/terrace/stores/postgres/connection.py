"""A PostgreSQL database: one connection that writes, in order, one that waits for the disk, and a few that read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from terrace.errors import InvariantError, TransientError
from terrace.stores.postgres.address import SERVER, Address
from terrace.stores.postgres.dialect import translated
from terrace.stores.postgres.faults import unavailable
from terrace.stores.postgres.line import Line, Mark, is_cockroach, pause, retried
from terrace.stores.postgres.migrating import migrate, version
from terrace.stores.postgres.transaction import (
    DOUBT,
    UNSYNCED,
    Disk,
    UnsureError,
    Written,
    forget,
    outcome,
    reading,
    writing,
)
from terrace.stores.relational.database import Writer
from terrace.stores.relational.requests import claimed

T = TypeVar("T")

READERS = 4
_AGAIN = 0.25  # seconds until a server that is gone is asked again
_SERVERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = ? AND pid <> pg_backend_pid()
"""


class PostgresDatabase:
    """Implements stores.relational.Database. `patience`: seconds without a sign of life until the server counts as
    gone."""

    def __init__(self, address: Address, patience: float) -> None:
        self.place = str(address)
        self.notifies = False
        """Whether servers can tell each other something through it."""
        self._address = address
        self._patience = patience
        self._turn = asyncio.Lock()
        self._writer: Line | None = None
        self._disk = Disk(self.line())
        self._readers: asyncio.LifoQueue[Line] = asyncio.LifoQueue()

    async def open(self) -> None:
        """See Store.open."""
        setup = self.line(patience=0.0)
        try:
            await setup.run(lambda line: migrate(line.connection(), self.place, pause))
            await setup.run(lambda line: forget(line.connection()))
            self.notifies = not await setup.run(lambda line: is_cockroach(line.connection()))
        finally:
            await setup.close()
        self.connect()

    def connect(self) -> None:
        """Without making or changing any table."""
        self._writer = self.line(opening=UNSYNCED)
        for _ in range(READERS):
            self._readers.put_nowait(self.line())

    async def close(self) -> None:
        """Lets what is being done finish."""
        async with self._turn:
            writer, self._writer = self._writer, None
            if writer is not None:
                await writer.close()
                await self._disk.close()
                for _ in range(READERS):
                    await (await self._readers.get()).close()

    def line(self, patience: float | None = None, opening: str = "") -> Line:
        """A connection of its own for somebody."""
        return Line(self._address, self._patience if patience is None else patience, opening)

    async def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Database."""
        text = translated(query)
        return await self._read(lambda line: line.connection().execute(text, values, binary=True).fetchall())

    async def read(self, work: Callable[[Writer], T]) -> T:
        """See Database. All of `work` sees one moment."""
        return await self._read(lambda line: reading(line, work))

    async def write(self, work: Callable[[Writer], T], *, synced: bool = False) -> T:
        """See Database. UnsureError: the server went away while it committed."""
        work = claimed(work) if synced else work
        async with self._turn:
            if self._writer is None:
                raise InvariantError("the store is not open")
            written = await self._writer.run(lambda line: writing(line, work, self.place))
        if synced:
            await self._safe(written)
        return written.result

    async def _safe(self, written: Written[T]) -> None:
        """Until it is on disk. TransientError: it was lost with the server. UnsureError."""
        until, same = time.monotonic() + DOUBT, True
        unsure = UnsureError(self.place, *written)
        while True:
            try:
                same = await self._disk.reached() and same
                break
            except TransientError as error:
                same = False
                if time.monotonic() > until:
                    raise unsure from error
                await asyncio.sleep(_AGAIN)
        try:
            there = same or await self.outcome(written.mark)
        except TransientError as error:
            raise unsure from error
        if not there:
            raise unavailable(self.place, "it lost what was written last, when it was restarted")

    async def schema(self) -> int:
        """The number of the schema that there is; 0: none."""
        return int(await self._read(_schema))

    async def servers(self) -> int:
        """How many sessions servers have here."""
        ((count,),) = await self.rows(_SERVERS, (SERVER,))
        return int(count)

    async def outcome(self, mark: Mark) -> bool:
        """Whether the transaction of an UnsureError was committed after all. TransientError: not known yet."""
        return await self._read(lambda line: outcome(line, mark))

    async def _read(self, call: Callable[[Line], T]) -> T:
        if self._writer is None:
            raise InvariantError("the store is not open")
        line = await self._readers.get()
        try:
            return await line.run(retried(call))
        finally:
            self._readers.put_nowait(line)


def _schema(line: Line) -> int:
    known = (
        "SELECT 1 FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = %s"
    )
    connection = line.connection()
    return version(connection) if connection.execute(known, ("schema_version",)).fetchone() else 0
