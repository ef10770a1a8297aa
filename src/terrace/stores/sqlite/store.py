"""The default store: one SQLite file, one server to it, written in groups."""

from __future__ import annotations

from pathlib import Path

from terrace.ports.clock import Clock
from terrace.ports.secrets import Secrets
from terrace.stores.relational.store import RelationalStore
from terrace.stores.sqlite.connection import SqliteDatabase


class SqliteStore(RelationalStore):
    """Implements ports.Store on the file at `path`, which is made when it is missing."""

    lasting_leases = False  # what the file forgets in a power failure, the only server to it forgets as well
    database: SqliteDatabase

    def __init__(self, path: str | Path, secrets: Secrets, clock: Clock) -> None:
        super().__init__(SqliteDatabase(Path(path), clock), secrets, str(path))
