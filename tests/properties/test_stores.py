"""Whatever is asked of them, and in whatever order, the stores show the same: the fake is as good as the file."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.store.samples import FlippedSecrets, HandClock, a_generation, a_stack

from terrace.errors import TerraceError
from terrace.model.event import Event
from terrace.model.graph import Graph, Name, Output, Use
from terrace.model.record import Record, State
from terrace.model.seen import Owner
from terrace.model.stack import Directive, Lease, Phase, Stack
from terrace.model.value import Secret
from terrace.ports.store import Commit, Ruling, Store
from terrace.stores.memory import MemoryStore
from terrace.stores.sqlite import SqliteStore

NAMES = ("shop", "g", "blog")
STACKS = [a_stack(name).id for name in NAMES]
PATHS = ["web", "web-2", "g", "g/2", "g/10", "g/10/disk", "g/02"]
numbers = st.integers(0, 4)

records = st.builds(
    Record,
    path=st.sampled_from(PATHS),
    kind=st.just("Machine"),
    uid=st.sampled_from(["u1", "u2", "u3"]),
    incarnation=numbers,
    state=st.sampled_from(State),
    why=st.text(max_size=3),
    memory=st.dictionaries(
        st.text(max_size=2), st.one_of(st.none(), st.floats(), st.text(max_size=3)), max_size=2
    ),
)
events = st.builds(
    Event,
    kind=st.sampled_from(["a", "b"]),
    at=st.floats(0, 100),
    stack=st.sampled_from([*STACKS, ""]),
    message=st.text(max_size=3),
)
directives = st.builds(
    Directive,
    stack=st.sampled_from([*STACKS, "nobody"]),
    path=st.sampled_from(["", "g", "web"]),
    what=st.sampled_from(["size", "taint"]),
    value=st.none() | numbers,
    who=st.text(max_size=3),
)
rulings = st.builds(
    Ruling, st.sampled_from("pq"), st.sampled_from("123"), st.sampled_from(["adopted", "disowned"])
)
heads = st.builds(
    Stack,
    id=st.just("?"),
    project=st.just("other"),
    name=st.just("other"),
    generation=numbers,
    settled=numbers,
    phase=st.sampled_from(Phase),
    why=st.text(max_size=3),
    ready=numbers,
)


def few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=3).map(tuple)


uses = st.builds(
    Use,
    st.sampled_from(["r", "g/0", ""]),
    st.builds(Name, st.just("default"), st.sampled_from(NAMES), st.sampled_from(["x", ""])),
    st.sampled_from([(), (1,), (Secret("s"),)]),
)
generations = st.builds(
    lambda number, restores, deleting, outputs, declared: msgspec.structs.replace(
        a_generation(
            restores=restores,
            deleting=deleting,
            graph=Graph(outputs=dict.fromkeys(outputs, Output(1)), uses=declared),
        ),
        number=number,
    ),
    st.integers(1, 6),
    numbers,
    st.booleans(),
    st.sets(st.sampled_from("xy")),
    few(uses),
)
commits = st.builds(
    Commit,
    stack=st.sampled_from([*STACKS, "nobody"]),
    epoch=st.integers(1, 2),
    upserts=few(records),
    removals=few(st.tuples(st.sampled_from(["u1", "u2", "u3"]), numbers)),
    events=few(events),
    rulings=few(rulings),
    unrulings=few(st.tuples(st.sampled_from("pq"), st.sampled_from("123"))),
    head=st.none() | heads,
    settled=numbers,
    settled_at=st.floats(1, 100),
    failed=st.none() | st.tuples(numbers, st.text(max_size=3)),
    generation=st.none() | generations,
    gone=st.booleans(),
    synced=st.sampled_from([False, False, True]),
    exports=st.none()
    | st.dictionaries(st.sampled_from("xy"), st.integers(0, 3) | st.just(Secret("s")), max_size=2),
    uses=st.none() | few(uses),
)
scopes = st.sampled_from([f"stack:{stack}" for stack in STACKS])
holders = st.sampled_from(["one", "two"])


class Move:
    """One call, the same for every store, as data."""

    def __init__(self, name: str, *values: Any, seconds: float = 0.0, **named: Any) -> None:
        self.name, self.values, self.seconds, self.named = name, values, seconds, named

    async def made(self, store: Store, clock: HandClock) -> Any:
        """What the call gave, or the name of its error."""
        clock.time += self.seconds
        try:
            return await getattr(store, self.name)(*self.values, **self.named)
        except TerraceError as error:
            return (type(error), error.message)

    def __repr__(self) -> str:
        return f"{self.name}({self.values}, {self.named}) after {self.seconds}"


def acquire(scope: str, holder: str, seconds: float) -> Move:
    return Move("acquire", scope, holder, 10.0, seconds=seconds)


def release(scope: str, holder: str, epoch: int) -> Move:
    return Move("release", Lease(scope, holder, epoch, 0.0))


moves = st.one_of(
    st.builds(
        lambda name, generation, expected, force: Move(
            "save_generation", a_stack(name), generation, expected, force=force
        ),
        st.sampled_from(NAMES),
        generations,
        st.none() | numbers,
        st.booleans(),
    ),
    st.lists(commits, min_size=1, max_size=3).map(lambda batch: Move("commit", batch)),
    st.lists(commits, min_size=1, max_size=3).map(lambda batch: Move("commit", batch)),
    st.builds(acquire, scopes, holders, st.sampled_from([0.0, 5.0, 20.0])),
    st.builds(release, scopes, holders, st.integers(1, 2)),
    few(events).map(lambda told: Move("publish", told)),
    st.sampled_from(STACKS).map(lambda stack: Move("bump_retries", stack)),
    st.lists(directives, min_size=1, max_size=3).map(lambda batch: Move("direct", batch)),
    st.sampled_from(STACKS).map(lambda stack: Move("mark_forget", stack)),
    st.builds(
        lambda before, events_kept, kept: Move(
            "prune", events_before=before, events_kept=events_kept, generations_kept=kept
        ),
        st.floats(0, 100),
        st.integers(0, 6),
        st.integers(0, 3),
    ),
)
OPENING = [
    *(Move("save_generation", a_stack(name), a_generation(), None) for name in NAMES),
    *(Move("acquire", f"stack:{stack}", "one", 10.0) for stack in STACKS),
]


async def shown(store: Store) -> dict[str, Any]:
    """All that can be seen of a store."""
    seen: dict[str, Any] = {"stacks": await store.stacks(), "default": await store.stacks("default")}
    for stack in STACKS:
        light = await store.generations(stack)
        seen[stack] = {
            "stack": await store.stack(stack),
            "generations": light,
            "whole": [await store.generation(stack, generation.number) for generation in light],
            "records": await store.records(stack),
            "directives": await store.directives(stack),
            "exports": await store.exports(stack),
            "uses": await store.uses(stack),
            "imports": await store.imports(
                stack, [Name("default", name, x) for name in NAMES for x in ("x", "")]
            ),
            "pages": [await paged(store, stack, under, 2) for under in ("", "g", "g/10", "web")],
            "events": await store.events(stack=stack, newest=True, limit=3),
        }
    seen["readers"] = [await store.readers("default", name) for name in NAMES]
    seen["events"] = await store.events()
    seen["middle"] = await store.events(after=2, limit=2)
    seen["newest"] = await store.events(newest=True, limit=2)
    seen["rulings"] = [await store.rulings(provider) for provider in "pq"]
    owners = [Owner("i", uid, incarnation) for uid in ("u1", "u2", "u3") for incarnation in range(5)]
    seen["known"] = sorted(await store.known(owners))
    return seen


async def paged(store: Store, stack: str, under: str, limit: int) -> list[Any]:
    found: list[Any] = []
    while rows := await store.record_page(
        stack, under=under, after=found[-1].cursor if found else "", limit=limit
    ):
        found += rows
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(moves, max_size=12))
def test_memory_and_sqlite_show_the_same(asked: list[Move]) -> None:
    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            memory_clock, file_clock = HandClock(), HandClock()
            memory = MemoryStore(FlippedSecrets(), memory_clock)
            file = SqliteStore(Path(folder) / "terrace.db", FlippedSecrets(), file_clock)
            await file.open()
            try:
                for move in [*OPENING, *asked]:
                    # As text: a number that is none (nan) differs from itself.
                    assert repr(await move.made(memory, memory_clock)) == repr(
                        await move.made(file, file_clock)
                    )
                    assert repr(await shown(memory)) == repr(await shown(file))
            finally:
                await file.close()

    asyncio.run(compare())


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, max_size=15))
def test_a_crash_goes_back_to_the_last_synced_write(asked: list[Move]) -> None:
    async def compare() -> None:
        clock = HandClock()
        store = MemoryStore(FlippedSecrets(), clock)
        durable = await shown(store)
        for move in [*OPENING, *asked]:
            synced = move.name in ("save_generation", "bump_retries", "direct", "mark_forget") or (
                move.name == "commit" and any(commit.synced for commit in move.values[0])
            )
            result = await move.made(store, clock)
            refused = isinstance(result, tuple)
            if synced and not refused:
                durable = await shown(store)
        store.crash()
        assert repr(await shown(store)) == repr(durable)

    asyncio.run(compare())
