"""/v1/tokens and /v1/ssh-keys: how programs and machines know people."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, nothing, read, takes
from terrace.api.edge.pages import NAME, TIMED, Paged, Prefix
from terrace.api.views import Page
from terrace.ports.people import CredentialQuery
from terrace.services.people.keys import KeyView
from terrace.services.people.tokens import TokenMade, TokenView, TokenWish

router = APIRouter(tags=["people"])
Kind = Annotated[
    Literal["session", "token", "service"] | None, Query(description="Only such ones", examples=["token"])
]


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new token: its `name`; what it is narrowed to (`project`, and a `role` or `rights`; none: as its owner);
    `service`: it is the project's own; `lasts` seconds (left out: as long as the settings allow)."""

    name: Annotated[
        str, msgspec.Meta(min_length=1, max_length=63, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.@ -]*\Z")
    ]
    project: Annotated[str, msgspec.Meta(max_length=63)] = ""
    role: Annotated[str, msgspec.Meta(max_length=20)] = ""
    rights: Annotated[list[str], msgspec.Meta(max_length=20)] = []
    service: bool = False
    lasts: Annotated[float, msgspec.Meta(gt=0, le=1e10)] | None = None


class KeyBody(msgspec.Struct, forbid_unknown_fields=True):
    """A public key: the one line of a .pub file."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
    text: Annotated[str, msgspec.Meta(max_length=16384)]


CI = {
    "id": "k3v9x0a2m4c6",
    "kind": "service",
    "name": "ci",
    "project": "shop",
    "role": "developer",
    "rights": [],
    "created": 1767225600.0,
    "maker": "ada",
    "expires": 1798761600.0,
    "used": 0.0,
}
KEY = {
    "name": "laptop",
    "text": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== ada@laptop",
    "fingerprint": "SHA256:0f3c",
    "created": 1767225600.0,
}


@router.get(
    "/v1/tokens",
    responses=gives(
        Page[TokenView],
        "Tokens and sessions of who asks, or the service tokens of a project, oldest first",
        example={"items": [CI], "next": None},
        fails=[404],
    ),
)
async def list_tokens(
    services: Uses, caller: Caller, page: Paged, project: str = "", name: Prefix = "", kind: Kind = None
) -> Response:
    """None of them is shown itself: it is nowhere."""
    wanted = CredentialQuery(kind=kind or "", name=name, after=page.after(TIMED, (-1.0, "")), limit=page.more)
    found = await services.people.tokens.listing(caller, project, wanted)
    return page.of(found, lambda one: (one.created, one.id))


@router.post(
    "/v1/tokens",
    status_code=201,
    openapi_extra=takes(
        TokenBody, {"name": "ci", "project": "shop", "role": "developer", "service": True, "lasts": 7776000}
    ),
    responses=gives(
        TokenMade,
        "The token, shown this once",
        example={"token": "trc_0aBc3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb7cDe0fG", "about": CI},
        status=201,
        fails=[404],
    ),
)
async def create_token(request: Request, services: Uses, caller: Caller) -> Response:
    """A token of who asks, who must be logged in with their password; or one of a project."""
    body = await read(request, TokenBody)
    wish = TokenWish(body.name, body.project, body.role, tuple(body.rights), body.service, body.lasts)
    made = await services.people.tokens.create(caller, wish)
    return answer(made, 201, {"Cache-Control": "no-store"})


@router.delete("/v1/tokens/{token}", status_code=204, responses=nothing(404))
async def revoke_token(token: str, services: Uses, caller: Caller, project: str = "") -> Response:
    """By its id. It is worth nothing from then on."""
    await services.people.tokens.revoke(caller, token, project)
    return Response(status_code=204)


@router.get(
    "/v1/ssh-keys",
    responses=gives(
        Page[KeyView], "Public keys of who asks, by name", example={"items": [KEY], "next": None}
    ),
)
async def list_keys(services: Uses, caller: Caller, page: Paged, name: Prefix = "") -> Response:
    """For ssh."""
    found = await services.people.keys.listing(caller)
    return page.cut((one for one in found if one.name.startswith(name)), lambda one: (one.name,), NAME)


@router.post(
    "/v1/ssh-keys",
    status_code=201,
    openapi_extra=takes(KeyBody, {"name": "laptop", "text": KEY["text"]}),
    responses=gives(KeyView, "The key", example=KEY, status=201, fails=[409]),
)
async def add_key(request: Request, services: Uses, caller: Caller) -> Response:
    """One more key of who asks."""
    body = await read(request, KeyBody)
    return answer(await services.people.keys.add(caller, body.name, body.text), 201)


@router.delete("/v1/ssh-keys/{key}", status_code=204, responses=nothing(404))
async def remove_key(key: str, services: Uses, caller: Caller) -> Response:
    """By its name."""
    await services.people.keys.remove(caller, key)
    return Response(status_code=204)
