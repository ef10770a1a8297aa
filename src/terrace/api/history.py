"""/v1/projects/{project}/stacks/{stack}/generations and /rollback."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request, Response

from terrace.api.callers import At, Caller, Expected, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.edge.pages import Paged
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
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
SECOND = {
    "number": 2,
    "created": 1767225600.0,
    "who": "ada",
    "why": "up",
    "settled": 1767225660.0,
    "failed": "",
    "restores": 0,
    "deleting": False,
    "timeout": 3600.0,
    "on_failure": "keep",
}


class RollbackBody(msgspec.Struct, forbid_unknown_fields=True):
    """`to`: the generation to go back to; left out: the newest before the present one that settled."""

    to: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


@router.get(
    STACK + "/generations",
    responses=gives(
        Page[GenerationView],
        "Those that are kept, newest first",
        example={"items": [SECOND], "next": None},
        fails=[404],
    ),
)
async def list_generations(at: At, services: Uses, caller: Caller, page: Paged) -> Response:
    """Without what they were made from."""
    found = await services.history.listing(caller, at)
    return page.cut(found, lambda one: (-one.number,), tuple[int], generation_view)


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
