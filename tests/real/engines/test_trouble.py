"""Engines are killed, stopped, cut off, and the database restarted and frozen, while people go on changing stacks:
nothing doubled, nothing lost, and what one engine held another holds within one lease time and 2 s."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from tests.real.engines.judge import judge, judge_writes
from tests.real.engines.member import LEASE, SLACK, Member, until
from tests.real.engines.people import NAMES, People
from tests.real.engines.rig import ENGINES, Fleet

ROUNDS, MANY = 3, 30
MOMENT = 2.0


@pytest.mark.timeout(420)
def test_whatever_dies_nothing_is_doubled_or_lost(made: Fleet) -> None:
    hurt_all(made, ROUNDS)


@pytest.mark.soak
@pytest.mark.timeout(3 * 3600)
def test_whatever_dies_for_long_nothing_is_doubled_or_lost(made: Fleet) -> None:
    hurt_all(made, MANY)


def hurt_all(made: Fleet, rounds: int) -> None:
    """So many rounds of everything, while people change stacks."""
    people = People([made.members[name].client for name in ("a1", "a2")], made.image)
    people.start()
    until(lambda: set(people.acknowledged) == set(NAMES), 60, "every stack is there")
    shared(made)
    for turn in range(rounds):
        victim = made.members[ENGINES[turn % len(ENGINES)]]
        for hurt in (killed, stopped, cut):
            hurt(made, victim)
        if turn % 3 == 0:
            (half_deafened if turn % 6 else deafened)(made, victim)
        made.again(crash=turn % 3 == 2)
        made.freeze(LEASE + MOMENT if turn % 3 == 1 else MOMENT)  # past every lease: none knows who lives
        shared(made)
        made.whole()
    people.stop()
    judge(made, made.members["a1"].client, people.acknowledged)
    judge_writes(made)
    refused = sum(made.members[name].log().count("commit.refused") for name in ENGINES)
    assert refused, "no engine tried to write under a lease that was another's by then"


def shared(made: Fleet) -> None:
    """Waits until every engine has its share."""
    until(lambda: len(set(made.holders().values())) == len(ENGINES), 4 * LEASE, "every engine has its share")


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
    taken_over(made, victim, victim.cut)
    victim.join()


def deafened(made: Fleet, victim: Member) -> None:
    """All that it and the database say to each other is lost, while it is in the middle of something. What it wanted to
    write meanwhile is refused; should it have ended just in time, it is done again."""
    before = victim.log().count("commit.refused")
    for _ in range(5):
        until(lambda: made.changing(victim.name), 4 * LEASE, f"{victim.name} is in the middle of a change")
        taken_over(made, victim, victim.deafen)
        victim.join()
        until(lambda: held(made, victim), 4 * LEASE, f"{victim.name} is back")
        if victim.log().count("commit.refused") > before:
            return
    raise AssertionError(f"{victim.name} never tried to write under a lease that was another's by then")


def half_deafened(made: Fleet, victim: Member) -> None:
    """It is heard, and hears nothing: the database holds for it what it last asked for, and others must not wait."""
    taken_over(made, victim, lambda: victim.deafen(half=True))
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
    print(f"{took:.1f} s until others held what {victim.name} had")
    assert took <= LEASE + SLACK, f"it took {took:.1f} s until others held what {victim.name} had"
