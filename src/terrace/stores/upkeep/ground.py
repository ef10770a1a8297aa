"""A database that commands work on: read beside servers, written only when there are none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from terrace.ports.clock import Clock
from terrace.ports.secrets import Secrets
from terrace.stores.relational.database import Readable
from terrace.stores.relational.store import RelationalStore
from terrace.stores.sqlite.file import SqliteFile
from terrace.stores.sqlite.store import SqliteStore


class Keys(NamedTuple):
    """With what databases are opened: `secrets` gives the keys of the installation, knowing no database yet."""

    secrets: Callable[[], Secrets]
    clock: Clock

    def store(self, path: Path) -> SqliteStore:
        """The SQLite store at `path`, to be opened."""
        return SqliteStore(path, self.secrets(), self.clock)


class Ground(Protocol):
    """A database, of whichever kind. `place` names it."""

    place: str

    def beside(self) -> AbstractAsyncContextManager[Readable]:
        """The database to read from, whatever else goes on there; nothing is made or changed. NotFoundError,
        TransientError."""

    def alone(self) -> AbstractAsyncContextManager[RelationalStore]:
        """The open store, of the newest schema. ConflictError: servers use it."""

    def migrating(self) -> AbstractAsyncContextManager[RelationalStore]:
        """The same, but beside servers where they can be of neighbouring versions."""

    async def schema(self) -> int:
        """The number of the schema that there is; 0: none."""

    async def damage(self) -> list[str]:
        """What the database itself finds wrong with its tables."""


class SqliteGround:
    """The file at `path`."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self.place = str(path)
        self._keys = keys
        self._file = SqliteFile(path)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[Readable]:
        """See Ground."""
        yield self._file

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[RelationalStore]:
        """See Ground."""
        store = self._keys.store(Path(self.place))
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def migrating(self) -> AbstractAsyncContextManager[RelationalStore]:
        """See Ground."""
        return self.alone()

    async def schema(self) -> int:
        """See Ground."""
        return self._file.version() if self._file.path.exists() else 0

    async def damage(self) -> list[str]:
        """See Ground."""
        with self._file.reading() as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            lost = connection.execute("PRAGMA foreign_key_check").fetchall()
        return said + [
            f"a row of {table} belongs to nothing in {parent}" for table, _, parent, _ in lost[:20]
        ]
