"""/v1/events and /v1/projects/{project}/stacks/{stack}/events: what happened, listed or followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from starlette.responses import StreamingResponse

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, line
from terrace.api.edge.pages import NUMBER, Paged
from terrace.api.stacks import STACK
from terrace.api.views import EventView, Page, event_view
from terrace.model.event import Event
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


@router.get(STACK + "/events", responses=GIVES, description=WATCH)
async def stack_events(
    at: At,
    services: Uses,
    caller: Caller,
    page: Paged,
    *,
    after: After = None,
    newest: bool = False,
    watch: bool = False,
    last_event_id: LastSeen = None,
) -> Response:
    """Events of one stack."""
    if watch:
        return await _stream(services, caller, at, _position(last_event_id, after))
    (begin,) = page.after(NUMBER, (after or 0,))
    limit = page.limit if newest else page.more
    found = await services.events.listing(caller, at, after=begin, limit=limit, newest=newest)
    return page.of(found, lambda event: (event.number,), event_view)


@router.get("/v1/events", responses=GIVES, description=WATCH)
async def all_events(
    services: Uses,
    caller: Caller,
    page: Paged,
    *,
    after: After = None,
    newest: bool = False,
    watch: bool = False,
    last_event_id: LastSeen = None,
) -> Response:
    """Events of the whole installation."""
    if watch:
        return await _stream(services, caller, None, _position(last_event_id, after))
    (begin,) = page.after(NUMBER, (after or 0,))
    limit = page.limit if newest else page.more
    found = await services.events.listing(caller, None, after=begin, limit=limit, newest=newest)
    return page.of(found, lambda event: (event.number,), event_view)


def _position(last_event_id: str | None, after: int | None) -> int | None:
    """Where a stream goes on: the browser's (or client's) own memory comes before the query."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19:
        return int(last_event_id)
    return after


async def _stream(services: Services, caller: Actor, at: Where | None, after: int | None) -> Response:
    batches = await services.events.watch(caller, at, after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_frames(batches), headers=headers, media_type="text/event-stream")


async def _frames(batches: AsyncIterator[Sequence[Event]]) -> AsyncIterator[bytes]:
    yield b": watching\n\n"  # headers go out with the first bytes: the client knows now that it is heard
    async for batch in batches:
        yield b"".join(_frame(event) for event in batch) if batch else b": still here\n\n"


def _frame(event: Event) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n" % (event.number, event.kind.encode(), line(event_view(event)))
