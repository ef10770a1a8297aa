"""A hidden value is nowhere: not in what the server tells, logs and measures, nor in its database and copies of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.unit.security.everywhere import HIDDEN, Life
from tests.unit.served import Server

SIM = '[providers.local]\ndriver = "sim"\n'


def test_no_secret_is_in_anything_that_a_server_leaves_behind(
    server: Callable[..., Server], tmp_path: Path
) -> None:
    life = Life(server(SIM).start()).live()
    life.command("db", "backup", str(tmp_path / "copy"))
    life.command("events", "shop")
    life.command("audit", "list")
    with closing(sqlite3.connect(life.server.state / "terrace.db")) as database:
        dump = "\n".join(database.iterdump())
        kept = database.execute("SELECT COUNT(*) FROM requests WHERE status > 0").fetchone()[0]
        rows = database.execute("SELECT * FROM audit").fetchall()
    assert kept > 5, "answers that may be repeated are among it"
    assert [row for row in rows if "reveal" in row]
    assert life.traces(("dump", dump.encode())) == []
    assert life.server.end() == 0
    assert life.traces() == []
    (tmp_path / "planted").write_text(HIDDEN)
    assert life.traces() == [("planted", HIDDEN)]
