"""Machines that are removed beside each other: engines of before 23 lose count of who is on a network."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, cast

import pytest

from terrace.drivers.docker.machines import Machines
from terrace.drivers.docker.observe import Observer
from terrace.drivers.docker.settings import DockerSettings
from terrace.drivers.docker.wire.client import FEW, Engine
from terrace.model.seen import Names, Owner
from terrace.model.step import Step, Verb
from terrace.ports.driver import Fence

MANY = 12


class Fenced:
    """A fence that lets pass."""

    def check(self, timeout: float) -> None:
        """Everything."""


class Hall(Engine):
    """An engine that counts who is at what, and takes its time."""

    def __init__(self, settings: DockerSettings, release: int) -> None:
        super().__init__(settings)
        self.release = release
        self._version = "/v1.41"
        self.told: list[tuple[str, str]] = []
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()

    async def _ask(self, method: str, path: str, params: Any, body: Any = None) -> Any:
        what, who = ("leave", body["Container"]) if body else ("remove", path.rsplit("/", 1)[1])
        self.told.append((what, who))
        self._now[what] += 1
        self.most[what] = max(self.most[what], self._now[what])
        for _ in range(10 if body else 40):
            await asyncio.sleep(0)
        self._now[what] -= 1


class Seeing:
    """An observer that has seen every machine on one network, or none of them."""

    def __init__(self, known: bool) -> None:
        self._known = known

    def places(self, container: str) -> tuple[str, ...]:
        """Where."""
        return ("front",) if self._known else ()

    def doubt(self, container: str) -> None:
        """Nothing is remembered here."""

    def writes(self, container: str) -> bool:
        """None has volumes."""
        return False


class Open:
    """A firewall with nothing up."""

    @property
    def guards(self) -> Open:
        """Itself."""
        return self

    async def remove(self, owner: Owner, fence: Fence) -> None:
        """There is nothing."""


async def removed(release: int, *, known: bool = True, removals: int = 0) -> Hall:
    settings = DockerSettings(removals=removals)
    hall = Hall(settings, release)
    machines = Machines(hall, settings, cast(Observer, Seeing(known)), cast(Any, None), cast(Any, Open()))

    async def one(number: int) -> None:
        step = Step(
            Verb.DELETE, "Machine", Owner("inst", f"u{number}", 1, "d"), Names("m"), provider_id=f"c{number}"
        )
        await machines.apply(step, Fenced())

    await asyncio.gather(*map(one, range(MANY)))
    return hall


async def test_an_old_engine_is_left_by_few_at_once_and_removes_beside_that() -> None:
    hall = await removed(20)
    assert hall.most["leave"] == FEW
    assert hall.most["remove"] > FEW, "a removal takes longer, and holds nobody up"
    for number in range(MANY):
        assert hall.told.index(("leave", f"c{number}")) < hall.told.index(("remove", f"c{number}"))


async def test_an_old_engine_removes_what_was_never_seen_by_few_at_once() -> None:
    hall = await removed(20, known=False)
    assert hall.most == {"remove": FEW}


@pytest.mark.parametrize(("release", "removals"), [(23, 0), (20, 100)])
async def test_a_sound_engine_removes_all_at_once(release: int, removals: int) -> None:
    hall = await removed(release, removals=removals)
    assert hall.most == {"remove": MANY}


async def test_one_at_a_time_where_the_settings_say_so() -> None:
    hall = await removed(23, removals=1)
    assert hall.most["leave"] == 1
