"""/v1/projects/{project}/stacks/{stack}/resources and /outputs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import answer, gives
from terrace.api.edge.pages import NAME, Paged, Prefix
from terrace.api.stacks import STACK
from terrace.api.views import Page, ResourceView, resource_view
from terrace.model.record import State
from terrace.ports.store import RecordQuery
from terrace.services.outputs import Shown

router = APIRouter(tags=["resources"])

EXAMPLE = {
    "path": "web",
    "kind": "Machine",
    "type": "OS::Nova::Server",
    "state": "ready",
    "why": "",
    "since": 1767225600.0,
    "provider": "local",
    "provider_id": "5f0c1d",
    "incarnation": 1,
    "attributes": {"name": "web", "first_address": "10.1.0.2"},
    "implied": False,
    "departing": False,
    "fault": None,
    "seen": {"name": "shop-web", "state": "running", "created": 1767225599.0},
}


Under = Annotated[str, Query(description="A path: only what is at or below it", examples=["group/0"])]
InState = Annotated[State | None, Query(description="Only those in this state", examples=["failing"])]
OfKind = Annotated[
    str,
    Query(max_length=100, pattern=r"^[^\x00]*$", description="Only those of this kind", examples=["Machine"]),
]


@router.get(
    STACK + "/resources",
    responses=gives(
        Page[ResourceView],
        "Resources by path, incarnations that are on their way out included",
        example={"items": [EXAMPLE], "next": None},
        fails=[404],
    ),
)
async def list_resources(
    at: At,
    services: Uses,
    caller: Caller,
    page: Paged,
    *,
    under: Under = "",
    state: InState = None,
    kind: OfKind = "",
) -> Response:
    """Also those that are on their way out."""
    wanted = RecordQuery(under, page.cursor, page.more, state or "", kind)
    rows = await services.resources.page(caller, at, wanted)
    return page.of(rows, lambda row: row.place, lambda row: resource_view(row.record))


@router.get(
    STACK + "/resources/{path:path}",
    responses=gives(ResourceView, "The resource", example=EXAMPLE, fails=[404]),
)
async def show_resource(at: At, path: str, services: Uses, caller: Caller) -> Response:
    """The current incarnation at a path such as `web` or `group/0`."""
    return answer(resource_view(await services.resources.get(caller, at, path)))


OUTPUT = {"name": "url", "value": "http://10.1.0.2/", "secret": False}


@router.get(
    STACK + "/outputs",
    responses=gives(Page[Shown], "Outputs by name", example={"items": [OUTPUT], "next": None}, fails=[404]),
)
async def list_outputs(
    at: At, services: Uses, caller: Caller, page: Paged, name: Prefix = "", *, reveal: bool = False
) -> Response:
    """A value that is not known yet is null; a secret one is ****** without `reveal`."""
    found = await services.outputs.listing(caller, at, reveal=reveal)
    return page.cut((one for one in found if one.name.startswith(name)), lambda one: (one.name,), NAME)


@router.get(STACK + "/outputs/{name}", responses=gives(Shown, "The output", example=OUTPUT, fails=[404]))
async def show_output(at: At, name: str, services: Uses, caller: Caller, *, reveal: bool = False) -> Response:
    """One of them."""
    return answer(await services.outputs.get(caller, at, name, reveal=reveal))
