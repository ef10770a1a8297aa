"""The schema of the next version comes while stacks are in the middle of a change: beside servers that work, and to a
server that was killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from terrace.stores.migrating import steps
from terrace.stores.sqlite.migrating import dialect
from tests.real.engines import newer
from tests.real.engines.judge import judge, judge_writes, look, machines
from tests.real.engines.member import LEASE, Member, until
from tests.real.engines.people import NAMES, People, ask
from tests.real.engines.rig import Fleet

MANY = 8
CHAIN = "heat_template_version: 2021-04-16\nresources:\n" + "".join(
    f"  m{n}:\n    type: Terrace::Machine\n    properties: {{image: debian-12}}\n"
    + (f"    depends_on: m{n - 1}\n" if n else "")
    for n in range(MANY)
)
"""Machines of which each waits for the one before."""


@pytest.fixture
def rolled(made: Fleet) -> Iterator[Fleet]:
    """A fleet whose database is as it was again at the end. The servers of the next version do not mind."""
    yield made
    until(lambda: undone(made), 30, "nobody is in the way")


def undone(made: Fleet) -> bool:
    """Takes back what the next version's migration did, unless somebody is in the way."""
    try:
        with made.database.transaction():
            for statement in newer.UNDONE:
                made.database.execute(statement)
            made.database.execute("UPDATE schema_version SET version = %s", (steps()[-1].number,))
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.timeout(240)
def test_servers_of_two_versions_change_places_under_load(rolled: Fleet) -> None:
    """Some die in the middle of a change and begin anew as the next version, one after the other; the first goes back
    to the old one, which knows less of the schema than there is then. The others stay what they were."""
    made = rolled
    people = People([made.members[name].client for name in ("a1", "a2")], made.image, pause=0.2)
    people.start()
    until(lambda: set(people.acknowledged) == set(NAMES), 60, "every stack is there")
    for member in map(made.members.__getitem__, ("e1", "a1", "e2")):
        if not member.serves:
            until(
                partial(made.changing, member.name), 4 * LEASE, f"{member.name} is in the middle of a change"
            )
        member.kill()
        member.start(Path(newer.__file__))
        until(member.answers, 60, member.told)
        assert made.ask("SELECT version FROM schema_version") == [(steps()[-1].number + 1,)]
    older = made.members["e1"]
    older.kill()
    made.start(older)
    until(lambda: made.changing(older.name), 4 * LEASE, "the older one works beside the newer schema")
    people.stop()
    judge(made, made.members["a1"].client, people.acknowledged)
    judge_writes(made)
    assert made.ask("SELECT DISTINCT colour FROM records") == [("grey",)]


@pytest.mark.timeout(120)
def test_what_a_server_of_the_schema_before_left_half_done_is_finished(made: Fleet) -> None:
    """Killed while it makes machines, and begun anew as the version that knows the newest schema."""
    server = Member(made, "older", 8, '"engine", "api"', shared=False)
    try:
        made.start(server)
        ours = server.client.version()["installation"]
        ask(server.client, "s0", CHAIN)
        until(lambda: created(made, ours), 60, "the first is there")
        server.kill()
        half = created(made, ours)
        assert len(half) < MANY
        age(server.folder / "state" / "terrace.db", steps()[-2].number)
        made.start(server)
        until(lambda: server.client.stacks.get("s0")["phase"] == "settled", 60, "it settles")
        there = created(made, ours)
        assert set(half) <= set(there) == machines(server.client, ("s0",))
        assert len(there) == len(set(there)) == MANY, "none was made twice"
    finally:
        server.remove()


def created(made: Fleet, installation: str) -> list[str]:
    """Machines that were ever made at the simulated provider."""
    return [
        entry.provider_id
        for entry in look(made)["diary"]
        if (entry.what, entry.kind) == ("create", "Machine")
        and entry.owner is not None
        and entry.owner.installation == installation
    ]


def age(file: Path, schema: int) -> None:
    """A SQLite database as a server of an earlier schema would have left it: without what came later."""
    older = file.with_suffix(".older")
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT")
        for step in steps():
            for statement in step.statements if step.number <= schema else ():
                connection.execute(dialect(statement))
        connection.execute("ATTACH ? AS newer", (str(file),))
        tables = connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM newer.{table}")
        connection.execute("UPDATE schema_version SET version = ?", (schema,))
    for name in (f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    older.rename(file)
