"""/v1/projects/{project}/stacks/{stack}/snapshots."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, read, takes
from terrace.api.edge.pages import TIMED, Paged, Prefix
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
from terrace.api.views import Page, StackView
from terrace.services.operations.snapshots import Snapshot

router = APIRouter(tags=["operations"])
SNAPSHOTS = STACK + "/snapshots"
KEPT = {
    "name": "before-upgrade",
    "created": 1767225600.0,
    "generation": 2,
    "volumes": ["data"],
    "complete": True,
}


class SnapshotBody(msgspec.Struct, forbid_unknown_fields=True):
    """Its `name`; `definition_only`: no volume is copied."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    definition_only: bool = False


@router.get(
    SNAPSHOTS,
    responses=gives(
        Page[Snapshot],
        "Those of the stack, oldest first",
        example={"items": [KEPT], "next": None},
        fails=[404],
    ),
)
async def list_snapshots(at: At, services: Uses, caller: Caller, page: Paged, name: Prefix = "") -> Response:
    """With the volumes that are in each."""
    found = await services.snapshots.listing(caller, at)
    wanted = (one for one in found if one.name.startswith(name))
    return page.cut(wanted, lambda one: (one.created, one.name), TIMED)


@router.post(
    SNAPSHOTS,
    openapi_extra=takes(SnapshotBody, {"name": "before-upgrade"}),
    responses=gives(StackView, "The stack, as it then is", example=EXAMPLE, fails=[404, 409]),
)
async def create_snapshot(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Keeps the stack's definition and has its volumes copied, as resources of the stack. 409 when the name is taken,
    or a provider cannot copy volumes."""
    body = await read(request, SnapshotBody)
    return stack_answer(
        await services.snapshots.create(caller, at, body.name, definition_only=body.definition_only)
    )


@router.post(
    SNAPSHOTS + "/{name}/restore",
    responses=gives(StackView, "The stack, with a new generation", example=EXAMPLE, fails=[404, 409]),
)
async def restore_snapshot(at: At, name: str, services: Uses, caller: Caller) -> Response:
    """Wants again what the snapshot keeps. Volumes get the content they had while the stack's machines stand still."""
    return stack_answer(await services.snapshots.restore(caller, at, name))


@router.delete(
    SNAPSHOTS + "/{name}",
    responses=gives(StackView, "The stack, as it then is", example=EXAMPLE, fails=[404]),
)
async def delete_snapshot(at: At, name: str, services: Uses, caller: Caller) -> Response:
    """Takes a snapshot away with its copies of volumes."""
    return stack_answer(await services.snapshots.delete(caller, at, name))
