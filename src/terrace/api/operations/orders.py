"""Orders besides the template: taint and restart a resource; suspend, resume and protect a stack."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from terrace.api.callers import At, Caller, Uses
from terrace.api.documents import gives, read, takes
from terrace.api.stacks import EXAMPLE, STACK, stack_answer
from terrace.api.views import StackView

router = APIRouter(tags=["operations"])
RESOURCE = STACK + "/resources/{path:path}"


class ProtectBody(msgspec.Struct, forbid_unknown_fields=True):
    """`protected`: whether deleting and abandoning the stack are refused from now on."""

    protected: bool = True


GIVES = gives(StackView, "The stack, as it then is", example=EXAMPLE, fails=[404, 409])


@router.post(RESOURCE + "/taint", responses=GIVES)
async def taint_resource(at: At, path: str, services: Uses, caller: Caller) -> Response:
    """Has a new one take the place of the resource at `path`, although nothing differs. It is counted in what is
    desired: asked twice before it began, it happens once."""
    return stack_answer(await services.orders.taint(caller, at, path))


@router.post(RESOURCE + "/restart", responses=GIVES)
async def restart_resource(at: At, path: str, services: Uses, caller: Caller) -> Response:
    """Restarts the machine at `path`, or every machine below it."""
    return stack_answer(await services.orders.restart(caller, at, path))


@router.post(STACK + "/suspend", responses=GIVES)
async def suspend_stack(at: At, services: Uses, caller: Caller) -> Response:
    """Stops every machine of the stack, and leaves all of it as it is until it is resumed: nothing is healed,
    and changes are refused."""
    return stack_answer(await services.orders.suspend(caller, at, suspended=True))


@router.post(STACK + "/resume", responses=GIVES)
async def resume_stack(at: At, services: Uses, caller: Caller) -> Response:
    """Starts what was stopped, and heals what happened meanwhile."""
    return stack_answer(await services.orders.suspend(caller, at, suspended=False))


@router.post(STACK + "/protect", openapi_extra=takes(ProtectBody, {"protected": True}), responses=GIVES)
async def protect_stack(request: Request, at: At, services: Uses, caller: Caller) -> Response:
    """Refuses deletion and abandoning of the stack from now on, or allows them again."""
    body = await read(request, ProtectBody)
    return stack_answer(await services.orders.protect(caller, at, protected=body.protected))
