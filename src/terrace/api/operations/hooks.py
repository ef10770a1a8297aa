"""/v1/projects/{project}/stacks/{stack}/hooks: what waits for a person."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, read, takes
from terrace.api.edge.pages import PAIR, Paged
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
from terrace.api.views import Page, StackView
from terrace.services.operations.hooks import Held

router = APIRouter(tags=["operations"])
HELD = {"path": "web", "hook": "pre-create", "since": 1767225600.0}
Hook = Literal["pre-create", "post-create", "pre-update", "post-update", "pre-delete", "post-delete"]
Hooks = Annotated[Hook | None, Query(description="Only what this one holds", examples=["pre-delete"])]


class ClearBody(msgspec.Struct, forbid_unknown_fields=True):
    """`path` of the resource that `hook` holds."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    hook: Hook


@router.get(
    STACK + "/hooks",
    responses=gives(
        Page[Held], "What is held, by path", example={"items": [HELD], "next": None}, fails=[404]
    ),
)
async def list_hooks(at: At, services: Uses, caller: Caller, page: Paged, hook: Hooks = None) -> Response:
    """Resources that a hook of the environment holds now."""
    wanted = (one for one in await services.hooks.listing(caller, at) if hook in (None, one.hook))
    return page.cut(wanted, lambda one: (one.path, one.hook), PAIR)


@router.post(
    STACK + "/hooks/clear",
    openapi_extra=takes(ClearBody, {"path": "web", "hook": "pre-create"}),
    responses=gives(StackView, "The stack, as it then is", example=EXAMPLE, fails=[404]),
)
async def clear_hook(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Lets what the hook holds go on, this time. 404 when that hook does not hold it."""
    body = await read(request, ClearBody)
    return stack_answer(await services.hooks.clear(caller, at, body.path, body.hook))
