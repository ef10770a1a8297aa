"""/v1/projects/{project}/stacks/{stack}/signals, /tokens and /sizes: what people say of doors and groups."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.edge.pages import PAIR, Paged
from terrace.api.signals.doors import TAKEN
from terrace.api.stacks import EXAMPLE, STACK
from terrace.api.views import Page, StackView, stack_view
from terrace.services.signals import SignalView, SizeView

router = APIRouter(tags=["signals"])
To = Annotated[
    str,
    Query(pattern=r"^[^\x00]*$", description="Only those to the handle at this path", examples=["handle"]),
]


class RotateBody(msgspec.Struct):
    """`revoke`: the door is closed; without it the door gets another token."""

    revoke: bool = False


class SizeBody(msgspec.Struct):
    """How many members a group is to have, and why, for those who wonder later."""

    size: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    why: Annotated[str, msgspec.Meta(max_length=200)] = ""


CAME = {"path": "handle", "id": "1", "status": "SUCCESS", "reason": "ready", "data": "10", "at": 1767225600.0}
COUNTS = {
    "path": "web",
    "size": 6,
    "who": "ada",
    "why": "terrace scale",
    "at": 1767225600.0,
    "minimum": 1,
    "maximum": 12,
}


@router.get(
    STACK + "/signals",
    responses=gives(
        Page[SignalView],
        "The signals that came, by path and id",
        example={"items": [CAME], "next": None},
        fails=[404],
    ),
)
async def list_signals(at: At, services: Uses, caller: Caller, page: Paged, path: To = "") -> Response:
    """Those that each handle keeps."""
    after = page.after(PAIR, ("", ""))
    found = await services.signals.listing(caller, at, path, after=after, limit=page.more)
    return page.of(found, lambda one: (one.path, one.id))


@router.post(STACK + "/signals/{path:path}", responses=TAKEN)
async def send_signal(request: Request, at: At, path: str, services: Uses, caller: Caller) -> Response:
    """Sends a signal to the handle or policy at `path`, without its token."""
    return answer(await services.signals.send(caller, at, path, await request.body()))


@router.post(
    STACK + "/tokens/{path:path}",
    status_code=202,
    responses=gives(StackView, "The stack", example=EXAMPLE, status=202, fails=[404, 409, 503]),
    openapi_extra=takes(RotateBody, {"revoke": False}),
)
async def rotate_token(request: Request, at: At, path: str, services: Uses, caller: Caller) -> Response:
    """Has the door at `path` get another token; the one before is worth nothing from then on. What refers to it is
    changed with it: a machine with the token in its user data is replaced."""
    body = await read(request, RotateBody)
    return answer(stack_view(await services.signals.rotate(caller, at, path, revoke=body.revoke)), 202)


@router.get(
    STACK + "/sizes/{path:path}",
    responses=gives(SizeView, "How many members the group is to have", example=COUNTS, fails=[404, 409, 503]),
)
async def show_size(at: At, path: str, services: Uses, caller: Caller) -> Response:
    """The size of the group at `path`, who set it and why."""
    return answer(await services.sizes.get(caller, at, path))


@router.put(
    STACK + "/sizes/{path:path}",
    status_code=202,
    responses=gives(StackView, "The stack", example=EXAMPLE, status=202, fails=[404, 409, 503]),
    openapi_extra=takes(SizeBody, {"size": 6, "why": "the fair is over"}),
)
async def set_size(request: Request, at: At, path: str, services: Uses, caller: Caller) -> Response:
    """Has the group at `path` have so many members, until somebody or a policy says otherwise, or the template says
    something else than before."""
    body = await read(request, SizeBody)
    return answer(stack_view(await services.sizes.scale(caller, at, path, body.size, body.why)), 202)
