"""/v1/version and /v1/doctor: the server itself."""

from __future__ import annotations

import os

import msgspec
from fastapi import APIRouter, Request, Response

from terrace import __version__
from terrace.api.callers import Caller, Uses
from terrace.api.documents import answer, gives
from terrace.services.doctor import Check, Health

router = APIRouter(tags=["server"])


class VersionView(msgspec.Struct):
    """Which server this is: its version, the installation its labels carry, and its process id."""

    version: str
    installation: str
    pid: int


class ServerView(msgspec.Struct):
    """`started` in epoch seconds; `listen` is the address on TCP and `fingerprint` that of the certificate shown there
    ("": it does not listen there); `connections` that are open, by door."""

    version: str
    installation: str
    pid: int
    started: float
    listen: str
    fingerprint: str
    connections: dict[str, int]


RUNS = {
    "version": "0.1.0",
    "installation": "c8a3fe79d93a4d53aa40",
    "pid": 4711,
    "started": 1767225600.0,
    "listen": "0.0.0.0:7443",
    "fingerprint": "sha256:" + "5f" * 32,
    "connections": {"unix": 1, "tcp": 12},
}


class DoctorView(msgspec.Struct):
    """What was looked at. `healthy`: there is no fault."""

    healthy: bool
    checks: list[Check]


@router.get("/v1/version", responses=gives(VersionView, "Needs no credential"))
async def version(services: Uses) -> Response:
    """Answers as soon as the server is ready."""
    return answer(VersionView(__version__, services.installation, os.getpid()))


@router.get(
    "/v1/server", responses=gives(ServerView, "How the server runs, and how it is reached", example=RUNS)
)
async def running(request: Request, services: Uses, caller: Caller) -> Response:
    """Where it listens, and what its certificate is known by."""
    await services.doctor.looked_at(caller)
    tcp = next((door for door in request.app.state.doors if door.tls is not None), None)
    view = ServerView(
        __version__,
        services.installation,
        os.getpid(),
        services.doctor.started,
        services.settings.server.listen,
        tcp.tls.fingerprint if tcp else "",
        {door.name: door.crowd.inside for door in request.app.state.doors},
    )
    return answer(view)


@router.get("/v1/doctor", responses=gives(DoctorView, "The server's own health"))
async def doctor(services: Uses, caller: Caller) -> Response:
    """Each fault with how to mend it."""
    checks = await services.doctor.examine(caller)
    return answer(DoctorView(all(check.health is not Health.FAULT for check in checks), checks))
