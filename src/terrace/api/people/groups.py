"""/v1/groups: users under one name."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, nothing, read, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.people.users import Source
from terrace.api.views import Page
from terrace.services.people.groups import GroupView

router = APIRouter(tags=["people"])
GROUP = "/v1/groups/{group}"
MEMBER = GROUP + "/members/{user}"
DEVS = {"name": "devs", "source": "local", "members": ["ada", "bob"], "created": 1767225600.0}


class GroupBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new group."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


@router.get(
    "/v1/groups", responses=gives(Page[GroupView], "All, by name", example={"items": [DEVS], "next": None})
)
async def list_groups(
    services: Uses, caller: Caller, page: Paged, name: Prefix = "", source: Source = None
) -> Response:
    """With their members."""
    found = await services.people.groups.listing(caller)
    wanted = (one for one in found if one.name.startswith(name) and source in (None, one.source))
    return page.cut(wanted, lambda one: (one.name,), NAME)


@router.post(
    "/v1/groups",
    status_code=201,
    openapi_extra=takes(GroupBody, {"name": "devs"}),
    responses=gives(GroupView, "The group", example=DEVS, status=201, fails=[409]),
)
async def add_group(request: Request, services: Uses, caller: Caller) -> Response:
    """Empty at first."""
    body = await read(request, GroupBody)
    return answer(await services.people.groups.add(caller, body.name), 201)


@router.delete(GROUP, status_code=204, responses=nothing(404))
async def remove_group(group: str, services: Uses, caller: Caller) -> Response:
    """Ends the sessions of its members."""
    await services.people.groups.remove(caller, group)
    return Response(status_code=204)


@router.put(MEMBER, responses=gives(GroupView, "The group", example=DEVS, fails=[404]))
async def join_group(group: str, user: str, services: Uses, caller: Caller) -> Response:
    """A user becomes a member."""
    return answer(await services.people.groups.join(caller, group, user))


@router.delete(MEMBER, responses=gives(GroupView, "The group", example=DEVS, fails=[404]))
async def leave_group(group: str, user: str, services: Uses, caller: Caller) -> Response:
    """A user is a member no more; it ends their sessions."""
    return answer(await services.people.groups.leave(caller, group, user))
