"""What must hold once faults have stopped and the system says that it has settled."""

from __future__ import annotations

import asyncio
from collections import Counter

from terrace.model.graph import Keep, Node
from terrace.model.record import Record
from tests.scenarios.design import PROVIDER, Design
from tests.scenarios.harness import BrokenPromise, Simulation

RESYNCS = 5


async def judge(simulation: Simulation, designs: dict[str, Design], foreign: set[str]) -> None:
    """Nothing missing, nothing extra, every plan empty, and quiet."""
    records = await _records(simulation)
    for name, design in designs.items():
        if simulation.wanted.get(name) is not None:
            await _as_wanted(simulation, name, design)
    await _nothing_extra(simulation, records, foreign)
    for name, graph in simulation.wanted.items():
        if graph is None:
            continue
        plan = await simulation.plan(name, graph)
        moving = [item for item in plan.items if item.what != "nothing"]
        if moving:
            raise BrokenPromise(f"the plan of the settled stack {name} is not empty: {moving}")
    _shared(simulation)
    await _quiet(simulation)


def _shared(simulation: Simulation) -> None:
    """Every stack has an engine, and none has more than its share."""
    tables, engines = simulation.store._tables, len(simulation.processes)
    held = Counter(
        lease.holder
        for scope, lease in tables.leases.items()
        if scope.removeprefix("stack:") in tables.stacks
    )
    fair = -(-len(tables.stacks) // engines)
    if held.total() != len(tables.stacks) or any(count > fair for count in held.values()):
        raise BrokenPromise(f"{len(tables.stacks)} stacks and {engines} engines, but they have {dict(held)}")


async def _records(simulation: Simulation) -> list[Record]:
    found = []
    for stack in await simulation.store.stacks():
        found += await simulation.store.records(stack.id)
    return found


async def _as_wanted(simulation: Simulation, name: str, design: Design) -> None:
    stack = await simulation.find(name)
    assert stack is not None
    records = [record for record in await simulation.store.records(stack.id) if record.provider == PROVIDER]
    leaves = design.leaves()
    for path, node in design.nodes.items():
        if node.kind == "AutoScalingGroup":
            leaves |= await _members(simulation, stack.id, path, node)
    paths = Counter(record.path for record in records)
    if set(paths) != set(leaves) or any(count > 1 for count in paths.values()):
        raise BrokenPromise(f"{name}: records {sorted(paths.items())}, wanted {sorted(leaves)}")
    for record in records:
        _one_as_wanted(simulation, record, leaves[record.path])


async def _members(simulation: Simulation, stack: str, path: str, node: Node) -> dict[str, Node]:
    """The members of a group that its alarm scales: as many as the newest word says, whichever they are."""
    records = [one for one in await simulation.store.records(stack) if not one.departing]
    kept = next(one.memory["size"] for one in records if one.path == path)
    said = [
        one.value
        for one in await simulation.store.directives(stack)
        if (one.path, one.what) == (path, "size")
    ]
    if said and said[0]["number"] == kept.get("number", 0) and kept.get("who", "template") != "template":
        kept = said[0]
    members = [one.path for one in records if one.path.startswith(path + "/")]
    wish = max(node.properties["min_size"], min(node.properties["max_size"], kept["size"]))
    if len(members) != wish:
        raise BrokenPromise(f"{path} has {len(members)} members, and should have {wish}: {kept}")
    return dict.fromkeys(members, Node(path, "Machine", node.properties["resource_def"]["properties"]))


def _one_as_wanted(simulation: Simulation, record: Record, node: Node) -> None:
    thing = simulation.world.things.get(record.provider_id)
    if thing is None or thing.owner is None:
        raise BrokenPromise(f"missing: {record.path} {record.provider_id}")
    if (thing.owner.uid, thing.owner.incarnation) != record.key:
        raise BrokenPromise(f"{record.path} refers to a thing of {thing.owner}")
    if node.kind == "Machine":
        if thing.state != "running" or "start" not in thing.parts:
            raise BrokenPromise(f"{record.path} is {thing.state}")
        for field in ("memory", "image"):
            if field in node.properties and thing.properties[field] != node.properties[field]:
                raise BrokenPromise(f"{record.path}: {field} is {thing.properties[field]}")
        if "files" in node.properties and "/etc/told" not in thing.content:
            raise BrokenPromise(f"{record.path} lacks its file")
    if node.kind == "Volume" and thing.properties["size"] != node.properties["size"]:
        raise BrokenPromise(f"{record.path}: size is {thing.properties['size']}")


async def _nothing_extra(simulation: Simulation, records: list[Record], foreign: set[str]) -> None:
    """But for what others made, what was to be kept, and data that came back from the dead."""
    known = {record.provider_id for record in records}
    known |= {ruling.provider_id for ruling in await simulation.store.rulings(PROVIDER)}
    things = simulation.world.things
    extra = [thing for key, thing in things.items() if key not in known and key not in foreign]
    reported = {
        ghost.seen.provider_id
        for process in simulation.processes
        if process.controller is not None
        for ghost in await process.run(process.controller.ghosts())
    }
    back = {entry.provider_id for entry in simulation.world.diary if entry.what == "back"}
    back |= {entry.provider_id for entry in simulation.world.duplicates} | simulation.world.late
    unexplained = [
        thing for thing in extra if thing.kind != "Volume" or thing.provider_id not in reported & back
    ]
    if unexplained:
        raise BrokenPromise(f"extra: {[(thing.provider_id, thing.owner) for thing in unexplained]}")
    lost = foreign - set(things)
    if lost:
        raise BrokenPromise(f"foreign things are gone: {lost}")


async def _quiet(simulation: Simulation) -> None:
    """One listing a resync, however many engines there are, no other request, nothing written."""
    await asyncio.sleep(2)
    world, processes = simulation.world, simulation.processes
    requests, entries = Counter(world.requests), len(world.diary)
    commits = {process.name: process.store_calls.get("commit", 0) for process in processes}
    await asyncio.sleep(RESYNCS * simulation.tuning["resync"])
    asked = world.requests - requests
    limit = RESYNCS + 1
    if set(asked) - {"list"} or asked["list"] > limit or len(world.diary) != entries:
        raise BrokenPromise(f"not quiet: {dict(asked)}, diary {world.diary[entries:]}")
    for process in processes:
        more = process.store_calls.get("commit", 0) - commits[process.name]
        if more:
            raise BrokenPromise(f"{process.name} wrote {more} times although nothing happened")


def kept(node: Node) -> bool:
    """Whether the thing stays when the resource goes."""
    return node.keep is Keep.RETAIN
