"""Brings a database to the newest schema: forward only, one transaction for each step."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from terrace.errors import ConflictError
from terrace.stores.queries import migrations

_TYPES = {"BYTEA": "BLOB", "BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL"}
_TYPE = re.compile("|".join(_TYPES))


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Runs what has not been run yet; ConflictError when a newer Terrace has been here."""
    steps = migrations()
    newest = steps[-1][0]
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
    row = connection.execute("SELECT version FROM schema_version").fetchone()
    present = row[0] if row else 0
    if present > newest:
        raise ConflictError(
            f"the database {path} is of a newer Terrace (schema {present}, this one knows {newest})",
            hint="Install the newer Terrace again, or put back a copy of the database from before it.",
            code="store-newer",
        )
    for number, statements in steps:
        if number > present:
            _step(connection, number, statements)


def _step(connection: sqlite3.Connection, number: int, statements: list[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements:
            connection.execute(dialect(statement))
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version (version) VALUES (?)", (number,))
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def dialect(statement: str) -> str:
    """A statement of a migration in SQLite's words, with tables that hold to their types."""
    text = _TYPE.sub(lambda found: _TYPES[found.group()], statement)
    return f"{text} STRICT" if text.startswith("CREATE TABLE") else text
