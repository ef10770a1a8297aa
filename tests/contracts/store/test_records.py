"""Records: written, listed in pages, found by owner."""

from __future__ import annotations

import msgspec
import pytest
from tests.contracts.store.samples import (
    Worker,
    a_record,
    paths,
)

from terrace.errors import UserError
from terrace.model.record import State
from terrace.model.seen import Owner, Seen
from terrace.model.value import Secret
from terrace.ports.store import Store


class TestRecords:
    async def test_upserts_replace_and_removals_remove(self, store: Store) -> None:
        worker = await Worker.of(store)
        old, new = a_record(incarnation=1), a_record(incarnation=2)
        assert await worker.write(old, new, a_record("db"))
        ready = msgspec.structs.replace(new, state=State.FAILING, memory={"n": [1]}, claims=("name:web",))
        assert await worker.write(ready, removals=(old.key, ("none", 1)))
        assert await store.records(worker.stack.id) == [a_record("db"), ready]

    async def test_a_record_may_be_removed_and_made_in_one_commit(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(a_record())
        await worker.write(a_record(why="again"), removals=(a_record().key,))
        assert [r.why for r in await store.records(worker.stack.id)] == ["again"]

    async def test_stacks_do_not_see_each_others_records(self, store: Store) -> None:
        one, two = await Worker.of(store, "one"), await Worker.of(store, "two")
        await store.commit([one.commit(a_record("a", uid="same")), two.commit(a_record("b", uid="same"))])
        await one.write(removals=(("same", 1),))
        assert await paths(store, one.stack.id) == []
        assert await paths(store, two.stack.id) == ["b"]

    async def test_a_secret_in_a_record_comes_back(self, store: Store) -> None:
        worker = await Worker.of(store)
        record = a_record(seen=Seen("Machine", "id", attributes={"key": Secret("hunter2")}))
        await worker.write(record)
        assert await store.records(worker.stack.id) == [record]

    async def test_what_a_caller_changes_afterwards_is_not_stored(self, store: Store) -> None:
        worker = await Worker.of(store)
        memory = {"n": 1}
        await worker.write(a_record(memory=memory))
        memory["n"] = 2
        (read,) = await store.records(worker.stack.id)
        read.memory["n"] = 3
        assert (await store.records(worker.stack.id))[0].memory == {"n": 1}

    async def test_known_says_which_owners_have_a_record(self, store: Store) -> None:
        one, two = await Worker.of(store, "one"), await Worker.of(store, "two")
        await one.write(a_record("a", 1), a_record("a", 2))
        await two.write(a_record("b", 1))
        owners = [
            Owner("i", "uid-a", 2),
            Owner("i", "uid-a", 3),
            Owner("i", "uid-b", 1),
            Owner("i", "none", 1),
        ]
        assert await store.known(owners) == {("uid-a", 2), ("uid-b", 1)}
        assert await store.known([]) == set()
        assert await store.known([Owner("i", f"uid-{n}", 1) for n in range(1200)]) == set()

    async def test_holders_says_whose_a_uid_is(self, store: Store) -> None:
        one, two = await Worker.of(store, "one"), await Worker.of(store, "two")
        first, second, other = a_record("a", 1), a_record("a", 2), a_record("b", 1)
        await one.write(first, second)
        await two.write(other)
        found = await store.holders(["uid-a", "none", "uid-b"])
        held = [(one.stack.id, first), (one.stack.id, second), (two.stack.id, other)]
        assert sorted(found, key=lambda each: each[1].key) == held
        assert await store.holders([]) == []
        assert await store.holders([f"none-{n}" for n in range(1200)]) == []


class TestPages:
    NAMES = ("web", "web-2", "g", "g/2", "g/10", "g/10/disk", "g/9", "g1", "a_b", "a%")

    async def test_children_follow_their_parent_and_numbers_count(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(*(a_record(name) for name in self.NAMES), a_record("g", 2))
        rows = await store.record_page(worker.stack.id)
        listed = [(row.record.path, row.record.incarnation) for row in rows]
        assert [path for path, _ in listed] == await paths(store, worker.stack.id)
        assert listed[2:8] == [("g", 1), ("g", 2), ("g/2", 1), ("g/9", 1), ("g/10", 1), ("g/10/disk", 1)]
        assert [path for path, _ in listed[8:]] == ["g1", "web", "web-2"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 50])
    async def test_cursors_go_on_where_the_page_ended(self, store: Store, limit: int) -> None:
        worker = await Worker.of(store)
        twins = [a_record("g/02"), a_record("g/2", 2), a_record("g/2", 1, uid="other")]
        await worker.write(*(a_record(name) for name in self.NAMES), *twins)
        found, after = [], ""
        while rows := await store.record_page(worker.stack.id, after=after, limit=limit):
            assert len(rows) <= limit
            found += [row.record for row in rows]
            after = rows[-1].cursor
        assert found == await store.records(worker.stack.id)
        assert len(found) == len(self.NAMES) + 3

    async def test_a_cursor_outlives_its_record(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(a_record("a"), a_record("b"), a_record("c"))
        first, second = await store.record_page(worker.stack.id, limit=2)
        await worker.write(a_record("aa"), removals=(second.record.key,))
        rest = await store.record_page(worker.stack.id, after=second.cursor)
        assert [row.record.path for row in rest] == ["c"]
        rest = await store.record_page(worker.stack.id, after=first.cursor)
        assert [row.record.path for row in rest] == ["aa", "c"]

    async def test_under_is_a_path_not_a_prefix(self, store: Store) -> None:
        worker = await Worker.of(store)
        await worker.write(*(a_record(name) for name in (*self.NAMES, "g/010", "g/010/disk")))
        stack = worker.stack.id

        async def under(path: str, after: str = "") -> list[str]:
            return [row.record.path for row in await store.record_page(stack, under=path, after=after)]

        assert await under("g") == ["g", "g/2", "g/9", "g/010", "g/10", "g/010/disk", "g/10/disk"]
        assert await under("g/10") == ["g/10", "g/10/disk"]
        assert await under("a_") == await under("w") == []
        assert await under("web") == ["web"]
        (first, *_) = await store.record_page(stack, under="g/10")
        assert await under("g/10", first.cursor) == ["g/10/disk"]

    async def test_what_is_not_a_cursor_is_refused(self, store: Store) -> None:
        for text in ("x", "%", "bm90IGpzb24", "WzEsMiwzXQ", "é"):
            with pytest.raises(UserError):
                await store.record_page("any", after=text)
