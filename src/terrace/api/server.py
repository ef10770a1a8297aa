"""/v1/version and /v1/doctor: the server itself."""

from __future__ import annotations

import os

import msgspec
from fastapi import APIRouter, Response

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


class DoctorView(msgspec.Struct):
    """What was looked at. `healthy`: there is no fault."""

    healthy: bool
    checks: list[Check]


@router.get("/v1/version", responses=gives(VersionView, "Needs no credential"))
async def version(services: Uses) -> Response:
    """Answers as soon as the server is ready."""
    return answer(VersionView(__version__, services.installation, os.getpid()))


@router.get("/v1/doctor", responses=gives(DoctorView, "The server's own health"))
async def doctor(services: Uses, caller: Caller) -> Response:
    """Each fault with how to mend it."""
    checks = await services.doctor.examine(caller)
    return answer(DoctorView(all(check.health is not Health.FAULT for check in checks), checks))
