"""Changing any one property of any kind: the plan said what then happened, and nothing else happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from tests.properties.updates import CASES, ELSEWHERE
from tests.properties.updates.case import GONE, PATH, Case, To
from tests.properties.updates.own import FAR, OPEN, VAULT
from tests.unit.runtime.bench import Bench, play

from terrace.kinds import KINDS, SCHEMAS, complete
from terrace.model.graph import Graph, Node
from terrace.model.plan import Item, Plan, Planned
from terrace.model.record import Record, State
from terrace.model.stack import Generation, Source, Stack
from terrace.model.step import Receipt, Step, Verb
from terrace.ports.driver import Driver
from terrace.stores.memory_vault import MemoryVault

PLANNED = {"none": "nothing", "update": "update", "replace": "replace"}
QUIET = (Planned.NOTHING, Planned.REFUSED)


class Diary:
    """Notes which steps a driver is given."""

    def __init__(self, driver: Driver, steps: list[Step]) -> None:
        self._driver = driver
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def apply(self, step: Step, fence: Any) -> Receipt:
        """As the driver does it."""
        if not step.handle:
            self._steps.append(step)
        return await self._driver.apply(step, fence)


class Scene:
    """A bench on which every step is noted, and other stacks that export something."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.steps: list[Step] = []
        drivers = bench.controller.drivers
        for name, driver in drivers.items():
            noted: Any = Diary(driver, self.steps)
            drivers[name] = noted
            bench.controller._pools[name].driver = noted

    async def stand(self, graph: Graph) -> None:
        """Other stacks, and the one that is tried."""
        for name, value in VAULT.items():
            await MemoryVault(self.bench.store).put("default", name, value, "ann")
        for name, outputs in FAR.items() if graph.uses else ():
            stack = Stack(name, "default", name, 0)
            generation = Generation(0, Graph(outputs=outputs), Source("t"), self.bench.clock.now())
            await self.bench.store.save_generation(stack, generation, None)
            self.bench.controller.wake(name)
        await self.bench.up(graph)

    async def plan(self, graph: Graph) -> Plan:
        """What a graph would change."""
        stack = await self.bench.store.stack("s1")
        assert stack is not None
        return await self.bench.controller.plan(stack, graph)

    async def change(self, graph: Graph, *, refused: bool) -> None:
        """The graph is wanted, and what follows has followed."""
        self.steps.clear()
        if not refused:
            await self.bench.up(graph)
            return
        await self.bench.want(graph)

        async def failed() -> bool:
            return any(record.state is State.FAILING for record in (await self.bench.records()).values())

        await self.bench.until(failed)


def tries() -> Iterator[Any]:
    for kind, case in CASES.items():
        for name, changes in {**case.changes, **OPEN.get(kind, {})}.items():
            for number, change in enumerate(changes):
                yield pytest.param(kind, name, change, id=f"{kind}.{name}" + (f"-{number}" if number else ""))


def graph_of(kind: str, case: Case, properties: dict[str, Any], bench: Bench) -> Graph:
    """The resource with what stands around it, completed as a template would be."""
    blueprint = next(iter(case.blueprints), "")
    given = {name: value for name, value in properties.items() if value is not GONE}
    node = Node(PATH, kind, given, case.edges, blueprint=blueprint)
    graph = Graph((*case.around, node), blueprints=case.blueprints)
    return complete(graph, lambda name: bench.controller.drivers[name or "local"].capabilities)


def test_every_property_of_every_kind_has_an_entry() -> None:
    missing = []
    for kind, schema in SCHEMAS.items():
        if kind in ELSEWHERE:
            continue
        if kind not in CASES:
            missing.append(f'{kind}: no Case; add CASES["{kind}"]')
            continue
        missing += [
            f'{kind}.{name}: no change; add "{name}": (To(...),) to CASES["{kind}"]'
            for name in schema.properties.keys() - CASES[kind].changes.keys()
        ]
        missing += [
            f"{kind}.{name}: there is no such property any more"
            for name in CASES[kind].changes.keys() - schema.properties.keys()
        ]
    assert not missing, "tests/properties/updates.py is not complete:\n  " + "\n  ".join(sorted(missing))
    assert not [kind for kind in (*CASES, *OPEN, *ELSEWHERE) if kind not in KINDS]


