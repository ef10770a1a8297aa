"""A transaction on a PostgreSQL connection: what is asked goes out in one stream, and answers are waited for only where
somebody reads them. These functions run inside of Line.run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import psycopg

from terrace.errors import TransientError
from terrace.stores.postgres import faults
from terrace.stores.postgres.line import Connection, Line, Mark, is_cockroach, pause
from terrace.stores.postgres.writer import PostgresWriter
from terrace.stores.relational.database import Writer

T = TypeVar("T")

UNSYNCED = "SET synchronous_commit TO OFF"
"""What a connection that writes begins with: nobody behind a transaction waits for the disk. Who has to, asks Disk."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# What must not change meanwhile is held by FOR UPDATE.
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"

ATTEMPTS = 12
_TAKEN_ATTEMPTS = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.25  # seconds: others hold rows for milliseconds
DOUBT = 15.0  # seconds in which a server that restarts is back
_FLUSH = "SELECT pg_logical_emit_message(true, 'terrace', '')"
"""Writes next to nothing, and is committed as the server has it: on its disk and on what else it waits for."""
_MARK = """
INSERT INTO counters (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_FOUND = "SELECT value FROM counters WHERE name = %s FOR UPDATE"  # waits for a session that has not heard of its end
_FORGET = "DELETE FROM counters WHERE name LIKE 'writer:%' AND value < (extract(epoch FROM now()) - 86400) * 1000000"
_EVICT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'terrace'
    AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
    AND state_change < clock_timestamp() - interval '2 seconds'
"""


class UnsureError(TransientError):
    """The server went away while it committed, and may have done so or not. By `mark` it can be asked later; `result`
    is what the work gave."""

    def __init__(self, place: str, mark: Mark, result: Any) -> None:
        super().__init__(
            f"the database {place} went away during a write, which may be done or not",
            hint="Look at what there is before you ask for it again.",
            code="store-unavailable",
        )
        self.mark = mark
        self.result = result


class _DoubtError(Exception):
    """The connection was lost after COMMIT was sent."""

    def __init__(self, mark: Mark, result: Any) -> None:
        super().__init__(mark)
        self.mark = mark
        self.result = result


class Written(NamedTuple, Generic[T]):
    """A committed transaction, and what the work gave."""

    mark: Mark
    result: T


class Disk:
    """Waits until what was committed before is on disk: once for all who came before the wait began."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._next: asyncio.Task[bool] | None = None

    async def reached(self) -> bool:
        """Whether the server is still the one that was there before; else it may have lost what was not on disk.
        TransientError: it does not answer."""
        if self._next is None:
            self._next = asyncio.create_task(self._line.run(self._begin))
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._next)

    def _begin(self, line: Line) -> bool:
        self._next = None  # who comes from here on may have come too late
        return flush(line)

    async def close(self) -> None:
        """Ends the connection."""
        await self._line.close()


def flush(line: Line) -> bool:
    """Waits for the disk. False: on a connection that is younger than what was to be waited for."""
    connection = line.connection()
    if not is_cockroach(connection):  # that commits to disk, always
        connection.execute(_FLUSH)
    return not line.fresh


def reading(line: Line, work: Callable[[Writer], T]) -> T:
    """What `work` gives, all of it from one moment."""
    return _once(line, _READING, work).result


def writing(line: Line, work: Callable[[Writer], T], place: str) -> Written[T]:
    """What `work` gives, committed. Done again when others were in the way. UnsureError."""
    redialled = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(line, _WRITING, work)
        except _DoubtError as doubt:
            if _came_through(line, doubt, place):
                return Written(doubt.mark, doubt.result)
        except psycopg.Error as error:
            if line.lost and not (line.fresh or redialled):
                redialled = True  # the server was restarted since the last write
                line.hang_up()
            elif not _worth_another(line, error, attempt):
                raise
    raise faults.unavailable(place, "others were in the way too often")


def outcome(line: Line, mark: Mark) -> bool:
    """Whether a transaction whose end was not heard of is committed. TransientError: nobody can say, or not now.

    A transaction leaves its mark in a row of its connection's own. The server's number of it (pg_xact_status) would say
    nothing after a crash, which gives the numbers of what was lost to others."""
    until = time.monotonic() + DOUBT
    while time.monotonic() < until:
        line.hang_up()
        try:
            row = line.connection().execute(_FOUND, (mark.name,)).fetchone()
        except psycopg.Error:
            pause(_LONGEST_WAIT)
        else:
            return row is not None and row[0] >= mark.number
    raise TransientError("it does not say what became of the last write", code="store-unavailable")


def forget(connection: Connection) -> None:
    """Takes away the marks of connections that are long over."""
    connection.execute(_FORGET)


def _came_through(line: Line, doubt: _DoubtError, place: str) -> bool:
    try:
        return outcome(line, doubt.mark)
    except TransientError as error:
        raise UnsureError(place, doubt.mark, doubt.result) from error


def _once(line: Line, begin: str, work: Callable[[Writer], T]) -> Written[T]:
    connection, mark = line.connection(), line.mark()
    writes, result, committing = begin is _WRITING, None, False
    try:
        with connection.pipeline() as pipeline:
            connection.execute(begin)
            if writes:
                connection.execute(_MARK, mark)
            writer = PostgresWriter(line, connection, partial(_settled, connection, pipeline))
            result = work(writer)
            if writes:
                writer.settle()  # so that the mark is held when COMMIT goes out, and can be waited for
            committing = True
            connection.execute("COMMIT")  # the end of the pipeline waits for its answer
    except BaseException as error:
        _clean(line, connection)
        if isinstance(error, psycopg.Error) and committing and line.lost and writes:
            raise _DoubtError(mark, result) from error
        raise
    return Written(mark, result)


def _settled(connection: Connection, pipeline: psycopg.Pipeline) -> None:
    """Sends what has not gone out, and waits for every answer. Pipeline.sync waits before all is sent, for ever, when
    what is sent is larger than the socket takes at once; leaving a pipeline does not."""
    with connection.lock:
        connection.wait(pipeline._exit_gen())


def _clean(line: Line, connection: Connection) -> None:
    """Leaves no transaction behind; a connection that cannot even do that (it was just ended) goes."""
    try:
        if not line.lost:
            connection.rollback()
    except psycopg.Error:
        line.hang_up()


def _worth_another(line: Line, error: psycopg.Error, attempt: int) -> bool:
    if line.lost or attempt == ATTEMPTS:
        return False
    if error.sqlstate == faults.STUCK:
        line.connection().execute(_EVICT)
        return True
    if error.sqlstate in faults.AGAIN:
        pause(random.uniform(0.5, 1.0) * min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))
        return True
    return error.sqlstate == faults.TAKEN and attempt < _TAKEN_ATTEMPTS
