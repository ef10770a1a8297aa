"""A SQLite database that is read or filled by a command, not by a server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from terrace.errors import NotFoundError, UserError
from terrace.stores.relational.database import Writer
from terrace.stores.sqlite.faults import translated
from terrace.stores.sqlite.migrating import migrate, version

T = TypeVar("T")


class SqliteFile:
    """A database file that may be in use by a server: it is read as it was at one moment, and never written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction. NotFoundError, TransientError."""
        if not self.path.exists():
            raise NotFoundError(f"there is no database {self.path}", code="no-database")
        with translated(self.path):
            # Not mode=ro: that could not read the log of a server that was killed.
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA query_only = ON")
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.close()

    def duplicate(self, path: Path) -> None:
        """Makes a new file that holds the same."""
        with self.reading() as connection, closing(sqlite3.connect(path)) as made:
            connection.backup(made)

    def version(self) -> int:
        """The number of its schema; 0 when it is no database of ours."""
        with self.reading() as connection:
            known = "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'"
            return version(connection) if connection.execute(known).fetchone() else 0

    async def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """As in Database."""
        with self.reading() as connection:
            return connection.execute(query, values).fetchall()

    async def read(self, work: Callable[[Writer], T]) -> T:
        """As in Database."""
        with self.reading() as connection:
            return work(connection)


@contextmanager
def new_file(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a new database with the newest schema, which is on disk under its name when the block ended
    well, and nowhere otherwise. Only its owner may read it. UserError: there is such a file. TransientError."""
    if os.path.lexists(path):
        raise UserError(f"{path} is there already", hint="Name another file.", code="file-exists")
    draft = path.with_name(f"{path.name}.part")
    with translated(path):
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(draft, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            migrate(connection, path)
            connection.execute("BEGIN")
            yield connection
            connection.commit()
            connection.close()
            os.replace(draft, path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        finally:
            connection.close()
            draft.unlink(missing_ok=True)
