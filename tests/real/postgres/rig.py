"""A private PostgreSQL server for tests; scripts/postgres.sh does the work."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.real import remains

SCRIPT = Path(__file__).parents[3] / "scripts" / "postgres.sh"


class Server:
    """One private server: where it answers, and the ways to hurt it."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self.url = self.script("start", *settings).strip()
        self.admin = psycopg.connect(self.url, autocommit=True)

    def script(self, verb: str, *more: str) -> str:
        """What scripts/postgres.sh says."""
        done = subprocess.run(
            [SCRIPT, verb, self.folder, *more], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def schema(self) -> str:
        """The url of a new, empty schema, as good as a database of its own."""
        name = f"s{next(self._numbers)}"
        self.admin.execute(f"CREATE SCHEMA {name}")
        return f"{self.url}&options={quote(f'-c search_path={name},pg_catalog')}"

    def restart(self) -> None:
        """Ends it as a package update does, and starts it again."""
        self.admin.close()
        self.script("restart")
        self.admin = psycopg.connect(self.url, autocommit=True)


@contextmanager
def private_server(*settings: str) -> Iterator[Server]:
    """A server for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=remains.folder()) as name:
        os.chmod(name, 0o755)  # the server is no root
        server = Server(Path(name, "server"), *settings)
        try:
            yield server
        finally:
            server.admin.close()
            server.script("stop")