@pytest.mark.parametrize(("kind", "name", "change"), list(tries()))
def test_the_plan_said_what_then_happened(kind: str, name: str, change: To) -> None:
    case = CASES[kind]

    async def scene(bench: Bench) -> None:
        told = Scene(bench)
        start = {**case.start, **change.with_}
        first = {**start, name: change.before} if change.before is not GONE else start
        await told.stand(graph_of(kind, case, first, bench))
        wanted = graph_of(kind, case, {**start, **change.also, name: change.after}, bench)
        before = await bench.records()
        plan = await told.plan(wanted)
        items = {item.path: item for item in plan.items}
        says = change.says or PLANNED[SCHEMAS[kind].properties[name].changes.value]
        assert items[PATH].what == says, items[PATH]
        await told.change(wanted, refused=bool(plan.refused))
        await compare(bench, told.steps, items, before)
        if not plan.refused:
            assert not (await told.plan(wanted)).changes

    play(scene)


async def compare(bench: Bench, steps: list[Step], items: dict[str, Item], before: dict[str, Record]) -> None:
    """Each step was planned, and each planned step was taken."""
    after = await bench.records()
    taken: dict[str, list[Verb]] = defaultdict(list)
    for step in steps:
        taken[step.names.path].append(step.verb)
    assert taken.keys() <= items.keys(), "something was done that the plan does not name"
    for path, item in items.items():
        if KINDS[item.kind].composite:
            continue
        done = happened(taken.get(path, []))
        if done is Planned.CREATE and KINDS[item.kind].shared and path in before:
            done = Planned.REPLACE  # the old one belongs to everybody, and stays
        if item.certain or done is not Planned.NOTHING:
            assert done is (Planned.NOTHING if item.what in QUIET else item.what), (item, taken[path])
        check_record(item, done, before.get(path), after.get(path))


def happened(verbs: list[Verb]) -> Planned:
    """What a resource's steps come to."""
    match sorted(set(verbs)):
        case []:
            return Planned.NOTHING
        case [Verb.CREATE]:
            return Planned.CREATE
        case [Verb.DELETE]:
            return Planned.DELETE
        case [Verb.CREATE, Verb.DELETE]:
            return Planned.REPLACE
        case [Verb.UPDATE] if len(verbs) == 1:
            return Planned.UPDATE
        case _:
            raise AssertionError(f"no plan can say {verbs}")


def check_record(item: Item, done: Planned, before: Record | None, after: Record | None) -> None:
    """What is remembered is what the plan said it would be."""
    match done:
        case Planned.CREATE:
            assert before is None or before.departing
            assert after is not None
        case Planned.DELETE:
            assert after is None
        case Planned.REPLACE | Planned.UPDATE:
            assert before is not None
            assert after is not None
            assert (after.incarnation > before.incarnation) == (done is Planned.REPLACE)
            applied = after.applied or {}
            for one in item.differences:
                if one.certain and one.field in applied:
                    assert plain(applied[one.field]) == plain(one.after), one
        case _:
            assert before is not None
            assert after is not None
            assert (after.incarnation, after.applied) == (before.incarnation, before.applied)


def plain(value: Any) -> Any:
    """Tuples as the lists that they are stored as."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def test_a_step_that_was_not_planned_is_noticed() -> None:
    """The comparison itself: a plan that leaves a change out does not pass."""

    async def scene(bench: Bench) -> None:
        told = Scene(bench)
        await told.stand(graph_of("Value", CASES["Value"], {"value": "1"}, bench))
        before = await bench.records()
        plan = await told.plan(graph_of("Value", CASES["Value"], {"value": "1"}, bench))
        await told.change(graph_of("Value", CASES["Value"], {"value": "2"}, bench), refused=False)
        items = {item.path: replace(item, what=Planned.NOTHING) for item in plan.items}
        with pytest.raises(AssertionError):
            await compare(bench, told.steps, items, before)

    play(scene)
