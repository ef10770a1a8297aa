"""What may not be between stacks, the same for every store: circles, and the end of an export in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from terrace.errors import ConflictError
from terrace.model.graph import Crossing, Name, Use
from terrace.model.stack import Generation, Stack

Place = tuple[str, str]
SHOWN = 5


def declared(stack: Stack, generation: Generation) -> tuple[Use, ...]:
    """What a generation is known to use before anything of it is evaluated, in the stack's own project."""
    if generation.deleting:
        return ()
    return tuple(
        Use(use.path, Name(use.name.project or stack.project, use.name.stack, use.name.output))
        for use in generation.graph.uses
    )


def outdated(uses: Iterable[Use], declared: Sequence[Use]) -> list[Use]:
    """Which of a stack's uses a new generation ends for sure: those at the top level that it does not declare. What
    is inside a nested template or a group is known once that is evaluated."""
    wanted = {(use.path, use.name) for use in declared}
    return [use for use in uses if "/" not in use.path and (use.path, use.name) not in wanted]


def check_ending(
    stack: Stack, generation: Generation, exported: Iterable[str], users: Iterable[Crossing]
) -> None:
    """ConflictError when `generation` ends an output that another stack uses. `exported` are the outputs that there
    are, `users` what uses this stack."""
    staying = frozenset() if generation.deleting else frozenset(generation.graph.outputs)
    ending = frozenset(exported) - staying
    held = [
        one
        for one in users
        if one.reader != stack.id
        and (one.name.output in ending or (not one.name.output and generation.deleting))
    ]
    if not held:
        return
    readers = sorted({one.stack for one in held})
    outputs = sorted({one.name.output for one in held if one.name.output})
    what = f"{', '.join(outputs)} of " if outputs and not generation.deleting else ""
    rest = f" and {len(readers) - SHOWN} more" if len(readers) > SHOWN else ""
    way = "take it down with --force: they keep what they have" if generation.deleting else "keep the output"
    raise ConflictError(
        f"{what}{stack.name} is in use by {', '.join(readers[:SHOWN])}{rest}",
        code="export-in-use",
        hint=f"change {'that stack' if len(readers) == 1 else 'those stacks'} first, or {way}",
    )


def check_circle(stack: Stack, uses: Sequence[Use], crossings: Iterable[Crossing]) -> None:
    """ConflictError when `uses` close a circle of stacks that wait for each other."""
    chain = circle((stack.project, stack.name), [use.name for use in uses], crossings)
    if chain:
        raise ConflictError(
            f"stacks would use each other's outputs in a circle: {' -> '.join(chain)}",
            code="circular-stacks",
            hint="take one of these references away",
        )


def circle(start: Place, names: Iterable[Name], crossings: Iterable[Crossing]) -> list[str]:
    """The names of stacks on the way from `start` over one of `names` back to it; empty when there is no such
    way."""
    further: dict[Place, set[Place]] = {}
    for one in crossings:
        further.setdefault((one.project, one.stack), set()).add((one.name.project, one.name.stack))
    before: dict[Place, Place] = {}
    waiting: list[Place] = []
    for name in sorted(names):
        place = (name.project, name.stack)
        if place not in before:
            before[place] = start
            waiting.append(place)
    while waiting:
        place = waiting.pop()
        if place == start:
            return _chain(start, before)
        for following in sorted(further.get(place, ())):
            if following not in before:
                before[following] = place
                waiting.append(following)
    return []


def _chain(start: Place, before: dict[Place, Place]) -> list[str]:
    chain, place = [start[1]], before[start]
    while place != start:
        chain.append(place[1])
        place = before[place]
    return [start[1], *reversed(chain[1:]), start[1]]
