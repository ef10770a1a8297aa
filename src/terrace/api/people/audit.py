"""/v1/audit: who asked for what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives
from terrace.api.stacks import Limit
from terrace.api.views import Page
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
        Page[AuditView], "Rows, oldest first", example={"items": [ROW], "next": "41"}, fails=[404]
    ),
)
async def list_audit(
    services: Uses,
    caller: Caller,
    *,
    project: str = "",
    after: After = 0,
    limit: Limit = 1000,
    newest: bool = False,
) -> Response:
    """Of one project, or of all."""
    rows = await services.audit.listing(caller, project, after=after, limit=limit, newest=newest)
    more = str(rows[-1].number) if len(rows) == limit and not newest else None
    items = [
        AuditView(
            row.number,
            row.entry.at,
            row.entry.actor,
            row.entry.credential,
            row.entry.source,
            row.entry.right,
            row.entry.project,
            row.entry.subject,
            row.entry.outcome,
            row.digest,
        )
        for row in rows
    ]
    return answer(Page(items, more))


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
