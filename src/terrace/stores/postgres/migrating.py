"""Brings a PostgreSQL database to the newest schema: forward only, one transaction for each step, one server at a
time, beside servers that work."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import psycopg

from terrace.stores.migrating import Step, check_version, steps
from terrace.stores.postgres import faults
from terrace.stores.postgres.dialect import migration
from terrace.stores.postgres.line import Connection, is_cockroach

_ATTEMPTS = 20
_STEP_ATTEMPTS = 60
_PATIENCE = "SET LOCAL lock_timeout TO '500ms'"
"""A step needs whole tables, one after the other, and others want them in another order: it lets go of all that it has,
and tries again, before they must wait for long."""
_LONGEST_WAIT = 0.5
_IN_THE_WAY = faults.AGAIN | {faults.STUCK}
_FASTER = (
    psycopg.errors.IntegrityError,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
)
"""How it shows that another server was faster to make the table, by how far it had come."""


def migrate(connection: Connection, place: str, pause: Callable[[float], None] = time.sleep) -> None:
    """Runs what has not been run yet; ConflictError when the database is of a newer Terrace that this one cannot work
    beside. `pause` waits for so many seconds."""
    _begin(connection)
    present = version(connection)
    known = steps()
    check_version(place, present, known, _compatible_from(connection) if present else "")
    for step in known:
        if step.number > present:
            _insist(connection, step, pause)


def version(connection: Connection) -> int:
    """The number of the schema that there is."""
    row = connection.execute("SELECT version FROM schema_version WHERE one = 1").fetchone()
    return row[0] if row else 0


def _begin(connection: Connection) -> None:
    """The table that says which schema there is. Of two servers that make it at once one fails, and finds it."""
    for attempt in range(_ATTEMPTS):
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_version (one BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)"
            )
            connection.execute(
                "INSERT INTO schema_version (one, version) VALUES (1, 0) ON CONFLICT (one) DO NOTHING"
            )
        except _FASTER:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _compatible_from(connection: Connection) -> str:
    row = connection.execute("SELECT value FROM identity WHERE key = 'compatible_from'").fetchone()
    return row[0] if row else ""


def _insist(connection: Connection, step: Step, pause: Callable[[float], None]) -> None:
    for attempt in range(_STEP_ATTEMPTS):
        try:
            _take(connection, step)
        except psycopg.OperationalError as error:
            if error.sqlstate not in _IN_THE_WAY or attempt == _STEP_ATTEMPTS - 1:
                raise
            pause(random.uniform(0.1, 1.0) * _LONGEST_WAIT)
        else:
            return


def _take(connection: Connection, step: Step) -> None:
    with connection.transaction():
        connection.execute(_PATIENCE)
        # Held to the end: another server that is at the same step waits here, and then finds it done.
        row = connection.execute("SELECT version FROM schema_version WHERE one = 1 FOR UPDATE").fetchone()
        if row is not None and row[0] >= step.number:
            return
        for statement in step.statements:
            connection.execute(migration(statement, collated=not is_cockroach(connection)))
        connection.execute("UPDATE schema_version SET version = %s WHERE one = 1", (step.number,))
