"""A secret is nowhere in the clear in any file of the state folder."""

from __future__ import annotations

from pathlib import Path

from tests.contracts.store.samples import HandClock, Worker, a_generation, a_record, a_stack

from terrace.model.graph import Blueprint, Graph, Node, Output
from terrace.model.record import Fault, Intent
from terrace.model.seen import Seen
from terrace.model.stack import Source
from terrace.model.step import Verb
from terrace.model.value import Call, Ref, Secret
from terrace.stores.sealing import KeyFile
from terrace.stores.sqlite import SqliteStore

HIDDEN = "correct-horse-battery-staple"


def traces(folder: Path) -> list[str]:
    forms = [HIDDEN.encode(), HIDDEN.encode("utf-16-le"), HIDDEN.encode().hex().encode()]
    return [file.name for file in folder.iterdir() if any(form in file.read_bytes() for form in forms)]


async def test_secrets_lie_sealed(tmp_path: Path) -> None:
    folder, secret = tmp_path / "state", Secret(HIDDEN)
    store = SqliteStore(folder / "terrace.db", KeyFile(folder / "key"), HandClock())
    await store.open()
    worker = await Worker.of(store)
    properties = {"env": {"A": secret, "B": Call("join", (",", [secret, Ref("db", (secret,))]))}}
    generation = a_generation(
        graph=Graph(
            (Node("web", "Machine", properties, metadata={"x": [secret]}),),
            {"b": Blueprint((Node("in", "Machine", properties),), parameters={"p": secret})},
            {"out": Output(secret)},
        ),
        source=Source("t.yaml", {"t.yaml": "text"}, parameters={"pw": secret}),
        parameters={"pw": Secret({"deep": [HIDDEN]})},
    )
    record = a_record(
        applied={"env": secret},
        memory={"m": secret},
        intent=Intent(Verb.CREATE, 1.0),
        fault=Fault("no"),
        seen=Seen("Machine", "id", attributes={"pw": secret}, properties={"env": {"A": secret}}),
    )
    await store.save_generation(a_stack(), generation, None)
    await worker.write(record, synced=True)
    assert traces(folder) == []
    assert "terrace.db-wal" in {file.name for file in folder.iterdir()}
    assert await store.records(worker.stack.id) == [record]
    read = await store.generation(worker.stack.id, 2)
    assert read is not None
    assert (read.graph, read.parameters) == (generation.graph, generation.parameters)
    await store.close()
    assert traces(folder) == []
    (folder / "copy").write_text(HIDDEN)
    assert traces(folder) == ["copy"]
