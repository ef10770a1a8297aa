"""The chapters of scenario 4: a stack that reads outputs of another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.errors import ConflictError
from terrace.kinds import complete
from terrace.model.graph import Graph, Node, Output
from terrace.model.record import Record
from terrace.model.value import Ref, Secret
from terrace.ports.driver import Capabilities
from tests.scenarios.design import IMAGES
from tests.scenarios.harness import Simulation

ABLE = Capabilities(kinds=frozenset({"Machine"}))


def machine(path: str, **properties: Any) -> Node:
    """A machine."""
    return Node(path, "Machine", {"image": IMAGES[0], "memory": 64, **properties})


def network(image: str = IMAGES[0], **outputs: Any) -> Graph:
    """The stack that is read: it exports the id of a machine, and a word that is hidden."""
    given = {"id": Ref("gate", ("id",)), "word": Secret("hush"), **outputs}
    nodes = (machine("gate", image=image), Node("noise", "RandomString", {"length": 8}))
    return Graph(nodes, outputs={name: Output(value) for name, value in given.items()})


def reader(*outputs: str, of: str = "net") -> Graph:
    """A stack that reads outputs of another, with machines that are told them."""
    read = [Node(name, "StackOutput", {"stack": of, "output": name}) for name in outputs]
    told = [machine(f"m-{name}", environment={"SEEN": Ref(name, ("value",))}) for name in outputs]
    return complete(Graph((*read, *told)), lambda provider: ABLE)


async def of(simulation: Simulation, stack: str, path: str) -> Record:
    """The record of a resource."""
    found = await simulation.find(stack)
    assert found is not None
    return next(record for record in await simulation.store.records(found.id) if record.path == path)


async def value(simulation: Simulation, path: str) -> Any:
    """What a resource of the reader has read."""
    seen = (await of(simulation, "app", path)).seen
    return seen.attributes["value"] if seen is not None else None


async def machines(simulation: Simulation) -> dict[str, str]:
    """The ids of the reader's machines that there are, by path."""
    stack = await simulation.find("app")
    assert stack is not None
    found = await simulation.store.records(stack.id)
    return {one.path: one.provider_id for one in found if one.kind == "Machine" and one.provider_id}


async def caught_up(simulation: Simulation) -> None:
    """All is settled, and the reader has read the id as it now is."""
    await simulation.until_settled()
    gate = (await of(simulation, "net", "gate")).provider_id

    async def holds() -> bool:
        return bool(await value(simulation, "id") == gate)

    await simulation.until(holds)
    await simulation.until_settled()


async def it_waits_and_follows(simulation: Simulation) -> None:
    """A reader may come first; it follows each change, and so does what hangs on it."""
    await simulation.apply("app", reader("id", "word"))
    await asyncio.sleep(60)
    assert (await of(simulation, "app", "id")).why == 'waiting for output "id" of stack "net": not there'
    await simulation.apply("net", network())
    await caught_up(simulation)
    assert await value(simulation, "word") == Secret("hush")
    before = await machines(simulation)
    await simulation.apply("net", network(IMAGES[1]))
    await caught_up(simulation)
    after = await machines(simulation)
    assert after["m-id"] != before["m-id"]
    assert after["m-word"] == before["m-word"]


async def what_is_in_use_is_refused(simulation: Simulation) -> None:
    """Refused whole, with the readers named, and nothing has moved."""
    with pytest.raises(ConflictError, match="net is in use by app"):
        await simulation.down("net")
    with pytest.raises(ConflictError, match="id, word of net is in use by app"):
        await simulation.apply("net", replace(network(IMAGES[1]), outputs={}))
    with pytest.raises(ConflictError, match="net -> app -> net"):
        await simulation.apply("net", reader("id", of="app"))
    stack = await simulation.find("net")
    assert stack is not None
    assert (stack.phase, stack.generation) == ("settled", 2)


async def forced_it_goes_and_readers_keep_what_they_had(simulation: Simulation) -> None:
    """It goes, also when the power fails meanwhile; the reader says what happened, and stays settled."""
    before, read = await machines(simulation), await value(simulation, "id")
    await simulation.down("net", force=True)
    await simulation.kill(simulation.processes[0], power=True)
    await simulation.start("two")
    await simulation.until_settled()
    assert await simulation.find("net") is None
    kept = await of(simulation, "app", "id")
    assert kept.state == "ready"
    assert kept.why.startswith('export gone: output "id" of stack "net"')
    assert await value(simulation, "id") == read
    assert await machines(simulation) == before


async def new_uses_wait(simulation: Simulation) -> None:
    """What never had a value waits for it; all else goes on."""
    before = await machines(simulation)
    await simulation.apply("app", reader("id", "word", "other"))
    await asyncio.sleep(120)
    stack = await simulation.find("app")
    assert stack is not None
    assert stack.phase == "settling"
    assert (await of(simulation, "app", "other")).state == "waiting"
    assert await machines(simulation) == before


async def it_is_back_under_its_name(simulation: Simulation) -> None:
    """All follow again."""
    await simulation.apply("net", network(IMAGES[1], other="new"))
    await caught_up(simulation)
    assert (await of(simulation, "app", "id")).why == ""
    assert await value(simulation, "other") == "new"
