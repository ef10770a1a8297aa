"""/v1/projects/{project}/flavors: which flavors a project may use, and those of its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.services.flavors.keeping import Choice

router = APIRouter(tags=["flavors"])
FLAVORS = "/v1/projects/{project}/flavors"
FLAVOR = FLAVORS + "/{name}"
BIG = {
    "name": "big", "provider": "", "cpu": 2.0, "memory": 4096, "disk": 20480, "pids": 0, "allowed": True, "hides": [],
}  # fmt: skip
SHOP = {"project": "shop", "allowed": ["big"], "items": [BIG], "used_by": []}
Name = Annotated[str, msgspec.Meta(max_length=255)]


class FlavorBody(msgspec.Struct, forbid_unknown_fields=True):
    """Sizes as people write them: cpu "2" (cores), memory and disk "4G", pids "512"; "none": no limit. What is not
    named stays as it is; of a new flavor it has no limit."""

    sizes: dict[str, str]


class AllowedBody(msgspec.Struct, forbid_unknown_fields=True):
    """The names of the only flavors that the project may use; null: whatever there is."""

    allowed: Annotated[list[Name], msgspec.Meta(max_length=1000)] | None


@router.get(FLAVORS, responses=gives(Choice, "What it may use", example=SHOP))
async def show_flavors(project: str, services: Uses, caller: Caller) -> Response:
    """The flavors that there are for the project: its own, and those of the providers that it may use."""
    return answer(await services.flavors.show(caller, project))


@router.put(
    FLAVORS,
    openapi_extra=takes(AllowedBody, {"allowed": ["m1.small", "m1.medium"]}),
    responses=gives(Choice, "What it may use then", example=SHOP, fails=[404]),
)
async def allow_flavors(request: Request, project: str, services: Uses, caller: Caller) -> Response:
    """Says which flavors the project may use at all. What stands stays; only what is new or changed is refused."""
    body = await read(request, AllowedBody)
    return answer(await services.flavors.allow(caller, project, body.allowed))


@router.put(
    FLAVOR,
    openapi_extra=takes(FlavorBody, {"sizes": {"cpu": "2", "memory": "4G", "disk": "20G"}}),
    responses=gives(Choice, "What it may use then", example=SHOP, fails=[404]),
)
async def set_flavor(request: Request, project: str, name: str, services: Uses, caller: Caller) -> Response:
    """Gives the project a flavor of its own. Machines that have it get its new size."""
    body = await read(request, FlavorBody)
    return answer(await services.flavors.set(caller, project, name, body.sizes))


@router.delete(FLAVOR, responses=gives(Choice, "What it may use then", example=SHOP, fails=[404, 409]))
async def remove_flavor(
    project: str, name: str, services: Uses, caller: Caller, *, force: bool = False
) -> Response:
    """Takes a flavor of its own from the project; with `force` also while stacks use it: what stands keeps its size."""
    return answer(await services.flavors.remove(caller, project, name, force=force))
