"""Ending a change, and other names: /cancel, /moves and /rename of a stack."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, read, takes
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
from terrace.api.views import StackView

router = APIRouter(tags=["operations"])
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class CancelBody(msgspec.Struct, forbid_unknown_fields=True):
    """`rollback`: want the last settled generation again, instead of keeping what is done."""

    rollback: bool = False


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """The resource at `old` will be at `new`."""

    old: Text
    new: Text


class RenameBody(msgspec.Struct, forbid_unknown_fields=True):
    """The new name."""

    name: Text


@router.post(
    STACK + "/cancel",
    openapi_extra=takes(CancelBody, {"rollback": False}),
    responses=gives(StackView, "The stack, with a new generation", example=EXAMPLE, fails=[404, 409]),
)
async def cancel_change(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Ends a change that is under way: what is done is kept, and all else is wanted as it was before. 409 when there is
    none."""
    body = await read(request, CancelBody)
    return stack_answer(await services.changing.cancel(caller, at, rollback=body.rollback))


@router.post(
    STACK + "/moves",
    openapi_extra=takes(MoveBody, {"old": "web", "new": "shop"}),
    responses=gives(StackView, "The stack", example=EXAMPLE, fails=[404, 409]),
)
async def move_resource(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Has the resource at `old` be that at `new`, the same thing, as soon as a template names `new` and no longer
    `old`."""
    body = await read(request, MoveBody)
    return stack_answer(await services.changing.move(caller, at, body.old, body.new))


@router.post(
    STACK + "/rename",
    openapi_extra=takes(RenameBody, {"name": "shop2"}),
    responses=gives(StackView, "The stack under its new name", example=EXAMPLE, fails=[404, 409]),
)
async def rename_stack(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Another name for the stack. Nothing of it changes; OS::stack_name keeps its value until the next change."""
    body = await read(request, RenameBody)
    return stack_answer(await services.changing.rename(caller, at, body.name))
