"""A transaction on a PostgreSQL connection: what is asked goes out in one stream, and answers are waited for only where
somebody reads them. These functions run inside of Line.run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import psycopg

from terrace.errors import TransientError
from terrace.stores.postgres import faults
from terrace.stores.postgres.line import Connection, Line, is_cockroach, pause
from terrace.stores.postgres.writer import PostgresWriter
from terrace.stores.relational.database import Writer

T = TypeVar("T")

READING: tuple[str, ...] = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
# What must not change meanwhile is held by FOR UPDATE. Without `synced` only the moment of reaching the disk differs.
SYNCED: tuple[str, ...] = ("BEGIN ISOLATION LEVEL READ COMMITTED",)
LOOSE: tuple[str, ...] = (*SYNCED, "SET LOCAL synchronous_commit TO OFF")

ATTEMPTS = 12
_TAKEN_ATTEMPTS = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.25  # seconds: others hold rows for milliseconds
_DOUBT = 15.0  # seconds in which a server that restarts is back
_NUMBER = "SELECT pg_current_xact_id()::text"
_EVICT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'terrace'
    AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
    AND state_change < clock_timestamp() - interval '2 seconds'
"""


class UnsureError(TransientError):
    """The server went away while it committed, and may have done so or not. `transaction` is its number, by which it
    can be asked later ("": it cannot), and `result` what the work gave."""

    def __init__(self, place: str, transaction: str, result: Any) -> None:
        super().__init__(
            f"the database {place} went away during a write, which may be done or not",
            hint="Look at what there is before you ask for it again.",
            code="store-unavailable",
        )
        self.transaction = transaction
        self.result = result


class _DoubtError(Exception):
    """The connection was lost after COMMIT was sent."""

    def __init__(self, transaction: str, result: Any) -> None:
        super().__init__(transaction)
        self.transaction = transaction
        self.result = result


def reading(line: Line, work: Callable[[Writer], T]) -> T:
    """What `work` gives, all of it from one moment."""
    return _once(line, READING, work)


def writing(line: Line, work: Callable[[Writer], T], begin: Sequence[str], place: str) -> T:
    """What `work` gives, committed. Done again when others were in the way. UnsureError."""
    redialled = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(line, begin, work)
        except _DoubtError as doubt:
            if _came_through(line, doubt, place):
                result: T = doubt.result
                return result
        except psycopg.Error as error:
            if line.lost and not (line.fresh or redialled):
                redialled = True  # the server was restarted since the last write
                line.hang_up()
            elif not _worth_another(line, error, attempt):
                raise
    raise faults.unavailable(place, "others were in the way too often")


def outcome(line: Line, transaction: str) -> bool:
    """Whether a transaction whose end was not heard of is committed. TransientError: nobody can say, or not now."""
    until = time.monotonic() + _DOUBT
    while transaction and time.monotonic() < until:
        line.hang_up()
        try:
            query = "SELECT pg_xact_status(%s::xid8)"
            row = line.connection().execute(query, (transaction,)).fetchone()
        except psycopg.Error:
            row = None
        if row is not None and row[0] != "in progress":
            return bool(row[0] == "committed")
        pause(_LONGEST_WAIT)
    raise TransientError("it does not say what became of the last write", code="store-unavailable")


def _came_through(line: Line, doubt: _DoubtError, place: str) -> bool:
    try:
        return outcome(line, doubt.transaction)
    except TransientError as error:
        raise UnsureError(place, doubt.transaction, doubt.result) from error


def _once(line: Line, begin: Sequence[str], work: Callable[[Writer], T]) -> T:
    connection = line.connection()
    transaction, result, committing = "", None, False
    try:
        with connection.pipeline() as pipeline:
            for statement in begin:
                connection.execute(statement)
            number = None if begin is READING or is_cockroach(connection) else connection.execute(_NUMBER)
            writer = PostgresWriter(line, connection, partial(_settled, connection, pipeline))
            result = work(writer)
            if number is not None:
                writer.settle()
                ((transaction,),) = number.fetchall()
            committing = True
            connection.execute("COMMIT")  # the end of the pipeline waits for its answer
    except BaseException as error:
        _clean(line, connection)
        if isinstance(error, psycopg.Error) and committing and line.lost and begin is not READING:
            raise _DoubtError(transaction, result) from error
        raise
    return result


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
