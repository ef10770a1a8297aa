"""/healthz, /readyz and /metrics: what machines ask the server."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives
from terrace.api.problems import refuse

router = APIRouter(tags=["server"])


class HealthView(msgspec.Struct):
    """`status`: ok."""

    status: str = "ok"


TEXT = "text/plain; version=0.0.4; charset=utf-8"
MEASURES = gives(HealthView, "Measurements, in the text format of Prometheus")
MEASURES[200]["content"] = {"text/plain": {"schema": {"type": "string"}}}


@router.get(
    "/healthz",
    responses=gives(HealthView, "The process is alive. Needs no credential", example={"status": "ok"}),
)
async def alive() -> Response:
    """Says nothing of what it stands on: see /readyz."""
    return answer(HealthView())


@router.get(
    "/readyz",
    responses=gives(
        HealthView,
        "It can do its work: the store can be written, the engine runs. Needs no credential",
        example={"status": "ok"},
        fails=[503],
    ),
)
async def ready(services: Uses) -> Response:
    """503 with the reason when it cannot, and while it stops."""
    why = await services.doctor.unready()
    return refuse(503, why, code="not-ready") if why else answer(HealthView())


@router.get("/metrics", response_class=PlainTextResponse, responses=MEASURES)
async def metrics(services: Uses, caller: Caller) -> Response:
    """Names and meanings are in the reference."""
    return Response(await services.doctor.measured(caller), media_type=TEXT)
