"""`terrace db` on the database of a real server, as it runs and when it is stopped."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from terrace.client import ApiError
from tests.unit.served import REQUEST, Server


def terrace(server: Server, *words: str) -> tuple[int, str]:
    """The exit code of a command, and all it says."""
    environ = {**os.environ, "TERRACE_SERVER_CONFIG": str(server.config), "HOME": str(server.folder)}
    command = [sys.executable, "-m", "terrace", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd="/")
    return done.returncode, done.stdout + done.stderr


def test_a_backup_beside_a_server_and_its_way_back(server: Callable[..., Server], tmp_path: Path) -> None:
    one, copy = server().start(), str(tmp_path / "copy")
    one.client.stacks.apply("shop", REQUEST, wait=20)
    code, said = terrace(one, "db", "check")
    assert (code, said.splitlines()[-1]) == (0, "all is well")
    code, said = terrace(one, "db", "backup", copy)
    assert code == 0, said
    assert "1 stacks" in said
    assert "key file" in said
    assert terrace(one, "db", "backup", copy)[0] == 1
    one.client.stacks.apply("later", REQUEST, wait=20)
    code, said = terrace(one, "db", "restore", copy, "--replace", "--yes")
    assert code == 4
    assert "used by another server" in said
    assert one.end() == 0
    code, said = terrace(one, "db", "restore", copy)
    assert (code, "is not empty" in said) == (4, True)
    code, said = terrace(one, "db", "restore", copy, "--replace")
    assert (code, "needs a yes" in said) == (1, True)
    code, said = terrace(one, "db", "restore", copy, "--replace", "--yes")
    assert code == 0, said
    assert "accept-restore" in said
    with closing(sqlite3.connect(one.state / "terrace.db")) as plain:
        assert plain.execute("SELECT provider, what FROM ledger").fetchall() == [("local", "restored")]
    one.start()
    assert one.client.stacks.get("shop")["generation"] == 1
    with pytest.raises(ApiError, match="later"):
        one.client.stacks.get("later")


def test_a_database_that_cannot_be_reached(server: Callable[..., Server]) -> None:
    one = server('[store]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n')
    code, said = terrace(one, "db", "check")
    assert code == 1
    assert "the database none on 127.0.0.1 does not answer" in said
    assert "help: " in said
    code, said = one.refuse()
    assert (code, "does not answer" in said) == (1, True)


def test_words_that_are_none(server: Callable[..., Server]) -> None:
    one = server()
    code, said = terrace(one, "db", "move", "mysql://x/y")
    assert (code, "not one that PostgreSQL understands" in said) == (4, True)
    process = one.spawn("--db", "burn")
    assert "usage: terrace serve --db" in process.communicate()[1]
    assert process.returncode == 1
