"""/v1/users: who has an account."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, nothing, read, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.people.login import Secret
from terrace.api.views import Page
from terrace.ports.people import UserQuery
from terrace.services.people.users import UserChange, UserView

router = APIRouter(tags=["people"])
USER = "/v1/users/{user}"
Title = Annotated[str, msgspec.Meta(max_length=200)]
Source = Annotated[
    Literal["local", "ldap"] | None,
    Query(description="Only those known here, or by a directory", examples=["ldap"]),
]


class UserBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be another way; what is left out stays. `admin`: administers the installation; a `disabled` user has
    no session and no token."""

    title: Title | None = None
    password: Secret | None = None
    admin: bool | None = None
    disabled: bool | None = None

    def change(self) -> UserChange:
        """For the use cases."""
        return UserChange(self.title, self.password, self.admin, self.disabled)


class NewUserBody(UserBody):
    """A new user. Without a password they cannot log in."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)] = ""


ADA = {
    "name": "ada",
    "title": "Ada Lovelace",
    "source": "local",
    "admin": False,
    "disabled": False,
    "created": 1767225600.0,
}


@router.get(
    "/v1/users", responses=gives(Page[UserView], "All, by name", example={"items": [ADA], "next": None})
)
async def list_users(
    services: Uses, caller: Caller, page: Paged, name: Prefix = "", source: Source = None
) -> Response:
    """Those from a directory are there from their first login on."""
    (after,) = page.after(NAME, ("",))
    wanted = UserQuery(name, source or "", after, page.more)
    return page.of(await services.people.users.listing(caller, wanted), lambda one: (one.name,))


@router.post(
    "/v1/users",
    status_code=201,
    openapi_extra=takes(NewUserBody, {"name": "ada", "password": "four words in a row"}),
    responses=gives(UserView, "The user", example=ADA, status=201, fails=[409]),
)
async def add_user(request: Request, services: Uses, caller: Caller) -> Response:
    """A local user."""
    body = await read(request, NewUserBody)
    return answer(await services.people.users.add(caller, body.name, body.change()), 201)


@router.get(USER, responses=gives(UserView, "The user", example=ADA, fails=[404]))
async def show_user(user: str, services: Uses, caller: Caller) -> Response:
    """One of them."""
    return answer(await services.people.users.get(caller, user))


@router.patch(
    USER,
    openapi_extra=takes(UserBody, {"disabled": True}),
    responses=gives(UserView, "The user, as they then are", example=ADA, fails=[404, 409]),
)
async def change_user(request: Request, user: str, services: Uses, caller: Caller) -> Response:
    """409 (`last-admin`) for what would leave the installation without an administrator."""
    body = await read(request, UserBody)
    return answer(await services.people.users.change(caller, user, body.change()))


@router.delete(USER, status_code=204, responses=nothing(404, 409))
async def remove_user(user: str, services: Uses, caller: Caller) -> Response:
    """With sessions, tokens, keys and memberships."""
    await services.people.users.remove(caller, user)
    return Response(status_code=204)
