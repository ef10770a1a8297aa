"""What a wish takes of its project's quota, and whether it keeps to the flavors that the project may use. Both are seen
from the plan, so from what the engine itself would make."""

from __future__ import annotations

import msgspec

from terrace.engine.quota import COUNTED, unbounded
from terrace.errors import DocumentError, QuotaError
from terrace.kinds.impossible import written
from terrace.model.graph import Graph
from terrace.model.plan import Plan
from terrace.model.spec.quota import RESOURCES, Amounts, larger, over, shortages, total
from terrace.model.stack import Generation, Source, Stack
from terrace.services.flavors.places import flavors
from terrace.services.gate import Surface

MAKING = frozenset({"Group", "AutoScalingGroup", "ResourceChain", "Nested"})
"""Kinds in which what is counted may stand."""


class QuotaLine(msgspec.Struct, frozen=True):
    """A resource that is limited, in its unit (`terrace quota`): how much the stack takes, how much all of the project
    take with it, and how much they may."""

    resource: str
    takes: int
    used: int
    most: int


async def counted(on: Surface, stack: Stack, generation: Generation) -> Generation:
    """The generation with the flavors that it uses and, where its project has limits, with what it takes. QuotaError
    when that is too much, DocumentError when the project may not use what it names."""
    limits = await on.quotas.limits(stack.project) if on.quotas is not None else {}
    usage: Amounts | None = {} if limits else None
    if generation.deleting:
        return msgspec.structs.replace(generation, usage=usage)
    offer = await on.store.offer(stack.project)
    named = _flavors(generation.graph)
    fresh = msgspec.structs.replace(generation, usage=usage, flavors=named, offer=offer.version)
    if not (limits or offer.version) or not _counts(generation.graph):
        return fresh
    plan = await on.controller.plan(stack, generation.graph)
    if limits:
        await _check(on, stack, plan, generation.graph, limits)
        usage = total(plan.takes.values())
    if offer.version:
        keep_to(plan)
    used = tuple(sorted({*named, *plan.flavors}))
    return msgspec.structs.replace(fresh, usage=usage, flavors=used)


def keep_to(plan: Plan) -> None:
    """DocumentError when the plan asks for what the project may not use of flavors."""
    if plan.barred:
        raise DocumentError(flavors(plan.barred.values(), Source("")))


async def outlook(on: Surface, stack: Stack, plan: Plan, graph: Graph) -> tuple[QuotaLine, ...]:
    """What is limited, as it would be with the plan; nothing where nothing is. QuotaError when that is too much,
    DocumentError when the project may not use what it names."""
    if (await on.store.offer(stack.project)).version:
        keep_to(plan)
    limits = await on.quotas.limits(stack.project) if on.quotas is not None else {}
    return await _check(on, stack, plan, graph, limits) if limits else ()


async def _check(
    on: Surface, stack: Stack, plan: Plan, graph: Graph, limits: Amounts
) -> tuple[QuotaLine, ...]:
    assert on.quotas is not None
    for path, names in plan.endless.items():
        if bare := next((name for name in names if name in limits), ""):
            raise QuotaError(
                f"{_named(path, graph)}{unbounded(bare)}",
                code="quota-needs-a-size",
                hint="give the machine a flavor: terrace flavor list",
            )
    used, held = await on.quotas.usage(stack.project), await on.quotas.held(stack.project)
    before = dict(held.get(stack.id, {}))
    if stack.generation:
        before["stacks"] = 1
    wanted = {"stacks": 1}
    for path, amounts in plan.takes.items():
        wanted = total((wanted, amounts))
        if short := shortages(limits, used, before, larger(before, wanted)):
            everything = larger(before, total(({"stacks": 1}, *plan.takes.values())))
            short = shortages(limits, used, before, everything)
            raise over(stack.project, short, _named(path, graph))
    if short := shortages(limits, used, before, larger(before, wanted)):
        raise over(stack.project, short)
    after = larger(before, wanted)
    return tuple(
        QuotaLine(
            name,
            wanted.get(name, 0),
            used.get(name, 0) - before.get(name, 0) + after.get(name, 0),
            limits[name],
        )
        for name in RESOURCES
        if name in limits
    )


def _flavors(graph: Graph) -> tuple[str, ...]:
    """The flavors that a graph names outright."""
    named = {node.properties.get("flavor") for node in written(graph) if node.kind == "Machine"}
    return tuple(sorted(one for one in named if isinstance(one, str) and one))


def _counts(graph: Graph) -> bool:
    """Whether there may be anything in a graph that is counted."""
    return any(node.kind in COUNTED or node.kind in MAKING or node.kind == "Flavor" for node in graph.nodes)


def _named(path: str, graph: Graph) -> str:
    """Where a resource stands: line and name, or those of what it is in."""
    top = path.partition("/")[0]
    place = next((node.place for node in graph.nodes if node.path == top), None)
    where = f"{place.file}:{place.line}: " if place is not None and place.file else ""
    return f'{where}resource "{path}": '
