"""Events of the installation, of a project, of a stack: what happened, listed or followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Response
from starlette.responses import StreamingResponse

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, line
from terrace.api.edge.pages import NUMBER, Asked, Paged
from terrace.api.stacks import STACK
from terrace.api.views import EventView, Page, event_view
from terrace.model.event import EVERYTHING, Event, EventFilter
from terrace.services import Services
from terrace.services.gate import Actor, Where

router = APIRouter(tags=["events"])

EXAMPLE = {
    "number": 17,
    "kind": "resource.ready",
    "at": 1767225600.0,
    "stack": "k3v9x0a2m4c6e8g1i5o7",
    "path": "web",
    "message": "running",
    "state": "ready",
    "generation": 2,
    "detail": {},
    "project": "shop",
}
WATCH = """A list, or with `watch=1` a stream of server-sent events (`text/event-stream`): the id of each is its
number, the data its JSON. A stream begins after `Last-Event-ID` (or `after`), without either with what comes
next; a comment line every 10 s shows that it lives."""
GIVES = gives(
    Page[EventView], "Events, oldest first", example={"items": [EXAMPLE], "next": "WzE3XQ"}, fails=[404]
)
GIVES[200]["content"]["text/event-stream"] = {"schema": {"type": "string"}}

After = Annotated[int | None, Query(ge=0, le=2**62, description="Only events numbered above this")]
LastSeen = Annotated[str | None, Header(alias="Last-Event-ID")]
Newest = Annotated[bool, Query(description="The last ones, and no page follows")]
Watch = Annotated[bool, Query(description="A stream, in place of a list")]
Kind = Annotated[
    str,
    Query(
        pattern=r"^[a-z_.-]{0,60}$",
        description="Only those whose kinds begin so",
        examples=["resource.failing", "stack"],
    ),
]
About = Annotated[
    str,
    Query(
        max_length=4000,
        pattern=r"^[^\x00]*$",
        description="Only those about what is at this path, or below it",
        examples=["web/0"],
    ),
]
Since = Annotated[
    float,
    Query(ge=0, le=1e12, description="Only those from then on (epoch seconds)", examples=[1767225600.0]),
]


class Place(NamedTuple):
    """Where a list or a stream of events begins."""

    after: int | None
    newest: bool
    watch: bool
    last_event_id: str | None

    async def told(
        self, services: Services, caller: Actor, at: Where | None, page: Asked, only: EventFilter
    ) -> Response:
        """The list, or the stream."""
        if self.watch:
            return await _stream(services, caller, at, _position(self.last_event_id, self.after), only)
        (begin,) = page.after(NUMBER, (self.after or 0,))
        limit = page.limit if self.newest else page.more
        found = await services.events.listing(
            caller, at, after=begin, limit=limit, newest=self.newest, only=only
        )
        return page.of(found, lambda event: (event.number,), event_view)


async def _wanted(kind: Kind = "", path: About = "", since: Since = 0.0) -> EventFilter:
    found = EventFilter(kind=kind, path=path, since=since)
    return EVERYTHING if found == EVERYTHING else found


async def _place(
    after: After = None, newest: Newest = False, watch: Watch = False, last_event_id: LastSeen = None
) -> Place:
    return Place(after, newest, watch, last_event_id)


Only = Annotated[EventFilter, Depends(_wanted)]
Begin = Annotated[Place, Depends(_place)]


@router.get(STACK + "/events", responses=GIVES, description=WATCH)
async def stack_events(
    at: At, services: Uses, caller: Caller, page: Paged, only: Only, begin: Begin
) -> Response:
    """Events of one stack."""
    return await begin.told(services, caller, at, page, only)


@router.get("/v1/projects/{project}/events", responses=GIVES, description=WATCH)
async def project_events(
    project: str, services: Uses, caller: Caller, page: Paged, only: Only, begin: Begin
) -> Response:
    """Events of all stacks of a project, also of those that are gone."""
    return await begin.told(services, caller, Where(project, ""), page, only)


@router.get("/v1/events", responses=GIVES, description=WATCH)
async def all_events(services: Uses, caller: Caller, page: Paged, only: Only, begin: Begin) -> Response:
    """Events of the whole installation."""
    return await begin.told(services, caller, None, page, only)


def _position(last_event_id: str | None, after: int | None) -> int | None:
    """Where a stream goes on: the browser's (or client's) own memory comes before the query."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19:
        return int(last_event_id)
    return after


async def _stream(
    services: Services, caller: Actor, at: Where | None, after: int | None, only: EventFilter
) -> Response:
    batches = await services.events.watch(caller, at, after, only)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_frames(batches), headers=headers, media_type="text/event-stream")


async def _frames(batches: AsyncIterator[Sequence[Event]]) -> AsyncIterator[bytes]:
    yield b": watching\n\n"  # headers go out with the first bytes: the client knows now that it is heard
    async for batch in batches:
        yield b"".join(_frame(event) for event in batch) if batch else b": still here\n\n"


def _frame(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n" % (event.number, event.kind.encode(), line(event_view(event)))
