"""What stacks read of each other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.contracts.store.samples import Worker, a_generation, a_stack

from terrace.errors import ConflictError
from terrace.model.graph import Found, Graph, Name, Output, Use
from terrace.model.stack import Generation
from terrace.model.value import Secret
from terrace.ports.store import Store


def name(stack: str = "net", output: str = "id") -> Name:
    return Name("default", stack, output)


def giving(*outputs: str, uses: tuple[Use, ...] = (), **more: Any) -> Generation:
    """A generation with such outputs and uses."""
    graph = Graph(outputs=dict.fromkeys(outputs, Output("x")), uses=uses)
    return a_generation(graph=graph, **more)


def reading(*outputs: str, of: str = "net", path: str = "r") -> tuple[Use, ...]:
    """Uses as a template declares them: of the stack's own project."""
    return tuple(Use(path, Name("", of, output)) for output in outputs)


async def exporting(store: Store, **values: Any) -> Worker:
    """A stack "net" that exports values."""
    stack = await store.save_generation(a_stack("net"), giving(*values), None)
    lease = await store.acquire(f"stack:{stack.id}", "one", 10.0)
    assert lease is not None
    worker = Worker(store, stack, lease)
    assert await worker.write(head=stack, exports=values)
    return worker


async def say(worker: Worker, **more: Any) -> None:
    """A commit by a worker that knows the newest generation."""
    head = await worker.store.stack(worker.stack.id)
    assert await worker.write(head=head, **more)


class TestExports:
    async def test_what_is_exported_is_found_by_name(self, store: Store) -> None:
        net = await exporting(store, id="n-1", open=True)
        reader = await Worker.of(store, "app")
        assert await store.exports(net.stack.id) == {"id": "n-1", "open": True}
        found = await store.imports(reader.stack.id, [name(), name(output="cidr"), name("nowhere")])
        assert [one.value for one in found] == [("n-1",), (), ()]
        assert [bool(one.why) for one in found] == [False, True, True]
        assert await store.imports(reader.stack.id, [name(output="")]) == [
            Found(name(output=""), ({"id": "n-1", "open": True},))
        ]

    async def test_a_commit_replaces_all_and_none_leaves_them(self, store: Store) -> None:
        net = await exporting(store, id="n-1", open=True)
        await say(net)
        assert await store.exports(net.stack.id) == {"id": "n-1", "open": True}
        await say(net, exports={"id": None})
        assert await store.exports(net.stack.id) == {"id": None}

    async def test_a_secret_stays_one(self, store: Store) -> None:
        net = await exporting(store, password=Secret("hush"))
        reader = await Worker.of(store, "app")
        (found,) = await store.imports(reader.stack.id, [name(output="password")])
        assert found.value == (Secret("hush"),)
        await say(reader, uses=(Use("r", name(output="password"), (Secret("hush"),)),))
        assert (await store.uses(reader.stack.id))[0].kept == (Secret("hush"),)
        assert await store.exports(net.stack.id) == {"password": Secret("hush")}

    async def test_a_turn_of_an_older_generation_says_nothing_of_them(self, store: Store) -> None:
        net = await exporting(store, id="n-1")
        old = net.stack
        await store.save_generation(a_stack("net"), giving("id"), None)
        assert await net.write(head=old, exports={"id": "n-0"}, uses=(Use("r", name("far")),))
        assert await store.exports(net.stack.id) == {"id": "n-1"}
        assert await store.uses(net.stack.id) == []

    async def test_another_project_is_another_world(self, store: Store) -> None:
        await exporting(store, id="n-1")
        other = await store.save_generation(a_stack("app", "other"), a_generation(), None)
        (found,) = await store.imports(other.id, [Name("other", "net", "id")])
        assert found.value == ()

    async def test_they_go_with_their_stack(self, store: Store) -> None:
        net = await exporting(store, id="n-1")
        reader = await Worker.of(store, "app")
        await store.save_generation(a_stack("net"), giving(deleting=True), None)
        await say(net, gone=True)
        assert await store.exports(net.stack.id) == {}
        (found,) = await store.imports(reader.stack.id, [name()])
        assert found.value == ()


