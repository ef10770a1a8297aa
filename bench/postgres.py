"""What it costs to keep things in PostgreSQL, in the terms of SQLite, in the same run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench import shapes
from bench.row import Row, compared
from bench.server import HERE, SIM, BenchError, Server, running, scratch, steps, verify

SCRIPT = HERE.parent / "scripts" / "postgres.sh"
COUNT, ROUNDS = 10_000, 3
GOAL = 2.5


def settling() -> list[Row]:
    """`terrace up` of 10,000 resources that need nothing done, on both, in turns."""
    needs = shapes.flat(COUNT)
    text = shapes.values(needs)
    ours, peer = list[float](), list[float]()
    with database() as url:
        settings = f'{SIM}[store]\nurl = "{url}"\n'
        with running(settings, prover=partial(prove, url)) as postgres, running() as sqlite:
            for number in range(ROUNDS):
                for server, found in ((postgres, ours), (sqlite, peer)):
                    found.append(server.up(server.write("flat.yaml", text), f"flat-{number}", needs))
    return [compared("postgres-10000", ours, peer, "SQLite", GOAL, f"at most {GOAL:g} times")]


def prove(url: str, server: Server, stack: str, needs: shapes.Needs) -> None:
    """As Server.prove, from PostgreSQL. BenchError."""
    import psycopg

    with psycopg.connect(url) as connection:

        class Asked:
            """Takes the queries for SQLite."""

            def execute(self, query: str, values: Sequence[Any]) -> Any:
                return connection.execute(
                    query.replace("?", "%s").replace("body ->>", "body::json ->>"), values
                )

        verify(*steps(Asked(), stack, needs), stack, needs)


@contextmanager
def database() -> Iterator[str]:
    """The url of a PostgreSQL of our own, as durable as it comes, gone afterwards."""
    with scratch() as folder:
        os.chmod(folder, 0o755)  # the server is no root
        place = folder / "postgres"
        try:
            yield _script("start", place).strip()
        finally:
            _script("stop", place)


def _script(verb: str, place: Path) -> str:
    done = subprocess.run([SCRIPT, verb, place], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"postgres.sh {verb}: {done.stderr.strip()}")
    return done.stdout
