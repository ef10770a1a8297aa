"""A store in one SQLite file: the default."""

from terrace.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
