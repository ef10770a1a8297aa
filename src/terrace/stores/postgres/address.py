"""Where a PostgreSQL database is, and what is said of it: never its password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from terrace.errors import ConflictError, TransientError

# How a connection is found to be dead when nobody says so: after about ten seconds.
SERVER = "terrace"
"""What sessions of servers are called in PostgreSQL."""
_TCP = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}


class Address(msgspec.Struct, frozen=True):
    """`url` as libpq reads it (postgresql://user@host:5432/name?sslmode=verify-full), without a password; that is
    in the file `password_file`, or wherever libpq looks for it (PGPASSFILE, ~/.pgpass). `name` is what sessions are
    called."""

    url: str
    password_file: str = ""
    name: str = SERVER

    def parameters(self) -> dict[str, Any]:
        """What to connect with, the password as it is now. ConflictError: that is no address. TransientError: the
        password cannot be read."""
        given = self._parsed()
        known = {"connect_timeout": 5, **_TCP, **given, "application_name": self.name}
        if self.password_file:
            known["password"] = self._password()
        return known

    def __str__(self) -> str:
        given = self._parsed()
        host = given.get("host") or given.get("hostaddr") or "localhost"
        return f"{given.get('dbname') or given.get('user') or 'the default database'} on {host}"

    def _parsed(self) -> dict[str, Any]:
        try:
            return conninfo_to_dict(self.url)
        except psycopg.Error:
            # What psycopg says could quote a part of the url.
            raise ConflictError(
                "the url of the database is not one that PostgreSQL understands",
                hint="Write it as postgresql://user@host:5432/database.",
                code="store-url",
            ) from None

    def _password(self) -> str:
        try:
            return Path(self.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise TransientError(
                f"the password of the database cannot be read from {self.password_file}: {why}",
                code="store-unavailable",
            ) from error
