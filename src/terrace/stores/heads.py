"""How a stack's row and its list of generations change: the same for every store."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from terrace.errors import ConflictError, NotFoundError
from terrace.model.catalogue import Offer
from terrace.model.spec.quota import Amounts, larger, over, shortages
from terrace.model.stack import Generation, Phase, Stack


def desired(present: Stack | None, stack: Stack, generation: Generation, expected: int | None) -> Stack:
    """The row after people asked for `generation`; ConflictError when `expected` is not the newest number.
    What was given up (`forget`) is so only for the deletion it was said of."""
    newest = present.generation if present else 0
    if expected is not None and expected != newest:
        raise ConflictError(
            f"stack {stack.name} has changed: generation {newest} is the newest, not {expected}"
            if newest and expected
            else f"stack {stack.name} {'already exists' if newest else 'does not exist'}",
            hint="Look at it again (terrace status), then repeat.",
        )
    phase = Phase.DELETING if generation.deleting else Phase.SETTLING
    if present is None:
        created = stack.created or generation.created
        return msgspec.structs.replace(
            stack, generation=1, settled=0, phase=phase, created=created, updated=generation.created
        )
    return msgspec.structs.replace(
        present,
        generation=newest + 1,
        phase=phase,
        why=present.why if present.phase is phase else "",
        since=present.since if present.phase is phase else generation.created,
        updated=generation.created,
        description=stack.description,
        forget=present.forget and generation.deleting,
    )


def check_name(stack: Stack, holder: Stack | None, name: str) -> None:
    """ConflictError when `holder`, another stack, has the name already."""
    if holder is not None and holder.id != stack.id:
        raise ConflictError(
            f'there is a stack "{name}" already', code="name-taken", hint="choose another name: terrace list"
        )


def reserved(
    row: Stack, generation: Generation, limits: Amounts, holds: tuple[Amounts, Amounts], *, fresh: bool
) -> Amounts | None:
    """What a stack holds of its project's quota once people asked for `generation` (None: as before): what it takes,
    besides what it holds. `holds`: what the stack and what the whole project hold now, where a `fresh` stack counts
    already. QuotaError when the project does not have that much; ConflictError when the generation was not counted,
    since there were no limits when it was made."""
    before, used = holds
    usage = {} if generation.deleting else generation.usage
    if usage is None:
        if limits:
            raise ConflictError("the project has got a quota meanwhile", hint="ask again")
        return None
    after = larger(before, usage)
    if limits:
        own = before if fresh else {**before, "stacks": 1}
        others = {**used, "stacks": used.get("stacks", 0) - (1 if fresh else 0)}
        short = shortages(limits, others, own, {**after, "stacks": 1})
        if short and not generation.deleting:
            raise over(row.project, short)
    return after


def check_offer(generation: Generation, version: int) -> None:
    """ConflictError when a generation was checked against other flavors than the project may use by now."""
    if not generation.deleting and generation.offer != version:
        raise ConflictError("which flavors the project may use has changed meanwhile", hint="ask again")


def flavor_gone(offer: Offer, name: str, users: Sequence[str]) -> Offer:
    """What a project may use once a flavor of its own is taken away. NotFoundError when it has none of that name,
    ConflictError while stacks use it."""
    if name not in offer.own:
        raise NotFoundError(
            f'the project has no flavor "{name}" of its own', hint="terrace flavor list --project PROJECT"
        )
    if users:
        shown = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
        raise ConflictError(
            f'flavor "{name}" is in use by {shown}',
            code="flavor-in-use",
            hint="change what they use first; with --force what stands keeps its size",
        )
    own = {key: one for key, one in offer.own.items() if key != name}
    allowed = offer.allowed and tuple(one for one in offer.allowed if one != name)
    return msgspec.structs.replace(offer, own=own, allowed=allowed)


def observed(present: Stack, head: Stack | None, settled: int) -> Stack:
    """The row after a turn of the engine that saw `head` and settled generation `settled` (0: none).
    What people own stays; the phase is that of the newest generation, an older one's is not taken."""
    last = max(present.settled, settled)
    if head is None:
        return msgspec.structs.replace(present, settled=last)
    known = head if head.generation >= present.generation else present
    return msgspec.structs.replace(
        present,
        settled=max(last, head.settled),
        phase=known.phase,
        why=known.why,
        since=known.since,
        total=head.total,
        ready=head.ready,
        failing=head.failing,
    )


def surplus(generations: Sequence[tuple[int, int]], settled: int, kept: int) -> list[int]:
    """Which of a stack's generations, given as (number, number it restores), may be dropped so that there
    stay the newest `kept`, the last `settled` one, and those that one of them restores."""
    numbers = sorted((number for number, _ in generations), reverse=True)
    restores = dict(generations)
    staying = set(numbers[: max(kept, 1)]) | {settled}
    queue = list(staying)
    while queue:
        older = restores.get(queue.pop(), 0)
        if older and older not in staying:
            staying.add(older)
            queue.append(older)
    return [number for number in numbers if number not in staying]
