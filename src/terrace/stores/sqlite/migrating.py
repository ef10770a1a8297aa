"""Brings a database to the newest schema: forward only, one transaction for each step."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from terrace.stores.migrating import Step, check_version, steps

_TYPES = {"BYTEA": "BLOB", "BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL"}
_TYPE = re.compile("|".join(_TYPES))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Runs what has not been run yet; ConflictError when a newer Terrace has been here that this one cannot follow."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
    present = version(connection)
    known = steps()
    check_version(str(path), present, known, _compatible_from(connection) if present else "")
    for step in known:
        if step.number > present:
            _take(connection, step)


def version(connection: sqlite3.Connection) -> int:
    """The number of the schema that there is."""
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    return row[0] if row else 0


def _compatible_from(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM identity WHERE key = 'compatible_from'").fetchone()
    return row[0] if row else ""


def _take(connection: sqlite3.Connection, step: Step) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in step.statements:
            connection.execute(dialect(statement))
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (step.number,))
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def dialect(statement: str) -> str:
    """A statement of a migration in SQLite's words, with tables that hold to their types."""
    text = _TYPE.sub(lambda found: _TYPES[found.group()], statement)
    return f"{text} STRICT" if text.startswith("CREATE TABLE") else text
