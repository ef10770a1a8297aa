"""/v1/signals: the doors that guests and others knock at. A token is the credential; nothing else is asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from terrace.api.callers import Uses
from terrace.api.documents import answer, gives
from terrace.services.signals import Knock, Taken

router = APIRouter(tags=["signals"])
DOOR = "/v1/signals/{door}"
TAKEN = gives(
    Taken,
    "The signal is kept. Needs no credential but the token",
    example={"id": "1", "status": "SUCCESS", "message": "signal 1: SUCCESS"},
    fails=[404, 409, 413, 429, 503],
)
Token = Annotated[str, Header(alias="X-Auth-Token")]


@router.post(DOOR, responses=TAKEN)
async def knock(request: Request, door: str, services: Uses, token: Token = "") -> Response:
    """A signal to a door, with its token in the header X-Auth-Token: {status, reason, data, id}, all of which may be
    left out; or {Status, Reason, Data, UniqueId}."""
    return await _taken(request, services, door, token)


@router.put(DOOR, responses=TAKEN)
async def knock_again(request: Request, door: str, services: Uses, token: Token = "") -> Response:
    """The same as POST."""
    return await _taken(request, services, door, token)


@router.post(DOOR + "/{token}", responses=TAKEN)
async def knock_by_url(request: Request, door: str, token: str, services: Uses) -> Response:
    """The same for who can set no header: the token is part of the URL."""
    return await _taken(request, services, door, token)


@router.put(DOOR + "/{token}", responses=TAKEN)
async def knock_again_by_url(request: Request, door: str, token: str, services: Uses) -> Response:
    """The same as POST."""
    return await _taken(request, services, door, token)


async def _taken(request: Request, services: Uses, door: str, token: str) -> Response:
    source = request.client.host if request.client is not None else ""
    return answer(await services.signals.receive(Knock(door, token, await request.body(), source)))
