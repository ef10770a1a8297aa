"""/v1/engines: the processes that share the store."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.views import Page
from terrace.services.engines.members import Engine

router = APIRouter(tags=["engines"])


class DrainBody(msgspec.Struct, forbid_unknown_fields=True):
    """`on` false: it takes stacks again."""

    on: bool = True


@router.get("/v1/engines", responses=gives(Page[Engine], "All that are alive"))
async def list_engines(services: Uses, caller: Caller) -> Response:
    """Who works on stacks, and on how many."""
    return answer(Page(await services.engines.listing(caller)))


@router.post(
    "/v1/engines/{name}/drain",
    responses=gives(Engine, "It has been told; look again until it is drained", fails=[404, 409]),
    openapi_extra=takes(DrainBody, {"on": True}),
)
async def drain_engine(request: Request, name: str, services: Uses, caller: Caller) -> Response:
    """Has an engine give its stacks to the others."""
    body = await read(request, DrainBody)
    return answer(await services.engines.drain(caller, name, on=body.on))
