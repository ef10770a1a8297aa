"""/v1/audit: who asked for what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives
from terrace.api.edge.pages import NUMBER, Paged
from terrace.api.views import Page
from terrace.ports.audit import Row
from terrace.services.people.audit import Verdict

router = APIRouter(tags=["people"])


class AuditView(msgspec.Struct):
    """Something that was asked for: by whom, with which credential ("socket": the owner's), from where, which right it
    takes, in which project ("": the installation), about what, and whether it was `allowed` or `denied` (`anchor`:
    older rows were let go). `digest` covers the row and the digest before it."""

    number: int
    at: float
    actor: str
    credential: str
    source: str
    right: str
    project: str
    subject: str
    outcome: str
    digest: str


ROW = {
    "number": 41,
    "at": 1767225600.0,
    "actor": "ada",
    "credential": "k3v9x0a2m4c6",
    "source": "192.0.2.7",
    "right": "write",
    "project": "shop",
    "subject": "web",
    "outcome": "allowed",
    "digest": "9f2c",
}
After = Annotated[int, Query(ge=0, le=2**62, description="Only rows numbered above this")]


@router.get(
    "/v1/audit",
    responses=gives(
        Page[AuditView], "Rows, oldest first", example={"items": [ROW], "next": "WzQxXQ"}, fails=[404]
    ),
)
async def list_audit(
    services: Uses,
    caller: Caller,
    page: Paged,
    *,
    project: str = "",
    after: After = 0,
    newest: bool = False,
) -> Response:
    """Of one project, or of all. `newest`: the last ones, and no page follows."""
    (begin,) = page.after(NUMBER, (after,))
    limit = page.limit if newest else page.more
    rows = await services.audit.listing(caller, project, after=begin, limit=limit, newest=newest)
    return page.of(rows, lambda row: (row.number,), _view)


def _view(row: Row) -> AuditView:
    entry = row.entry
    return AuditView(
        row.number,
        entry.at,
        entry.actor,
        entry.credential,
        entry.source,
        entry.right,
        entry.project,
        entry.subject,
        entry.outcome,
        row.digest,
    )


@router.get(
    "/v1/audit/verify",
    responses=gives(
        Verdict,
        "Whether the log is as it was written",
        example={"whole": True, "count": 41, "first": 1, "last": 41, "digest": "9f2c", "fault": "", "at": 0},
    ),
)
async def verify_audit(services: Uses, caller: Caller, known: str = "") -> Response:
    """Looks through all of it. `known` is NUMBER:DIGEST of a row as it once was: with it even a log that was made anew
    is found."""
    return answer(await services.audit.verify(caller, known))
