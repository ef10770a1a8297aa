"""/v1/projects/{project}/secrets and /v1/secrets: secrets by name. They can be written, and never read."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, read, refusals, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.views import Page
from terrace.ports.vault import Kept
from terrace.services.secrets.named import INSTALLATION

router = APIRouter(tags=["secrets"])
SECRETS = "/v1/projects/{project}/secrets"
OWN = "/v1/secrets"
LISTED = {
    "name": "db-password",
    "version": 2,
    "who": "ann",
    "at": 1767225600.0,
    "versions": [
        {"number": 2, "who": "ann", "at": 1767225600.0},
        {"number": 1, "who": "bob", "at": 1767139200.0},
    ],
    "used_by": ["shop"],
}


class SecretBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be in the secret: text, 64 KiB at most."""

    value: str


class StoredView(msgspec.Struct):
    """The secret that was written, and which version that is."""

    name: str
    version: int


class SecretVersionView(msgspec.Struct):
    """A version of a secret: who set it, and when (epoch seconds)."""

    number: int
    who: str
    at: float


class SecretView(msgspec.Struct):
    """A secret without what is in it: its newest version, who set that and when (epoch seconds), all versions, newest
    first, and the names of the stacks that read it."""

    name: str
    version: int
    who: str
    at: float
    versions: list[SecretVersionView]
    used_by: tuple[str, ...]


LISTING = gives(
    Page[SecretView], "Secrets by name, without what is in them", example={"items": [LISTED], "next": None}
)
WRITTEN = {
    **gives(
        StoredView, "A new version", example={"name": "db-password", "version": 2}, fails=[413, 422, 429]
    ),
    **gives(StoredView, "It is a new secret", example={"name": "db-password", "version": 1}, status=201),
}
GONE = {204: {"description": "It is gone"}, **refusals(404, 409)}


@router.get(SECRETS, responses=LISTING)
async def list_secrets(
    project: str, services: Uses, caller: Caller, page: Paged, name: Prefix = ""
) -> Response:
    """Names, versions, and which stacks read each. There is no way to read what is in one."""
    (after,) = page.after(NAME, ("",))
    found = await services.secrets.listing(caller, project, name=name, after=after, limit=page.more)
    return page.of(found, lambda one: (one.name,), _view)


@router.put(SECRETS + "/{name}", openapi_extra=takes(SecretBody, {"value": "..."}), responses=WRITTEN)
async def put_secret(request: Request, project: str, name: str, services: Uses, caller: Caller) -> Response:
    """Sets a new version. Stacks that read the secret take it up by themselves."""
    body = await read(request, SecretBody)
    stored = await services.secrets.put(caller, project, name, body.value)
    return answer(StoredView(name, stored.version), 201 if stored.version == 1 else 200)


@router.delete(SECRETS + "/{name}", status_code=204, responses=GONE)
async def delete_secret(
    project: str, name: str, services: Uses, caller: Caller, *, force: bool = False
) -> Response:
    """Takes a secret away with all its versions. Refused (409, `secret-in-use`) while stacks read it, unless with
    `force`: they keep what they have."""
    await services.secrets.remove(caller, project, name, force=force)
    return Response(status_code=204)


@router.get(OWN, responses=LISTING)
async def list_own_secrets(services: Uses, caller: Caller, page: Paged, name: Prefix = "") -> Response:
    """The installation's own secrets, which server.toml may name and no template can."""
    (after,) = page.after(NAME, ("",))
    found = await services.secrets.listing(caller, INSTALLATION, name=name, after=after, limit=page.more)
    return page.of(found, lambda one: (one.name,), _view)


@router.put(OWN + "/{name}", openapi_extra=takes(SecretBody, {"value": "..."}), responses=WRITTEN)
async def put_own_secret(request: Request, name: str, services: Uses, caller: Caller) -> Response:
    """Sets a new version of a secret of the installation. Servers read it when they start."""
    body = await read(request, SecretBody)
    stored = await services.secrets.put(caller, INSTALLATION, name, body.value)
    return answer(StoredView(name, stored.version), 201 if stored.version == 1 else 200)


@router.delete(OWN + "/{name}", status_code=204, responses=GONE)
async def delete_own_secret(name: str, services: Uses, caller: Caller) -> Response:
    """Takes a secret of the installation away."""
    await services.secrets.remove(caller, INSTALLATION, name)
    return Response(status_code=204)


def _view(one: Kept) -> SecretView:
    newest = one.versions[0]
    versions = [SecretVersionView(each.number, each.who, each.at) for each in one.versions]
    return SecretView(one.name, newest.number, newest.who, newest.at, versions, one.used_by)
