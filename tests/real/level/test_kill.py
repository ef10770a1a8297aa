"""kill -9 of the server at random moments, while fifty machines come up, are changed and go down."""

from __future__ import annotations

import random
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.level.rig import machine, of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real.engine import Engine
    from tests.real.level.rig import Terrace

MIB = 1024 * 1024
STEADY, FICKLE = 40, 10
KILLS = 2
"""How often the server dies while one thing is done."""

SOAK = [pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 24)]


def fifty(image: str, memory: int, tone: str) -> dict[str, Any]:
    """Forty machines that change in place, and ten that are replaced."""
    steady = machine(image, memory=memory)
    fickle = machine(image, memory=memory, environment={"TONE": tone})
    return {
        "steady": of("Group", count=STEADY, resource_def=steady),
        "fickle": of("Group", count=FICKLE, resource_def=fickle),
    }


PLACES = [
    "network:stack",
    *(f"steady/{number}" for number in range(STEADY)),
    *(f"fickle/{number}" for number in range(FICKLE)),
]


class Pulse:
    """Counts what happens to containers, so that a moment to kill at is a number and not a time."""

    def __init__(self, engine: Engine) -> None:
        self.beats = 0
        self._process = subprocess.Popen(
            ["docker", "events", "--filter", "type=container", "--format", "{{.Action}}"],
            env=engine.environ,
            stdout=subprocess.PIPE,
        )
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        assert self._process.stdout is not None
        for _ in self._process.stdout:
            self.beats += 1

    def stop(self) -> None:
        """Listen no more."""
        self._process.kill()
        self._process.wait()
        self._thread.join()


def no_twins(terrace: Terrace) -> None:
    """There are never two for one."""
    found = terrace.live()
    twins = sorted({one for one in found if found.count(one) > 1})
    if twins:
        terrace.fail(f"more than one container for {twins}")


def await_beat(terrace: Terrace, pulse: Pulse, beat: int, done: Callable[[], bool]) -> None:
    """Wait until so much has happened, or nothing is left to do."""
    print(f"now {pulse.beats}, killing the server at {beat}")
    terrace.until(lambda: pulse.beats >= beat or done(), 120, why=f"beat {beat}")


def dying(terrace: Terrace, pulse: Pulse, rng: random.Random, done: Callable[[], bool]) -> None:
    """Let the server die a few times on the way to what `done` tells."""
    for _ in range(KILLS):
        pid = terrace.pid
        await_beat(terrace, pulse, pulse.beats + rng.randint(0, 60), done)
        terrace.kill(pid)
        no_twins(terrace)
        terrace.start()
    terrace.until(done, 120, why="everything to be as wanted")
    no_twins(terrace)


def count_again(terrace: Terrace) -> None:
    """Docker 20.10 may have lost count of a network's users, and keeps the empty network until it is restarted."""
    if {one["kind"] for one in terrace.ghosts().values()} == {"Network"}:
        print("the engine lost count of a network's users: restarting it")
        terrace.engine.stop()
        terrace.engine.start()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1, 2, 3, *SOAK])
def test_nothing_is_made_twice_or_left_behind(terrace: Terrace, tiny_image: str, seed: int) -> None:
    rng = random.Random(seed)
    pulse = Pulse(terrace.engine)

    try:
        terrace.up("fifty", fifty(tiny_image, 16, "flat"), "--no-follow")
        dying(terrace, pulse, rng, lambda: terrace.is_settled("fifty"))
        terrace.stands("fifty", *PLACES)

        terrace.up("fifty", fifty(tiny_image, 24, "sharp"), "--no-follow")
        dying(terrace, pulse, rng, lambda: terrace.is_settled("fifty"))
        terrace.stands("fifty", *PLACES)
        for one in terrace.inspect_all():
            assert one["HostConfig"]["Memory"] == 24 * MIB
            assert "TONE=flat" not in (one["Config"]["Env"] or [])

        terrace("down", "fifty", "--yes", "--no-follow")
        dying(terrace, pulse, rng, lambda: terrace.stacks() == [])
        assert terrace.there(running=False) == [], terrace.explain()
        assert terrace.engine.containers() == []
        count_again(terrace)
        terrace.until(lambda: terrace.ghosts() == {}, why="no ghosts")
    finally:
        pulse.stop()
