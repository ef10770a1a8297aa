"""What people ask of a store."""

from __future__ import annotations

import msgspec
import pytest
from tests.contracts.store.samples import (
    Worker,
    a_generation,
    a_record,
    a_stack,
)

from terrace.errors import ConflictError, InvariantError, SpecError
from terrace.model.graph import Graph, Node
from terrace.model.seen import Owner
from terrace.model.stack import Directive, Phase, Source
from terrace.model.value import Call, Ref, Secret
from terrace.ports.store import Store


class TestDesired:
    async def test_first_generation_makes_the_stack(self, store: Store) -> None:
        saved = await store.save_generation(a_stack(description="a shop"), a_generation(), 0)
        assert (saved.generation, saved.settled, saved.phase) == (1, 0, Phase.SETTLING)
        assert (saved.created, saved.updated, saved.description) == (1000.0, 1000.0, "a shop")
        assert saved == await store.stack(saved.id) == await store.find_stack("default", "shop")

    async def test_numbers_only_rise_whatever_the_caller_says(self, store: Store) -> None:
        for number in (1, 2, 3):
            generation = msgspec.structs.replace(a_generation(), number=77)
            saved = await store.save_generation(a_stack(), generation, None)
            assert saved.generation == number
        assert [g.number for g in await store.generations(saved.id)] == [3, 2, 1]

    async def test_an_older_expectation_conflicts_and_writes_nothing(self, store: Store) -> None:
        saved = await store.save_generation(a_stack(), a_generation(), 0)
        saved = await store.save_generation(a_stack(), a_generation(), 1)
        for expected in (0, 1, 3):
            with pytest.raises(ConflictError):
                await store.save_generation(a_stack(), a_generation(), expected)
        assert await store.stack(saved.id) == saved
        assert len(await store.generations(saved.id)) == 2

    async def test_expecting_a_stack_that_is_not_there_conflicts(self, store: Store) -> None:
        with pytest.raises(ConflictError, match="does not exist"):
            await store.save_generation(a_stack(), a_generation(), 1)
        assert await store.stacks() == []

    async def test_the_name_decides_which_stack_it_is(self, store: Store) -> None:
        first = await store.save_generation(a_stack(), a_generation(), None)
        other = msgspec.structs.replace(a_stack(description="new words"), id="another")
        second = await store.save_generation(other, a_generation(), None)
        assert (second.id, second.generation, second.description) == (first.id, 2, "new words")

    async def test_who_works_on_it_reads_all_of_it_at_once(self, store: Store) -> None:
        assert await store.desired("default", "nobody") is None
        saved = await store.save_generation(a_stack(), a_generation(), None)
        size = Directive(saved.id, "web", "size", 3)
        await store.direct([size, Directive("another", "web", "size", 4)])
        found = await store.desired(saved.project, saved.id)
        assert found is not None
        assert (found.stack, found.directives) == (await store.stack(saved.id), (size,))
        assert found.granted == await store.granted(saved.project, saved.id)

    async def test_an_id_is_never_shared(self, store: Store) -> None:
        await store.save_generation(a_stack(), a_generation(), None)
        with pytest.raises(InvariantError):
            await store.save_generation(msgspec.structs.replace(a_stack(), name="two"), a_generation(), None)

    async def test_a_new_wish_keeps_what_was_observed(self, store: Store) -> None:
        worker = await Worker.of(store)
        head = msgspec.structs.replace(worker.stack, phase=Phase.SETTLED, why="all is well", ready=3, total=3)
        await worker.write(head=head, settled=1, settled_at=1500.0)
        saved = await store.save_generation(a_stack(), a_generation(created=2000.0), 1)
        assert (saved.phase, saved.why, saved.since, saved.updated) == (Phase.SETTLING, "", 2000.0, 2000.0)
        assert (saved.settled, saved.ready, saved.total, saved.created) == (1, 3, 3, 1000.0)

    async def test_giving_up_lasts_as_long_as_the_deletion(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        await store.mark_forget(stack.id)
        going = await store.save_generation(a_stack(), a_generation(deleting=True), None)
        assert (going.forget, going.phase) == (True, Phase.DELETING)
        back = await store.save_generation(a_stack(), a_generation(), None)
        assert (back.forget, back.phase) == (False, Phase.SETTLING)

    async def test_retries_are_counted(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        await store.bump_retries(stack.id)
        await store.bump_retries(stack.id)
        await store.bump_retries("nobody")
        await store.mark_forget("nobody")
        assert await store.stack(stack.id) == msgspec.structs.replace(stack, retries=2)

    async def test_a_generation_comes_back_whole(self, store: Store) -> None:
        value = {"a": [1, "x", None, 2.5], "b": Ref("db", ("ip", 0)), "c": Call("join", (",", [Ref("db")]))}
        wanted = a_generation(
            graph=Graph((Node("web", "Machine", {**value, "password": Secret({"deep": ["x"]})}),)),
            source=Source("t.yaml", {"t.yaml": "text"}, ("e.yaml",), {"pw": Secret("hunter2")}),
            parameters={"pw": Secret("hunter2"), "size": 3},
            who="ann",
            timeout=60.0,
        )
        stack = await store.save_generation(a_stack(), wanted, None)
        assert await store.generation(stack.id, 1) == msgspec.structs.replace(wanted, number=1)
        (light,) = await store.generations(stack.id)
        assert (light.graph, light.source, light.who) == (Graph(), Source(""), "ann")
        assert light.parameters == wanted.parameters
        assert await store.generation(stack.id, 2) is None
        assert await store.generation("nobody", 1) is None

    async def test_what_cannot_be_stored_is_refused_whole(self, store: Store) -> None:
        with pytest.raises(SpecError):
            await store.save_generation(a_stack(), a_generation(parameters={"n": 2**70}), None)
        with pytest.raises(InvariantError):
            await store.save_generation(a_stack(), a_generation(parameters={"n": object()}), None)
        assert await store.stacks() == []

    async def test_stacks_are_listed_by_name(self, store: Store) -> None:
        for project, name in (("b", "x"), ("a", "z"), ("a", "y")):
            await store.save_generation(a_stack(name, project), a_generation(), None)
        assert [s.name for s in await store.stacks()] == ["y", "z", "x"]
        assert [s.name for s in await store.stacks("a")] == ["y", "z"]
        assert await store.stacks("c") == []
        assert await store.find_stack("b", "y") is None
        assert await store.stack("nobody") is None


class TestDirectives:
    async def test_the_newest_of_a_path_and_name_stands(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        first = Directive(stack.id, "group", "size", 3, "ada", "a quiet night", 1000.0)
        await store.direct([first, Directive(stack.id, "web", "taint", 1)])
        await store.direct([msgspec.structs.replace(first, value={"size": 5}, who="policy")])
        found = await store.directives(stack.id)
        assert [(one.path, one.what, one.value, one.who) for one in found] == [
            ("group", "size", {"size": 5}, "policy"),
            ("web", "taint", 1, ""),
        ]

    async def test_none_takes_it_away(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        await store.direct([Directive(stack.id, "", "suspended", True), Directive(stack.id, "a", "size", 1)])
        await store.direct([Directive(stack.id, "", "suspended"), Directive(stack.id, "b", "size")])
        assert [one.path for one in await store.directives(stack.id)] == ["a"]

    async def test_they_go_with_their_stack_and_have_no_place_without_one(self, store: Store) -> None:
        worker = await Worker.of(store)
        await store.direct([Directive("nobody", "", "size", 1), Directive(worker.stack.id, "a", "size", 1)])
        assert await store.directives("nobody") == []
        await store.save_generation(worker.stack, a_generation(deleting=True), None)
        await worker.write(gone=True)
        assert await store.directives(worker.stack.id) == []

    async def test_they_belong_to_no_generation(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        await store.direct([Directive(stack.id, "a", "size", 7)])
        await store.save_generation(stack, a_generation(restores=1), None)
        assert [one.value for one in await store.directives(stack.id)] == [7]

    async def test_what_is_secret_lies_sealed_and_comes_back(self, store: Store) -> None:
        stack = await store.save_generation(a_stack(), a_generation(), None)
        await store.direct([Directive(stack.id, "handle", "signal/1", {"data": Secret("hush")})])
        (one,) = await store.directives(stack.id)
        assert one.value["data"].reveal() == "hush"

    async def test_a_new_stack_may_begin_with_what_stands_already(self, store: Store) -> None:
        records = [a_record("web"), a_record("db", uid="u2", incarnation=3)]
        saved = await store.save_generation(a_stack(), a_generation(), 0, records)
        found = {record.path: record for record in await store.records(saved.id)}
        assert found == {record.path: record for record in records}
        with pytest.raises(ConflictError):
            await store.save_generation(a_stack("other"), a_generation(), 5, [a_record("x", uid="u9")])
        assert await store.known([Owner("i", "u9", 1)]) == set()

    async def test_a_stack_gets_another_name(self, store: Store) -> None:
        saved = await store.save_generation(a_stack(), a_generation(), None)
        other = await store.save_generation(a_stack("other"), a_generation(), None)
        with pytest.raises(ConflictError, match="other"):
            await store.rename(saved.id, "other")
        await store.rename(saved.id, "market")
        await store.rename(saved.id, "market")
        await store.rename("nobody", "x")
        assert await store.find_stack("default", "shop") is None
        assert await store.find_stack("default", "market") == msgspec.structs.replace(saved, name="market")
        assert await store.stack(other.id) == other
