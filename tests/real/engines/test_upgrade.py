"""Servers of two versions on one database: the newer one's schema comes while stacks are in the middle of a change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest

from terrace.stores.migrating import steps
from tests.real.engines import newer
from tests.real.engines.judge import judge, judge_writes
from tests.real.engines.member import LEASE, Member, until
from tests.real.engines.people import NAMES, People
from tests.real.engines.rig import ENGINES, Fleet


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
    people = People([made.members[name].client for name in ("a1", "a2")], made.image)
    people.start()
    until(lambda: set(people.acknowledged) == set(NAMES), 60, "every stack is there")
    for member in map(made.members.__getitem__, ("e1", "a1", "e2")):
        until(partial(changing, made, member), 4 * LEASE, f"{member.name} is in the middle of a change")
        member.kill()
        member.start(Path(newer.__file__))
        until(member.answers, 60, member.told)
        assert made.ask("SELECT version FROM schema_version") == [(steps()[-1].number + 1,)]
    older = made.members["e1"]
    older.kill()
    made.start(older)
    until(lambda: changing(made, older), 4 * LEASE, "the older one works beside the newer schema")
    people.stop()
    judge(made, made.members["a1"].client, people.acknowledged)
    judge_writes(made)
    assert made.ask("SELECT DISTINCT colour FROM records") == [("grey",)]


def changing(made: Fleet, server: Member) -> bool:
    """Whether a stack of an engine is on its way; one that is none need not have any."""
    asked = """SELECT 1 FROM stacks s JOIN leases l ON l.scope = 'stack:' || s.id JOIN engines e ON e.id = l.holder
        WHERE e.name = %s AND s.phase = 'settling' LIMIT 1"""
    return server.name not in ENGINES or bool(made.ask(asked, server.name))
