"""Who asks, and about what. The server listens on its owner's Unix socket alone (see listen.py), so whoever
gets this far is the owner; credentials of others will come in here and nowhere else."""

from __future__ import annotations

import os
import pwd
import re
from functools import cache
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import HTTPConnection

from terrace.errors import UserError
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


async def caller() -> Actor:
    """Who sent this request."""
    return owner()


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
