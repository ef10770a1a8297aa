"""POST /v1/projects/{project}/stacks/{stack}/check: everything is looked at now."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import answer, gives
from terrace.api.stacks import PLAN, STACK
from terrace.api.views import PlanView, plan_view

router = APIRouter(tags=["operations"])


class AcceptedView(msgspec.Struct):
    """The providers on which things had been newer than the database."""

    providers: list[str]


@router.post(
    "/v1/accept-restore", responses=gives(AcceptedView, "It goes on", example={"providers": ["local"]})
)
async def accept_restore(services: Uses, caller: Caller) -> Response:
    """After an older copy of the database was put back: what it wants is right. Until this is said nothing is
    deleted or replaced on providers where things are newer than the database."""
    return answer(AcceptedView(await services.looking.accept_restore(caller)))


@router.post(STACK + "/check", responses=gives(PlanView, "What differs", example=PLAN, fails=[404, 503]))
async def check_stack(at: At, services: Uses, caller: Caller) -> Response:
    """Has every provider of the stack listed, and says what differs from what is wanted, as the plan that would
    mend it (`changes` false: nothing). 503 when a provider does not answer."""
    return answer(plan_view(await services.looking.check(caller, at)))