class TestUses:
    async def test_a_generation_declares_them_and_what_was_read_stays(self, store: Store) -> None:
        stack = await store.save_generation(a_stack("app"), giving(uses=reading("id")), None)
        assert await store.uses(stack.id) == [Use("r", name())]
        assert await store.readers("default", "net") == [stack.id]
        lease = await store.acquire(f"stack:{stack.id}", "one", 10.0)
        assert lease is not None
        app = Worker(store, stack, lease)
        await say(app, uses=(Use("g/0", name(output="x"), (7,)), Use("r", name(), ("n-1",))))
        await store.save_generation(a_stack("app"), giving(uses=reading("id", "cidr")), None)
        assert await store.uses(stack.id) == [
            Use("g/0", name(output="x"), (7,)),
            Use("r", name(output="cidr")),
            Use("r", name(), ("n-1",)),
        ]

    async def test_what_a_generation_does_not_declare_ends_at_once(self, store: Store) -> None:
        await exporting(store, id="n-1")
        stack = await store.save_generation(a_stack("app"), giving(uses=reading("id")), None)
        await store.save_generation(a_stack("app"), giving(), None)
        assert await store.uses(stack.id) == []
        assert await store.readers("default", "net") == []
        await store.save_generation(a_stack("net"), giving(deleting=True), None)

    async def test_a_deletion_ends_all(self, store: Store) -> None:
        await exporting(store, id="n-1")
        stack = await store.save_generation(a_stack("app"), giving(uses=reading("id")), None)
        await store.save_generation(a_stack("app"), giving(deleting=True), None)
        assert await store.uses(stack.id) == []
        await store.save_generation(a_stack("net"), giving(deleting=True), None)

    async def test_a_rollback_by_the_engine_declares_them_too(self, store: Store) -> None:
        app = await Worker.of(store, "app")
        await say(app, generation=msgspec.structs.replace(giving(uses=reading("id")), number=2))
        assert await store.uses(app.stack.id) == [Use("r", name())]


class TestRefused:
    async def test_deleting_what_is_in_use_names_the_readers(self, store: Store) -> None:
        net = await exporting(store, id="n-1")
        for reader in ("app", "web"):
            await store.save_generation(a_stack(reader), giving(uses=reading("id")), None)
        with pytest.raises(ConflictError, match="net is in use by app, web") as refused:
            await store.save_generation(a_stack("net"), giving(deleting=True), None)
        assert refused.value.code == "export-in-use"
        with pytest.raises(ConflictError, match="net is in use by app, web"):
            await store.hinder(net.stack, giving(deleting=True))
        await store.hinder(net.stack, giving(deleting=True), force=True)
        await store.hinder(net.stack, giving("id"))
        assert (await store.stack(net.stack.id)) == net.stack
        assert len(await store.generations(net.stack.id)) == 1
        going = await store.save_generation(a_stack("net"), giving(deleting=True), None, force=True)
        assert going.generation == 2

    async def test_an_output_in_use_is_not_left_out(self, store: Store) -> None:
        await exporting(store, id="n-1", cidr="10.0.0.0/24")
        await store.save_generation(a_stack("app"), giving(uses=reading("id")), None)
        await store.save_generation(a_stack("net"), giving("id"), None)
        with pytest.raises(ConflictError, match="id of net is in use by app"):
            await store.save_generation(a_stack("net"), giving("cidr"), None)

    async def test_what_was_never_there_is_not_in_use(self, store: Store) -> None:
        await exporting(store, id="n-1")
        await store.save_generation(a_stack("app"), giving(uses=reading("later")), None)
        await store.save_generation(a_stack("net"), giving(deleting=True), None)

    async def test_a_whole_stack_in_use_stays(self, store: Store) -> None:
        await exporting(store)
        await store.save_generation(a_stack("app"), giving(uses=reading("")), None)
        with pytest.raises(ConflictError, match="in use by app"):
            await store.save_generation(a_stack("net"), giving(deleting=True), None)

    async def test_a_circle(self, store: Store) -> None:
        await store.save_generation(a_stack("a"), giving("x", uses=reading("x", of="b")), None)
        await store.save_generation(a_stack("b"), giving("x", uses=reading("x", of="c")), None)
        with pytest.raises(ConflictError, match="c -> a -> b -> c") as refused:
            await store.save_generation(a_stack("c"), giving("x", uses=reading("x", of="a")), None)
        assert refused.value.code == "circular-stacks"
        with pytest.raises(ConflictError, match="c -> a -> b -> c"):
            await store.hinder(a_stack("c"), giving("x", uses=reading("x", of="a")), force=True)
        assert await store.find_stack("default", "c") is None
        with pytest.raises(ConflictError, match="d -> d"):
            await store.save_generation(a_stack("d"), giving(uses=reading("x", of="d")), None, force=True)

    async def test_a_circle_that_only_shows_later_is_found_when_it_is_read(self, store: Store) -> None:
        b = await exporting(store, id="n-1")
        a = await Worker.of(store, "app")
        await say(a, uses=(Use("g/0", name()),))
        await say(b, uses=(Use("g/0", name("app")),))
        (found,) = await store.imports(a.stack.id, [name()])
        assert found.value == ()
        assert "app -> net -> app" in found.why
