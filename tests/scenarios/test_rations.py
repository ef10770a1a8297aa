"""Projects with limits: random histories, and what they are to show, told one by one."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from terrace.drivers.sim.loop import run_virtual
from terrace.model.graph import Graph, Node
from tests.scenarios.design import IMAGES
from tests.scenarios.harness import Simulation
from tests.scenarios.rations import Rationed, RationedSimulation, Refused
from tests.scenarios.test_named import machine, machines
from tests.scenarios.test_scaling import ANN, AT, SLOW, scaling, services

SEEDS = 60
WITHIN = 40.0
"""Seconds in which what waits has noticed that there is room: it asks every 15."""


def run(seed: int, said: Counter[str]) -> None:
    """One history; fails with all that happened in it."""
    made: list[Rationed] = []

    async def main() -> None:
        made.append(Rationed(seed))
        await made[0].run()

    try:
        run_virtual(main())
    except Exception as error:
        told = "\n".join(made[0].simulation.history) if made else ""
        pytest.fail(f"{told}\n\nseed {seed}: {type(error).__name__}: {error}", pytrace=False)
    said.update(made[0].simulation.store.said)


def test_no_history_gives_more_than_there_is_and_each_settles_when_there_is_room() -> None:
    """TERRACE_SEED=17 replays one."""
    said: Counter[str] = Counter()
    only = os.environ.get("TERRACE_SEED")
    for seed in [int(only)] if only else range(SEEDS):
        run(seed, said)
    if not only:
        assert {"given", "grown", "too little", "refused"} == set(+said), "each of it must happen somewhere"


@pytest.mark.soak
def test_many_more_rationed_seeds() -> None:
    for seed in range(SEEDS, SEEDS * 20):
        run(seed, Counter())


Story = Callable[[RationedSimulation], Coroutine[Any, Any, None]]


def told(story: Story) -> None:
    """Runs a story of a project with limits."""

    async def main() -> None:
        simulation = RationedSimulation()
        await story(simulation)
        simulation.check()
        await simulation.covered()

    run_virtual(main())


def group(count: int) -> Graph:
    shape = {"kind": "Machine", "type_name": "Terrace::Machine", "properties": machine("x").properties}
    return Graph((Node("g", "Group", {"count": count, "resource_def": shape}),))


def test_what_waits_comes_when_another_stack_lets_go_whichever_engine_has_it() -> None:
    async def story(simulation: RationedSimulation) -> None:
        for name in ("one", "two"):
            await simulation.start(name)
        await simulation.limit(machines=5)
        await simulation.apply("a", group(4))
        await simulation.apply("b", group(1))
        await simulation.until_settled()
        with pytest.raises(Refused, match="machines: 3 more wanted, 0 of 5 left"):
            await simulation.apply("b", group(4))
        await simulation.apply("a", group(1))
        await simulation.until_settled("a")
        await simulation.apply("b", group(4))
        await simulation.until_settled("b", within=WITHIN)
        assert len(machines(simulation)) == 5
        await simulation.down("a")
        await simulation.until_settled("a")
        assert set(simulation.store._tables.usage) == {stack.id for stack in await simulation.store.stacks()}
        assert simulation.store.together() == {"stacks": 1, "machines": 4, "memory": 256}

    told(story)


def test_a_limit_on_what_was_not_limited_counts_what_grew_meanwhile() -> None:
    """While only volumes were limited, a policy had made machines of which nobody had kept count yet."""

    async def story(simulation: RationedSimulation) -> None:
        await simulation.start()
        await simulation.limit(volumes=3)
        await simulation.apply("a", scaling(IMAGES[0], desired=2))
        await simulation.until_settled()
        simulation.storm(SLOW)
        await grow(simulation, 6)
        while len(machines(simulation)) < 4:
            await asyncio.sleep(0.05)
        await simulation.limit(machines=6)
        await simulation.covered()
        with pytest.raises(Refused, match="machines: 1 more wanted"):
            await simulation.apply("b", Graph((machine("m"),)))
        await simulation.until_settled("a")

    told(story)


def test_members_that_wait_come_as_far_as_there_is_room_and_the_rest_when_there_is_more() -> None:
    async def story(simulation: RationedSimulation) -> None:
        await simulation.start()
        await simulation.limit(machines=4)
        await simulation.apply("a", scaling(IMAGES[0], desired=3))
        await simulation.until_settled()
        await grow(simulation, 7)
        await asyncio.sleep(WITHIN)
        assert len(machines(simulation)) == 4
        await simulation.kill(simulation.engine, power=True)
        await simulation.start("two")
        await asyncio.sleep(WITHIN)
        assert len(machines(simulation)) == 4, "another engine knows as well"
        await simulation.limit(machines=6)
        await simulation.until(lambda: standing(simulation, 6), within=WITHIN)
        await simulation.limit(machines=2)
        await asyncio.sleep(WITHIN)
        assert len(machines(simulation)) == 6, "what stands stays"
        await simulation.limit(machines=None)
        await simulation.until_settled(within=WITHIN)
        assert len(machines(simulation)) == 7

    told(story)


async def standing(simulation: Simulation, count: int) -> bool:
    return len(machines(simulation)) == count


async def grow(simulation: RationedSimulation, size: int) -> None:
    """A person says another size, beside the template."""
    _, sizes = services(simulation)
    await simulation.engine.run(sizes.scale(ANN, AT, "g", size, "the fair"))
