"""/v1/login, /v1/logout and /v1/me."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses, source_of
from terrace.api.documents import answer, gives, nothing, read, takes
from terrace.services.people import Attempt, LoggedIn

router = APIRouter(tags=["people"])
NOTHING = nothing()

Secret = Annotated[str, msgspec.Meta(max_length=4096)]


class LoginBody(msgspec.Struct, forbid_unknown_fields=True):
    """A name and its password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    password: Secret


class PasswordBody(msgspec.Struct, forbid_unknown_fields=True):
    """The password that was, and the one that is to be."""

    old: Secret
    new: Secret


class MeView(msgspec.Struct):
    """Who asks. `owner`: over the owner's own socket, who may do everything; `rights`: what they may in each project of
    theirs; `everywhere` in all other projects; `installation` in the installation."""

    name: str
    owner: bool
    rights: dict[str, list[str]]
    everywhere: list[str]
    installation: list[str]


LOGGED_IN = {
    "token": "trc_0aBc3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb7cDe0fG",
    "name": "ada",
    "project": "sunny-harbor",
    "expires": 1767268800.0,
}
ME = {
    "name": "ada",
    "owner": False,
    "rights": {"sunny-harbor": ["logs", "read", "write"]},
    "everywhere": [],
    "installation": ["catalogue"],
}


@router.post(
    "/v1/login",
    openapi_extra=takes(LoginBody, {"name": "ada", "password": "four words in a row"}),
    responses=gives(LoggedIn, "A session. Needs no credential", example=LOGGED_IN, fails=[429, 503]),
)
async def login(request: Request, services: Uses) -> Response:
    """The token is shown this once; it goes into the header `Authorization: Bearer TOKEN` of other requests. 401
    (`wrong-credentials`) whatever is wrong with name or password."""
    body = await read(request, LoginBody)
    found = await services.people.login(Attempt(body.name, body.password, source_of(request)))
    return answer(found, headers={"Cache-Control": "no-store"})


@router.post("/v1/logout", status_code=204, responses=NOTHING)
async def logout(services: Uses, caller: Caller) -> Response:
    """Ends the session, or the token, that this request comes with."""
    await services.people.logout(caller)
    return Response(status_code=204)


@router.get("/v1/me", responses=gives(MeView, "Who asks, and what they may", example=ME))
async def me(services: Uses, caller: Caller) -> Response:
    """Also for a token: what it may."""
    rights = {name: services.people.rights(caller, name) for name in sorted(caller.rights)}
    everywhere = (
        services.people.rights(caller, "*")
        if caller.owner
        else sorted(right.value for right in caller.everywhere)
    )
    view = MeView(caller.name, caller.owner, rights, everywhere, services.people.rights(caller))
    return answer(view)


@router.put(
    "/v1/me/password",
    status_code=204,
    openapi_extra=takes(PasswordBody, {"old": "four words in a row", "new": "five other words in a row"}),
    responses=NOTHING,
)
async def set_password(request: Request, services: Uses, caller: Caller) -> Response:
    """Another password for who asks. It ends every session of theirs."""
    body = await read(request, PasswordBody)
    await services.people.users.set_password(caller, body.old, body.new)
    return Response(status_code=204)
