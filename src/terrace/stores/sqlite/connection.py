"""The database file: one connection that writes, in order, and one that reads beside it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from terrace.errors import ConflictError, InvariantError, TerraceError
from terrace.ports.clock import Clock
from terrace.stores.relational.database import Writer
from terrace.stores.relational.requests import claimed
from terrace.stores.sqlite.faults import translated
from terrace.stores.sqlite.lock import FileLock
from terrace.stores.sqlite.migrating import migrate

T = TypeVar("T")
Work = Callable[[Writer], T]

_PATIENCE = 1.0  # seconds: nobody else should hold the file, and the loop waits meanwhile
_LONG_LOG = 16 * 1024 * 1024  # bytes of write-ahead log that are moved into the database


class SqliteDatabase:
    """Writes are transactions that run one after the other, in the order they were asked for: their statements
    on the event loop, since they only touch memory, and what waits for the disk in a thread. Reads see what was
    committed and wait for nothing."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._turn = asyncio.Lock()
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._syncing = False
        self._log_limit = _LONG_LOG

    async def open(self) -> None:
        """See Store.open."""
        try:
            with translated(self._path):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock.take()
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                self._writer = self._connect()
                migrate(self._writer, self._path)
                self._reader = self._connect()
                self._reader.execute("PRAGMA query_only = ON")
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        except BaseException as error:
            self._let_go()
            if isinstance(error, TerraceError) and error.code == "store-locked":
                raise ConflictError(error.message, hint=error.hint, code=error.code) from error
            raise

    async def close(self) -> None:
        """Lets what is being written finish, and leaves one file."""
        async with self._turn:
            self._let_go()

    async def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives, from what has been committed."""
        if self._reader is None:
            raise InvariantError("the store is not open")
        with translated(self._path):
            return self._reader.execute(query, values).fetchall()

    async def read(self, work: Work[T]) -> T:
        """What `work` gives, from what has been committed; nothing else runs meanwhile."""
        if self._reader is None:
            raise InvariantError("the store is not open")
        with translated(self._path):
            return work(self._reader)

    async def write(self, work: Work[T], *, synced: bool = False) -> T:
        """Runs `work` in a transaction, which is undone when it raises. `synced`: it is on disk, with
        all that was written before, when this returns."""
        work = claimed(work) if synced else work
        async with self._turn:
            if self._writer is None:
                raise InvariantError("the store is not open")
            with translated(self._path):
                result = await self._transact(self._writer, work, synced)
                if self._log_size() > self._log_limit:
                    await self._in_thread(self._shorten_log)
        return result

    async def _transact(self, writer: sqlite3.Connection, work: Work[T], synced: bool) -> T:
        if synced != self._syncing:
            writer.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._syncing = synced
        try:
            writer.execute("BEGIN IMMEDIATE")
            result = work(writer)
            if synced:
                await self._in_thread(writer.commit)
            else:
                writer.commit()
        except BaseException:
            if writer.in_transaction:
                writer.rollback()
            raise
        return result

    async def _in_thread(self, call: Callable[[], None]) -> None:
        """Waits for `call` to end even when cancelled: nobody else may use the connection until then."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, call)
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            raise

    def _connect(self) -> sqlite3.Connection:
        # isolation_level None: transactions begin and end where we say.
        connection = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            # A commit that is not synced must never wait for the disk: the log is moved by _shorten_log.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA cache_size = -8000")
            connection.create_function("clock", 0, self._clock.now)
        except BaseException:
            connection.close()
            raise
        return connection

    def _log_size(self) -> int:
        return os.path.getsize(f"{self._path}-wal")

    def _shorten_log(self) -> None:
        """Moves the log into the database. What was committed stays so if that fails: it is tried again later."""
        self._log_limit = self._log_size() + _LONG_LOG
        with suppress(sqlite3.Error):
            if self._writer and self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                self._log_limit = _LONG_LOG

    def _let_go(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = self._thread = None
        self._syncing = False
        self._lock.release()
