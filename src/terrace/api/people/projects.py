"""/v1/projects: projects, their members, and what they may use."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, nothing, read, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.views import Page
from terrace.ports.people import USER
from terrace.services.people.projects import MemberView, ProjectView, ReachView, Seat

router = APIRouter(tags=["people"])
PROJECT = "/v1/projects/{project}"
MEMBER = PROJECT + "/members/{kind}/{name}"
Kind = Literal["user", "group"]
Kinds = Annotated[Kind | None, Query(description="Only users, or only groups", examples=["user"])]
Title = Annotated[str, msgspec.Meta(max_length=200)]
Names = Annotated[list[str], msgspec.Meta(max_length=20)]


class ProjectBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new project. `title` is for people."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    title: Title = ""


class TitleBody(msgspec.Struct, forbid_unknown_fields=True):
    """What people call it."""

    title: Title


class MemberBody(msgspec.Struct, forbid_unknown_fields=True):
    """`role`: viewer, developer, operator or admin; `granted` and `denied`: rights besides."""

    role: str
    granted: Names = []
    denied: Names = []


class ReachBody(msgspec.Struct, forbid_unknown_fields=True):
    """All that the project may use; nothing: what the settings say."""

    reach: Annotated[list[ReachView], msgspec.Meta(max_length=1000)]


SHOP = {
    "name": "shop",
    "title": "The shop",
    "created": 1767225600.0,
    "maker": "ada",
    "rights": ["logs", "read", "write"],
}
BOB = {
    "kind": "user",
    "name": "bob",
    "role": "developer",
    "granted": ["exec"],
    "denied": [],
    "since": 1767225600.0,
}
LOCAL = {"provider": "local", "region": ""}


@router.get(
    "/v1/projects",
    responses=gives(
        Page[ProjectView],
        "Those that are there for who asks, by name",
        example={"items": [SHOP], "next": None},
    ),
)
async def list_projects(services: Uses, caller: Caller, page: Paged, name: Prefix = "") -> Response:
    """With what they may do in each."""
    found = await services.people.projects.listing(caller)
    return page.cut((one for one in found if one.name.startswith(name)), lambda one: (one.name,), NAME)


@router.post(
    "/v1/projects",
    status_code=201,
    openapi_extra=takes(ProjectBody, {"name": "shop", "title": "The shop"}),
    responses=gives(ProjectView, "The project", example=SHOP, status=201, fails=[409]),
)
async def add_project(request: Request, services: Uses, caller: Caller) -> Response:
    """Without members at first."""
    body = await read(request, ProjectBody)
    return answer(await services.people.projects.add(caller, body.name, body.title), 201)


@router.get(PROJECT, responses=gives(ProjectView, "The project", example=SHOP, fails=[404]))
async def show_project(project: str, services: Uses, caller: Caller) -> Response:
    """One of them."""
    return answer(await services.people.projects.get(caller, project))


@router.patch(
    PROJECT,
    openapi_extra=takes(TitleBody, {"title": "The shop"}),
    responses=gives(ProjectView, "The project", example=SHOP, fails=[404]),
)
async def change_project(request: Request, project: str, services: Uses, caller: Caller) -> Response:
    """Another title."""
    body = await read(request, TitleBody)
    return answer(await services.people.projects.change(caller, project, body.title))


@router.delete(PROJECT, status_code=204, responses=nothing(404, 409))
async def remove_project(project: str, services: Uses, caller: Caller) -> Response:
    """With its service tokens. 409 (`project-in-use`) while it has stacks."""
    await services.people.projects.remove(caller, project)
    return Response(status_code=204)


@router.get(
    PROJECT + "/members",
    responses=gives(
        Page[MemberView], "Users and groups", example={"items": [BOB], "next": None}, fails=[404]
    ),
)
async def list_members(
    project: str, services: Uses, caller: Caller, page: Paged, kind: Kinds = None, name: Prefix = ""
) -> Response:
    """With their roles: users first, then groups."""
    found = await services.people.projects.members(caller, project)
    wanted = (one for one in found if one.name.startswith(name) and kind in (None, one.kind))
    return page.cut(wanted, lambda one: (one.kind != USER, one.name), tuple[bool, str])


@router.put(
    MEMBER,
    openapi_extra=takes(MemberBody, {"role": "developer", "granted": ["exec"]}),
    responses=gives(MemberView, "The member", example=BOB, fails=[404]),
)
async def seat_member(
    request: Request, project: str, kind: Kind, name: str, services: Uses, caller: Caller
) -> Response:
    """A user or a group becomes a member, or another one than before."""
    body = await read(request, MemberBody)
    seat = Seat(body.role, tuple(body.granted), tuple(body.denied))
    return answer(await services.people.projects.seat(caller, project, kind, name, seat))


@router.delete(MEMBER, status_code=204, responses=nothing(404))
async def dismiss_member(project: str, kind: Kind, name: str, services: Uses, caller: Caller) -> Response:
    """A member leaves: tokens for the project end, and sessions."""
    await services.people.projects.dismiss(caller, project, kind, name)
    return Response(status_code=204)


@router.get(
    PROJECT + "/reach",
    responses=gives(
        Page[ReachView],
        "What the project may use; nothing: what the settings say",
        example={"items": [LOCAL], "next": None},
        fails=[404],
    ),
)
async def show_reach(project: str, services: Uses, caller: Caller) -> Response:
    """Providers, and regions of them."""
    return answer(Page(await services.people.projects.reach(caller, project)))


@router.put(
    PROJECT + "/reach",
    openapi_extra=takes(ReachBody, {"reach": [LOCAL]}),
    responses=gives(
        Page[ReachView], "What the project may use", example={"items": [LOCAL], "next": None}, fails=[404]
    ),
)
async def set_reach(request: Request, project: str, services: Uses, caller: Caller) -> Response:
    """The project may use these alone from now on. What stands elsewhere stays."""
    body = await read(request, ReachBody)
    return answer(Page(await services.people.projects.set_reach(caller, project, body.reach)))
