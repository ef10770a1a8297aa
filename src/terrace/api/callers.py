"""Who asks, and about what. Credentials come in here and nowhere else: a listener says that a connection is the
owner's, or a token says whose it is, or it is nobody's and gets nothing but what is open to all."""

from __future__ import annotations

import os
import pwd
import re
from functools import cache
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import HTTPConnection

from terrace.errors import ForbiddenError, UserError
from terrace.services import Services
from terrace.services.gate import Actor, Where


@cache
def owner() -> Actor:
    """The one this server belongs to."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return Actor(name, owner=True)


OPEN = frozenset(
    {
        "/healthz",
        "/readyz",
        "/v1/version",
        "/v1/login",
        "/v1/signals/{door}",
        "/v1/signals/{door}/{token}",
    }
)
"""Routes that need no credential, and guard themselves. Every other route asks for one, without saying so."""
NOBODY = Actor("nobody")
CALLER = "terrace.caller"
"""Where the scope of a request has its actor."""


async def caller(connection: HTTPConnection) -> Actor:
    """Who sent this request, which its line in the log says too. ForbiddenError ("unauthenticated") when nobody can
    say."""
    found: Actor | None = connection.scope.get(CALLER)
    if found is None:
        found = connection.scope[CALLER] = await identified(connection)
        connection.scope["terrace.actor"] = found.name
    return found


async def identified(connection: HTTPConnection) -> Actor:
    """Who is at the other end, now."""
    if connection.scope.get("terrace.owner") is True:
        return owner()
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        services = await services_of(connection)
        return await services.people.authenticate(token.strip(), source_of(connection))
    if getattr(connection.scope.get("route"), "path", None) in OPEN:
        return NOBODY
    raise ForbiddenError(
        "this needs a token: Authorization: Bearer TOKEN", code="unauthenticated", hint="terrace login"
    )


def source_of(connection: HTTPConnection) -> str:
    """From where a request comes."""
    return connection.client.host if connection.client is not None else ""


async def where(project: str, stack: str) -> Where:
    """The stack that the path names."""
    return Where(project, stack)


async def services_of(connection: HTTPConnection) -> Services:
    """The use cases of the app that serves this request."""
    found: Services = connection.app.state.services
    return found


async def expected(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The generation that If-Match names (0: the stack must not exist), None for none. UserError when it is
    no generation."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'\s*(?:W/)?"(\d{1,18})"\s*', if_match)
    if match is None:
        hint = 'for example If-Match: "3"'
        raise UserError(
            "If-Match must be the number of a generation in quotes", code="invalid-request", hint=hint
        )
    return int(match[1])


Caller = Annotated[Actor, Depends(caller)]
At = Annotated[Where, Depends(where)]
Uses = Annotated[Services, Depends(services_of)]
Expected = Annotated[int | None, Depends(expected)]
