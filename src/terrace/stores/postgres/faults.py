"""What goes wrong with PostgreSQL, in words."""

from __future__ import annotations

import psycopg

from terrace.errors import InvariantError, TerraceError, TransientError

AGAIN = frozenset({"40001", "40P01"})
"""Others were in the way: the same transaction may succeed at once."""
TAKEN = "23505"
"""Another server was faster to add the same row; the second time we see it."""
STUCK = "55P03"
"""Somebody has held a row for seconds: a server that stands still in the middle of a write."""
_LOST = ("08", "57P", "58")
_FULL = ("53100", "54000")
_BUSY = ("53", "55P03", "57014")
_REFUSED = ("28", "3D", "42501")
_AT_THE_DOOR = ("authentication failed", "does not exist", "no pg_hba.conf entry", "password")
_DAMAGED = ("XX001", "XX002")


def translated(error: psycopg.Error, place: str) -> TerraceError:
    """The error of the database called `place`, as one of ours."""
    said = (error.diag.message_primary or str(error).strip().split("\n")[0]) or type(error).__name__
    match error.sqlstate or "":
        case code if code.startswith(_DAMAGED):
            return TransientError(
                f"the database {place} is damaged: {said}",
                hint="Stop the servers and put a backup back: terrace db restore.",
                code="store-damaged",
            )
        case code if code in _FULL:
            return TransientError(
                f"the disk of the database {place} is full",
                hint="Make room on PostgreSQL's disk; Terrace goes on by itself.",
                code="store-full",
            )
        case "25006":
            return TransientError(
                f"the database {place} cannot be written: {said}",
                hint="Point the url at the primary server (target_session_attrs=read-write finds it).",
                code="store-read-only",
            )
        case code if code.startswith(_REFUSED):
            return _unwelcome(place, said)
        case code if code.startswith(_BUSY) or code in AGAIN:
            return TransientError(f"the database {place} is too busy: {said}", code="store-unavailable")
        case code if code and not code.startswith(_LOST):
            return InvariantError(f"the database refused what we asked: {said} ({code})")
        case _ if _refused(error):
            return _unwelcome(place, said)
        case _ if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            return unavailable(place, said)
        case _:
            return InvariantError(f"the database refused what we asked: {said}")


def unavailable(place: str, why: str) -> TransientError:
    """There is no answer."""
    return TransientError(
        f"the database {place} does not answer: {why}",
        hint="Look whether PostgreSQL runs and can be reached; Terrace goes on by itself.",
        code="store-unavailable",
    )


def _unwelcome(place: str, said: str) -> TransientError:
    return TransientError(
        f"the database {place} does not let us in: {said}",
        hint="Check url and password_file in [store], and the rights of the database's user.",
        code="store-refused",
    )


def _refused(error: psycopg.Error) -> bool:
    # libpq gives no code for what happens before a session begins.
    return any(part in str(error) for part in _AT_THE_DOOR)
