"""Engines are killed, stopped, cut off, and the database restarted and frozen, while people go on changing stacks:
nothing doubled, nothing lost, and what one engine held another holds within one lease time and 2 s."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from terrace.drivers.sim.remote.driver import RemoteSimDriver
from terrace.drivers.sim.settings import SimSettings
from tests.real import remains
from tests.real.engines.people import NAMES, People
from tests.real.engines.rig import LEASE, SLACK, Fleet, Member, fleet, until

ROUNDS, MANY = 3, 30
ENGINES = ("e1", "e2", "e3")


@pytest.fixture
def made() -> Iterator[Fleet]:
    with TemporaryDirectory(prefix="fleet-", dir=remains.folder()) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL is no root
        with fleet(Path(folder)) as found:
            yield found


@pytest.mark.timeout(600)  # what is waited for has deadlines of its own
def test_whatever_dies_nothing_is_doubled_or_lost(made: Fleet) -> None:
    hurt_all(made, ROUNDS)


@pytest.mark.soak
def test_whatever_dies_for_long_nothing_is_doubled_or_lost(made: Fleet) -> None:
    hurt_all(made, MANY)


def hurt_all(made: Fleet, rounds: int) -> None:
    """So many rounds of everything, while people change stacks."""
    people = People([made.members[name].client for name in ("a1", "a2")])
    people.start()
    until(lambda: set(people.acknowledged) == set(NAMES), 60, "every stack is there")
    until(lambda: len(set(made.holders().values())) == len(ENGINES), 4 * LEASE, "every engine has its share")
    for turn in range(rounds):
        victim = made.members[ENGINES[turn % len(ENGINES)]]
        for hurt in (killed, stopped, cut):
            hurt(made, victim)
        made.again()
        made.freeze(2.0)
        assert_alive(made)
    people.stop()
    judge(made, people)


def killed(made: Fleet, victim: Member) -> None:
    """kill -9, and a new process."""
    taken_over(made, victim, victim.kill)
    victim.start()
    until(victim.answers, 60, f"{victim.name} is back")


def stopped(made: Fleet, victim: Member) -> None:
    """SIGSTOP past the lease, then SIGCONT: it goes on where it was, and must not."""
    taken_over(made, victim, lambda: victim.signal(signal.SIGSTOP))
    victim.signal(signal.SIGCONT)


def cut(made: Fleet, victim: Member) -> None:
    """Its network is gone: it lives, and reaches its provider, but not the database."""
    until(lambda: held(made, victim), 4 * LEASE, f"{victim.name} has its share")
    taken_over(made, victim, victim.cut)
    victim.join()


def held(made: Fleet, victim: Member) -> set[str]:
    """What it holds."""
    return {scope for scope, name in made.holders().items() if name == victim.name}


def taken_over(made: Fleet, victim: Member, hurt: Callable[[], None]) -> None:
    """Within one lease time and a little others hold what was the victim's."""
    until(lambda: held(made, victim), 4 * LEASE, f"{victim.name} has its share")
    lost = held(made, victim)
    hurt()
    began = time.monotonic()

    def others() -> bool:
        holders = made.holders()
        return all(holders.get(scope, victim.name) != victim.name for scope in lost)

    until(others, 3 * LEASE, f"what {victim.name} held is held by others")
    took = time.monotonic() - began
    assert took <= LEASE + SLACK, f"it took {took:.1f} s until others held what {victim.name} had"


def assert_alive(made: Fleet) -> None:
    """Everybody is there again."""
    for name in made.members:
        until(made.members[name].answers, 60, f"{name} answers")


def judge(made: Fleet, people: People) -> None:
    """What was recorded says that all went well."""
    client = made.members["a1"].client

    def settled() -> bool:
        found = [client.stacks.get(name) for name in NAMES]
        return all(one["phase"] == "settled" and one["settled"] == one["generation"] for one in found)

    until(settled, 120, f"all settle: {[client.stacks.get(name)['why'] for name in NAMES]}")
    for name, number in people.acknowledged.items():
        assert client.stacks.get(name)["generation"] >= number, f"generation {number} of {name} is lost"
    epochs: dict[str, int] = {}
    for scope, epoch in made.ask("SELECT scope, epoch FROM lease_log ORDER BY id"):
        assert epoch >= epochs.get(scope, 0), f"the epoch of {scope} fell"
        epochs[scope] = epoch
    names = {member.address: member.name for member in made.members.values()}
    writes = Counter(made.ask("SELECT holder, address FROM write_log WHERE address IS NOT NULL"))
    assert writes.total() > len(NAMES)
    for holder, address in writes:
        assert holder.rpartition("-")[0] == names[address], (
            f"{names[address]} wrote under the lease of {holder}"
        )
    refused = sum(made.members[name].log().count("commit.refused") for name in ENGINES)
    assert refused, "no engine tried to write under a lease that was another's by then"
    assert_world(made)


def assert_world(made: Fleet) -> None:
    """Nothing was made twice, nothing touched that was not ours, and what stands is what is wanted."""

    async def look() -> dict[str, object]:
        driver = RemoteSimDriver(SimSettings(socket=str(made.folder / "sim.sock")))
        try:
            return await driver.look()
        finally:
            await driver.close()

    world = asyncio.run(look())
    assert world["duplicates"] == []
    assert world["violations"] == []
    client = made.members["a2"].client
    wanted = {
        one["provider_id"]
        for name in NAMES
        for one in client.views.resources(name)
        if one["kind"] == "Machine"
    }
    there = {seen.provider_id for seen in world["things"] if seen.kind == "Machine"}  # type: ignore[attr-defined]
    assert there == wanted
