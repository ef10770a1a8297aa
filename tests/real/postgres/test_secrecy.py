"""A hidden value is nowhere in what a server on PostgreSQL tells, nor in its database and copies of it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from terrace.stores.queries import columns
from tests.unit.security.everywhere import HIDDEN, Life
from tests.unit.served import Server

SIM = '[providers.local]\ndriver = "sim"\n'


def dump(url: str) -> bytes:
    """Every value of every table."""
    with psycopg.connect(url) as connection:
        rows = [row for name in columns() for row in connection.execute(f"TABLE {name}").fetchall()]
    return b"\n".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
        for row in rows
        for value in row
    )


def test_no_secret_is_in_anything_that_a_server_leaves_behind(url: str, tmp_path: Path) -> None:
    one = Server(tmp_path, f'{SIM}[store]\nurl = "{url}"\n').start()
    try:
        life = Life(one).live()
        life.command("db", "backup", str(tmp_path / "copy"))
        held = dump(url)
        assert b"reveal" in held
        assert b"key-3" in held, "answers that may be repeated are among it"
        assert life.traces(("dump", held)) == []
    finally:
        assert one.end() == 0
    assert life.traces(("dump", dump(url))) == []
    assert life.traces(("planted", HIDDEN.encode())) == [("planted", HIDDEN)]
