"""Whatever is said of a project's flavors, in whatever order: each machine has the size that a short model of the rules
gives it, and none is made that the project may not have."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as some
from tests.unit.runtime.bench import Bench, play

from terrace.errors import ConflictError, NotFoundError
from terrace.model.catalogue import FLAVORS, Flavor, Offer
from terrace.model.graph import Graph, Node
from terrace.stores.memory_flavors import MemoryFlavors

PROJECT = "default"
OWN, THEIRS, BOTH = "own", "m1.nano", "m1.tiny"
NAMES = (OWN, THEIRS, BOTH)
PATHS = ("a", "b", "c")
names = some.sampled_from(NAMES)
BEGINNING = (("set", OWN, 96), ("want", {"a": OWN, "b": THEIRS}))
words = some.one_of(
    some.tuples(some.just("set"), some.sampled_from((OWN, BOTH)), some.sampled_from((96, 160, 224))),
    some.tuples(some.just("remove"), some.sampled_from((OWN, BOTH))),
    some.tuples(some.just("allow"), some.none() | some.lists(names, max_size=2)),
    some.tuples(some.just("want"), some.dictionaries(some.sampled_from(PATHS), names, max_size=3)),
    some.tuples(some.just("lose"), some.sampled_from(PATHS)),
)


class Model:
    """What there should be: by path, the flavor and the size with which a machine stands."""

    def __init__(self) -> None:
        self.offer = Offer()
        self.wanted: dict[str, str] = {}
        self.stands: dict[str, tuple[str, int]] = {}

    def follow(self) -> None:
        """What is wanted comes about as far as the project may have it."""
        self.stands = {path: one for path, one in self.stands.items() if path in self.wanted}
        allowed = self.offer.within(FLAVORS)
        for path, name in self.wanted.items():
            if name in allowed:
                self.stands[path] = (name, allowed[name].memory)


async def heard(bench: Bench, seen: Model) -> None:
    """Everything has been taken in, and is as the model says."""
    seen.follow()
    await bench.clock.sleep(120)
    machines = [one for one in bench.world.things.values() if one.kind == "Machine"]
    expected = sorted(size for _, size in seen.stands.values())
    assert sorted(one.spec.memory for one in machines) == expected, await bench.story()


async def do(bench: Bench, seen: Model, word: tuple[Any, ...]) -> None:
    flavors = MemoryFlavors(bench.store)
    match word:
        case ("set", name, memory):
            seen.offer = (await flavors.set(PROJECT, name, Flavor(1, memory, 1024))).offer
        case ("remove", name):
            try:
                seen.offer = (await flavors.remove(PROJECT, name, force=True)).offer
            except NotFoundError:
                assert name not in seen.offer.own
        case ("allow", allowed):
            known = None if allowed is None else tuple(allowed)
            seen.offer = (await flavors.allow(PROJECT, known)).offer
        case ("want", wanted):
            seen.wanted = dict(wanted)
            machines = tuple(
                Node(path, "Machine", {"image": "one", "flavor": name}) for path, name in wanted.items()
            )
            try:
                await bench.want(Graph(machines), offer=seen.offer.version + 1)
            except ConflictError:
                await bench.want(Graph(machines), offer=seen.offer.version)
        case ("lose", path):
            kept = seen.wanted.get(path) == seen.stands.get(path, ("", 0))[0]
            if kept and path in await bench.records():
                bench.outside.remove(await bench.id(path))
    assert await flavors.offer(PROJECT) == seen.offer
    for stack in await bench.store.stacks():
        bench.controller.wake(stack.id)


@settings(max_examples=100, deadline=None)
@given(some.booleans(), some.lists(words, max_size=10))
@example(True, [("remove", OWN), ("lose", "a")])
@example(True, [("set", OWN, 160), ("allow", [BOTH]), ("lose", "a"), ("lose", "b"), ("want", {"c": OWN})])
def test_machines_have_the_sizes_that_the_rules_give_them(begun: bool, story: list[tuple[Any, ...]]) -> None:
    async def scene(bench: Bench) -> None:
        seen = Model()
        for word in [*(BEGINNING if begun else ()), *story]:
            await do(bench, seen, word)
            await heard(bench, seen)

    play(scene)
