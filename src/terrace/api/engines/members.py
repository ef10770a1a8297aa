"""/v1/engines: the processes that share the store."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.edge.pages import PAIR, Paged
from terrace.api.views import Page
from terrace.services.engines.members import Engine, Standing

router = APIRouter(tags=["engines"])
RACK = {
    "name": "rack1",
    "id": "k3v9x0a2m4c6",
    "state": "working",
    "roles": ["api", "engine"],
    "stacks": 412,
    "started": 1767225600.0,
    "heard": 1767229200.0,
    "version": 8,
}
At = Annotated[Standing | None, Query(description="Only those that are at this", examples=["draining"])]


class DrainBody(msgspec.Struct, forbid_unknown_fields=True):
    """`on` false: it takes stacks again."""

    on: bool = True


@router.get(
    "/v1/engines",
    responses=gives(Page[Engine], "All that are alive, by name", example={"items": [RACK], "next": None}),
)
async def list_engines(services: Uses, caller: Caller, page: Paged, state: At = None) -> Response:
    """Who works on stacks, and on how many."""
    found = (one for one in await services.engines.listing(caller) if state in (None, one.state))
    return page.cut(found, lambda one: (one.name, one.id), PAIR)


@router.post(
    "/v1/engines/{name}/drain",
    responses=gives(Engine, "It has been told; look again until it is drained", fails=[404, 409]),
    openapi_extra=takes(DrainBody, {"on": True}),
)
async def drain_engine(request: Request, name: str, services: Uses, caller: Caller) -> Response:
    """Has an engine give its stacks to the others."""
    body = await read(request, DrainBody)
    return answer(await services.engines.drain(caller, name, on=body.on))
