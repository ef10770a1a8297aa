"""What goes wrong with a file, in words: SQLite's and the system's errors become ours."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terrace.errors import InvariantError, TerraceError, TransientError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns errors of the database file at `path` into TransientError (the disk is full, read-only, locked,
    damaged) or InvariantError (our own mistake)."""
    try:
        yield
    except sqlite3.Error as error:
        raise _of_database(path, error) from error
    except OSError as error:
        raise _of_system(path, error) from error


def _of_database(path: Path, error: sqlite3.Error) -> TerraceError:
    # Extended codes carry their family in the low byte.
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return TransientError(
                f"the database {path} is locked by another program",
                hint="Close what else has it open; only one Terrace server may use it.",
                code="store-locked",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return TransientError(
                f"{path} is damaged, or not a database: {error}",
                hint="Stop the server, move the file away and put a copy of it back.",
                code="store-damaged",
            )
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return _full(path) if _no_room(path.parent) else _unusable(path, str(error))
        case _:
            return InvariantError(f"the database refused what we asked: {error}")


def _of_system(path: Path, error: OSError) -> TerraceError:
    if error.errno in _FULL:
        return _full(path)
    if error.errno in _CLOSED:
        return _read_only(path)
    return _unusable(path, error.strerror or str(error))


def _full(path: Path) -> TransientError:
    return TransientError(
        f"the state folder {path.parent} is full",
        hint="Make room on that disk; Terrace goes on by itself.",
        code="store-full",
    )


def _read_only(path: Path) -> TransientError:
    return TransientError(
        f"the state folder {path.parent} cannot be written",
        hint=f"Make {path.parent} and the files in it writable for the user that runs the server.",
        code="store-read-only",
    )


def _unusable(path: Path, why: str) -> TransientError:
    return TransientError(f"the database {path} cannot be used: {why}", code="store-unavailable")


def _no_room(folder: Path) -> bool:
    try:
        return os.statvfs(folder).f_bavail == 0
    except OSError:
        return False
