"""Events and records: only those that are asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.contracts.store.samples import Worker, a_generation, a_record, a_stack, an_event

from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.model.record import Record, State
from terrace.model.seen import Seen
from terrace.ports.store import Store
from terrace.stores.relational.lists import events


class TestEvents:
    TOLD = (
        an_event("stack.settled", 5.0),
        an_event("resource.ready", 6.0, path="web"),
        an_event("resource.failing", 7.0, path="web/0"),
        an_event("resource.failing", 8.0, path='we"b', message='"path":"web" and {"kind":"stack.'),
        an_event("resource.ready", 9.0, path="web2", detail={"where": "web"}),
        an_event("group.scaled", 10.0, path="WEB"),
    )

    @pytest.mark.parametrize(
        ("only", "numbers"),
        [
            (EVERYTHING, [1, 2, 3, 4, 5, 6]),
            (EventFilter(kind="resource"), [2, 3, 4, 5]),
            (EventFilter(kind="resource.failing"), [3, 4]),
            (EventFilter(kind="failing"), []),
            (EventFilter(path="web"), [2, 3]),
            (EventFilter(path='we"b'), [4]),
            (EventFilter(path="web/0", kind="resource.f"), [3]),
            (EventFilter(path="w%"), []),
            (EventFilter(since=8.0), [4, 5, 6]),
            (EventFilter(since=6.5, kind="resource.", path="web"), [3]),
        ],
    )
    @pytest.mark.parametrize("window", [1, 4, 20_000])
    async def test_by_kind_path_and_time(
        self,
        store: Store,
        monkeypatch: pytest.MonkeyPatch,
        only: EventFilter,
        numbers: list[int],
        window: int,
    ) -> None:
        monkeypatch.setattr(events, "WINDOW", window)
        worker = await Worker.of(store)
        told = tuple(msgspec.structs.replace(one, stack=worker.stack.id) for one in self.TOLD)
        await worker.write(events=told)
        for stack in ("", worker.stack.id):
            found = await store.events(stack=stack, only=only)
            assert [one.number for one in found] == numbers
            assert all(only.fits(one) for one in found)
            assert [one.number for one in await store.events(stack=stack, only=only, limit=1)] == numbers[:1]
            newest = await store.events(stack=stack, only=only, limit=1, newest=True)
            assert [one.number for one in newest] == numbers[-1:]
            rest = await store.events(stack=stack, only=only, after=3)
            assert [one.number for one in rest] == [one for one in numbers if one > 3]

    async def test_of_a_project_also_what_its_stacks_said_that_are_gone(self, store: Store) -> None:
        ours = await Worker.of(store)
        gone = await Worker.of(store, "gone")
        other = await store.save_generation(a_stack("else", project="other"), a_generation(), None)
        lease = await store.acquire(f"stack:{other.id}", "one", 10.0)
        assert lease is not None
        theirs = Worker(store, other, lease)

        def said(worker: Worker, kind: str, **more: Any) -> Event:
            return an_event(kind, stack=worker.stack.id, project=worker.stack.project, **more)

        await ours.write(events=(said(ours, "stack.settled"), an_event("stack.old", stack=ours.stack.id)))
        await theirs.write(events=(said(theirs, "stack.settled", message='"project":"default"'),))
        await store.save_generation(gone.stack, a_generation(deleting=True), None)
        await gone.write(events=(said(gone, "stack.gone"),), gone=True)
        await store.publish([an_event("provider.away")])
        assert await store.stack(gone.stack.id) is None

        async def kinds(project: str, **more: Any) -> list[str]:
            only = EventFilter(project, **more)
            return [one.kind for one in await store.events(only=only)]

        assert await kinds("default") == ["stack.settled", "stack.old", "stack.gone"]
        assert await kinds("default", kind="stack.g") == ["stack.gone"]
        assert await kinds("other") == ["stack.settled"]
        assert await kinds("def") == []
        (last,) = await store.events(only=EventFilter("default"), limit=1, newest=True)
        assert last.kind == "stack.gone"


class TestRecords:
    @staticmethod
    def of(path: str, kind: str, state: State, **more: Any) -> Record:
        return msgspec.structs.replace(a_record(path, state=state, **more), kind=kind)

    async def test_by_state_and_kind(self, store: Store) -> None:
        worker = await Worker.of(store)
        looks = Seen("Value", "v", attributes={"value": {"kind": "Machine", "uid": "x"}})
        records = [
            self.of("g", "Group", State.READY),
            *(self.of(f"g/{n}", "Machine", State.FAILING if n % 2 else State.READY) for n in range(6)),
            *(self.of(f"looks-{n}", "Value", State.READY, seen=looks) for n in range(4)),
            self.of("äkind", "Machine", State.READY),
            self.of("z", "Machines", State.FAILING),
        ]
        await worker.write(*records)

        async def found(**wanted: Any) -> list[str]:
            rows = await store.record_page(worker.stack.id, **wanted)
            return [row.record.path for row in rows]

        machines = [*(f"g/{n}" for n in range(6)), "äkind"]
        assert sorted(await found(kind="Machine")) == sorted(machines)
        assert await found(state="failing") == ["g/1", "g/3", "g/5", "z"]
        assert await found(state="failing", kind="Machine") == ["g/1", "g/3", "g/5"]
        assert await found(state="failing", kind="Machine", under="g/3") == ["g/3"]
        assert await found(kind="None") == await found(state="gone") == []
        for limit in (1, 2, 3):
            walked, after = [], ""
            while rows := await store.record_page(
                worker.stack.id, kind="Machine", state="ready", after=after, limit=limit
            ):
                assert len(rows) <= limit
                walked += [row.record.path for row in rows]
                after = rows[-1].cursor
            assert sorted(walked) == ["g/0", "g/2", "g/4", "äkind"]
