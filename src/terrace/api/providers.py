"""/v1/providers: providers, their images, flavors and ghosts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from terrace.api.callers import Caller, Uses
from terrace.api.documents import gives, line, nothing, read, takes
from terrace.api.edge.pages import NAME, PAIR, Paged, Prefix
from terrace.api.guests import NDJSON
from terrace.api.problems import view_of
from terrace.api.views import Page
from terrace.errors import TerraceError
from terrace.model.codec import show
from terrace.services.images import Image, Progress
from terrace.services.providers import Provider

router = APIRouter(tags=["providers"])
PROVIDER = "/v1/providers/{name}"
Of = Annotated[str, Query(description="Only those that this project may use", examples=["shop"])]
Present = Annotated[bool | None, Query(description="Only those that are there, or are not", examples=[True])]
Ghostly = Annotated[str, Query(description="Only things of this kind", examples=["Volume"])]
SMALL = {"name": "m1.small", "cpu": 1.0, "memory": 2048, "disk": 20480, "pids": 0}
DEBIAN = {"name": "debian-12", "source": "recipe:debian-12", "present": True, "provider_id": "sha256:5f0c1d"}
STRAY = {
    "provider": "local",
    "provider_id": "data-4f1c",
    "kind": "Volume",
    "name": "data",
    "state": "available",
    "kept": "it holds data",
    "since": 1767225600.0,
}
LOCAL = {
    "name": "local",
    "driver": "docker",
    "reachable": True,
    "why": "",
    "listed": 1767225600.0,
    "default": True,
}


class FlavorView(msgspec.Struct):
    """A size of machine: cpu in cores, memory and disk in MiB, pids a count; 0: no limit."""

    name: str
    cpu: float
    memory: int
    disk: int
    pids: int


class GhostView(msgspec.Struct):
    """Something with our label that nothing wants, since when (epoch seconds). `kept`: why it is not removed
    by itself ("": it will be)."""

    provider: str
    provider_id: str
    kind: str
    name: str
    state: str
    kept: str
    since: float


class ImageBody(msgspec.Struct, forbid_unknown_fields=True):
    """A name of the catalogue, a reference, or recipe:NAME."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ProgressView(msgspec.Struct, omit_defaults=True):
    """A line of a fetch. `provider_id` once it is done."""

    note: str
    provider_id: str = ""


@router.get(
    "/v1/providers",
    responses=gives(
        Page[Provider],
        "Those that some project of who asks may use, by name; all of them for an administrator of the installation",
        example={"items": [LOCAL], "next": None},
        fails=[404],
    ),
)
async def list_providers(
    services: Uses, caller: Caller, page: Paged, project: Of = "", name: Prefix = ""
) -> Response:
    """With whether they can be reached."""
    found = await services.providers.listing(caller, project)
    return page.cut((one for one in found if one.name.startswith(name)), lambda one: (one.name,), NAME)


@router.get(
    PROVIDER + "/flavors",
    responses=gives(
        Page[FlavorView],
        "Sizes of machines, by name",
        example={"items": [SMALL], "next": None},
        fails=[404],
    ),
)
async def list_flavors(name: str, services: Uses, caller: Caller, page: Paged) -> Response:
    """Those that the settings name and those that Terrace knows by itself."""
    flavors = (await services.providers.flavors(caller, name)).items()
    found = (FlavorView(key, one.cpu, one.memory, one.disk, one.pids) for key, one in flavors)
    return page.cut(found, lambda one: (one.name,), NAME)


@router.get(
    PROVIDER + "/images",
    responses=gives(Page[Image], "Images by name", example={"items": [DEBIAN], "next": None}, fails=[404]),
)
async def list_images(
    name: str, services: Uses, caller: Caller, page: Paged, present: Present = None
) -> Response:
    """With whether each is there already (null: the provider cannot be asked now)."""
    found = await services.images.listing(caller, name)
    wanted = (one for one in found if present in (None, one.present))
    return page.cut(wanted, lambda one: (one.name,), NAME)


@router.post(
    PROVIDER + "/images",
    openapi_extra=takes(ImageBody, {"source": "debian-12"}),
    responses=gives(
        ProgressView,
        "How far it is, one JSON object per line. A line with `code` and `message` is an error, and the last",
        media=NDJSON,
        example={"note": "fetching recipe:debian-12"},
        fails=[404, 503],
    ),
)
async def fetch_image(request: Request, name: str, services: Uses, caller: Caller) -> Response:
    """Builds or pulls an image ahead of time."""
    body = await read(request, ImageBody)
    return StreamingResponse(_told(await services.images.fetch(caller, name, body.source)), media_type=NDJSON)


async def _told(steps: AsyncIterator[Progress]) -> AsyncIterator[bytes]:
    try:
        async for step in steps:
            yield line(ProgressView(step.note, step.seen.provider_id if step.seen else ""))
    except TerraceError as error:
        yield line(view_of(error))


@router.get(
    PROVIDER + "/ghosts",
    responses=gives(
        Page[GhostView],
        "Things that nothing wants, by provider_id",
        example={"items": [STRAY], "next": None},
        fails=[404],
    ),
)
async def list_ghosts(name: str, services: Uses, caller: Caller, page: Paged, kind: Ghostly = "") -> Response:
    """Things with this installation's label and no resource."""
    found = (
        GhostView(
            provider=one.provider,
            provider_id=one.seen.provider_id,
            kind=one.seen.kind,
            name=show(one.seen.name),
            state=one.seen.state,
            kept=one.kept,
            since=one.since,
        )
        for one in await services.ghosts.listing(caller, name)
        if kind in ("", one.seen.kind)
    )
    return page.cut(found, lambda one: (one.provider_id, one.kind), PAIR)


@router.post(PROVIDER + "/ghosts/{ghost:path}/reap", status_code=204, responses=nothing(404, 502, 503))
async def reap_ghost(name: str, ghost: str, services: Uses, caller: Caller) -> Response:
    """Removes a ghost, also one that holds data."""
    await services.ghosts.reap(caller, name, ghost)
    return Response(status_code=204)
