"""A backup taken while engines work, put back after they went on: nothing is taken away before a person's yes, and then
everything is as the backup wants it, nothing doubled."""

from __future__ import annotations

import time
from typing import Any

import pytest

from terrace.client.client import Client
from tests.real.engines.judge import judge, judge_writes, removals
from tests.real.engines.member import GRACE, RESYNC, Member, until
from tests.real.engines.people import NAMES, People, wish
from tests.real.engines.rig import Fleet

LATER, DELETED = "later", ("s0", "d0")
PROVIDERS = ("docker", "sim")


@pytest.mark.timeout(240)
def test_of_many_engines_on_postgresql(made: Fleet) -> None:
    restored(made, list(made.members.values()))
    judge_writes(made)


@pytest.mark.timeout(240)
def test_of_one_server_on_sqlite(made: Fleet) -> None:
    server = Member(made, "solo", 9, '"engine", "api"', shared=False)
    try:
        made.start(server)
        restored(made, [server])
    finally:
        server.remove()


def restored(made: Fleet, servers: list[Member]) -> None:
    """The whole story, of servers that run."""
    clients = [server.client for server in servers if server.serves]
    first = clients[0]
    people = People(clients, made.image, pause=0.1)
    people.start()
    until(lambda: set(people.acknowledged) == set(NAMES), 60, "every stack is there")
    copy = made.folder / f"{servers[0].name}.backup"
    servers[0].command("db", "backup", copy)
    kept = dict(people.acknowledged)
    until(lambda: all(people.acknowledged[name] > kept[name] for name in NAMES), 60, "all went on")
    people.stop()
    wish(first, LATER, 0, made.image)
    until(lambda: first.stacks.get(LATER)["phase"] == "settled", 60, "what the backup does not know is there")
    for name in DELETED:
        first.stacks.delete(name)
    for server in servers:
        server.kill()

    servers[0].command("db", "restore", copy, "--replace", "--yes")
    made.forget()
    made.start(*servers)
    before = removals(made, first)
    found = until(lambda: ghosts(first), 60, "what the backup does not know is taken for a ghost")
    assert all(ghost["kept"] for ghost in found), found
    due = max(ghost["since"] for ghost in found) + GRACE + 2 * RESYNC
    until(lambda: time.time() > due, 60, "they would have been taken away by now")
    assert removals(made, first) == before

    assert set(first.providers.accept_restore()) == set(PROVIDERS)
    until(lambda: not ghosts(first), 60, lambda: f"the ghosts are gone: {ghosts(first)}")
    judge(made, first, {})
    assert all(first.stacks.get(name)["generation"] >= 1 for name in kept)


def ghosts(client: Client) -> list[dict[str, Any]]:
    """What nothing wants, wherever."""
    return [ghost for provider in PROVIDERS for ghost in client.providers.ghosts(provider)]
