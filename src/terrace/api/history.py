"""/v1/projects/{project}/stacks/{stack}/generations and /rollback."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response

from terrace.api.callers import At, Caller, Expected, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.stacks import EXAMPLE, STACK, Limit, stack_answer
from terrace.api.views import (
    GenerationView,
    Page,
    PlanView,
    StackView,
    WholeGenerationView,
    generation_view,
    plan_view,
    whole_generation_view,
)

router = APIRouter(tags=["history"])


class RollbackBody(msgspec.Struct, forbid_unknown_fields=True):
    """`to`: the generation to go back to; left out: the newest before the present one that settled."""

    to: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


@router.get(
    STACK + "/generations",
    responses=gives(Page[GenerationView], "Those that are kept, newest first", fails=[404]),
)
async def list_generations(
    at: At, services: Uses, caller: Caller, limit: Limit = 1000, cursor: str = ""
) -> Response:
    """A cursor is the number below which the page begins."""
    below = int(cursor) if cursor.isdecimal() and cursor.isascii() and len(cursor) < 19 else 2**63
    after = [one for one in await services.history.listing(caller, at) if one.number < below]
    more = str(after[limit - 1].number) if len(after) > limit else None
    return answer(Page([generation_view(one) for one in after[:limit]], more))


@router.get(
    STACK + "/generations/{number}", responses=gives(WholeGenerationView, "The generation", fails=[404])
)
async def show_generation(
    at: At, services: Uses, caller: Caller, number: Annotated[int, Path(ge=1, le=2**53)]
) -> Response:
    """With its template and parameters; hidden ones are ******."""
    return answer(whole_generation_view(await services.history.get(caller, at, number)))


@router.post(
    STACK + "/rollback",
    openapi_extra=takes(RollbackBody, {"to": 3}),
    responses=gives(
        (StackView, PlanView),
        "The stack, with a new generation; with `dry_run` the plan",
        example=EXAMPLE,
        fails=[404, 409, 412],
    ),
)
async def rollback_stack(
    request: Request, at: At, services: Uses, caller: Caller, expected: Expected, *, dry_run: bool = False
) -> Response:
    """Wants an earlier generation again: its content becomes a new generation. 409 when there is nothing to
    go back to."""
    body = await read(request, RollbackBody)
    if dry_run:
        return answer(plan_view(await services.history.plan_rollback(caller, at, body.to)))
    return stack_answer(await services.history.rollback(caller, at, body.to, expected))
