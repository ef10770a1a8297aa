"""/v1/projects/{project}/quota and /v1/quotas: how much projects may have, and have."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives, read, takes
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.views import Page
from terrace.services.quotas.keeping import Standing, Wrong

router = APIRouter(tags=["quotas"])
QUOTA = "/v1/projects/{project}/quota"
LINE = {"resource": "machines", "used": 6, "reserved": 2, "most": 20, "left": 14}


class QuotaBody(msgspec.Struct, forbid_unknown_fields=True):
    """Limits as people write them: machines "20", cpu "8" (cores), memory and disk "64G", volumes "10", storage "500G"
    (of volumes), stacks "5"; "none": no limit. What is not named stays as it is."""

    limits: dict[str, str]


class QuotaView(msgspec.Struct):
    """How a project stands. cpu is in thousandths of a core, memory and disk (of machines) in MiB, storage (of volumes)
    in GiB; the others are counts."""

    project: str
    items: list[Standing]


@router.get(QUOTA, responses=gives(QuotaView, "How it stands", example={"project": "shop", "items": [LINE]}))
async def show_quota(project: str, services: Uses, caller: Caller) -> Response:
    """What the stacks of the project take, of how much, and what is left."""
    return answer(QuotaView(project, await services.quotas.show(caller, project)))


@router.put(
    QUOTA,
    openapi_extra=takes(QuotaBody, {"limits": {"machines": "20", "memory": "64G"}}),
    responses=gives(
        QuotaView, "How it stands then", example={"project": "shop", "items": [LINE]}, fails=[404]
    ),
)
async def set_quota(request: Request, project: str, services: Uses, caller: Caller) -> Response:
    """Sets limits. What stands stays, however much it is; only what grows is refused."""
    body = await read(request, QuotaBody)
    return answer(QuotaView(project, await services.quotas.set(caller, project, body.limits)))


@router.get(
    "/v1/quotas",
    responses=gives(
        Page[QuotaView],
        "How every project stands",
        example={"items": [{"project": "shop", "items": [LINE]}], "next": None},
    ),
)
async def list_quotas(services: Uses, caller: Caller, page: Paged, name: Prefix = "") -> Response:
    """Projects that have a quota or a stack, by name."""
    (after,) = page.after(NAME, ("",))
    found = await services.quotas.overview(caller, name=name, after=after, limit=page.more)
    return page.of(list(found.items()), lambda one: one[:1], lambda one: QuotaView(*one))


@router.post(
    "/v1/quotas/check",
    responses=gives(
        Page[Wrong],
        "Stacks that hold something else than they take",
        example={"items": [], "next": None},
        fails=[404],
    ),
)
async def check_quotas(services: Uses, caller: Caller, *, repair: bool = False) -> Response:
    """Counts every stack anew. With `repair` each holds just what it takes from then on."""
    return answer(Page(await services.quotas.check(caller, repair=repair)))
