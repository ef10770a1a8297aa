"""Answers that last: events that are followed, logs, programs in machines. Who loses what they may loses these, too."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrace.api.callers import CALLER, identified
from terrace.errors import ForbiddenError, TerraceError
from terrace.services.gate import Actor

LOOK = 5.0
"""Seconds after which it is looked again who is at the other end."""
NOT_ALLOWED = 1008
"""The WebSocket close code for that."""


class Lasting:
    """ASGI middleware: an answer that lasts ends when who asked for it may do less than when they asked. They can ask
    again, and are told then what they may."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket") or scope.get("terrace.owner") is True:
            await self._app(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None
        watch: asyncio.Task[None] | None = None
        lapsed = False

        async def look() -> None:
            nonlocal lapsed
            connection = HTTPConnection(scope)
            while await _holds(connection, scope.get(CALLER)):
                pass
            lapsed = True
            task.cancel()

        async def told(message: Message) -> None:
            nonlocal watch
            if watch is None and _lasts(message):
                watch = asyncio.create_task(look())
            await send(message)

        try:
            await self._app(scope, receive, told)
        except asyncio.CancelledError:
            if not lapsed or task.uncancel():
                raise
            await send(_end(scope))
        finally:
            if watch is not None:
                watch.cancel()


async def _holds(connection: HTTPConnection, actor: Any) -> bool:
    """Whether, some seconds from now, they may still do all that they could."""
    await asyncio.sleep(LOOK)
    try:
        now = await identified(connection)
    except ForbiddenError:
        return False
    except TerraceError:
        return True  # nobody can say now
    return isinstance(actor, Actor) and _no_less(now, actor)


def _lasts(message: Message) -> bool:
    """Whether the answer goes on after this."""
    kind = message["type"]
    return kind == "websocket.accept" or (kind == "http.response.body" and bool(message.get("more_body")))


def _end(scope: Scope) -> Message:
    if scope["type"] == "websocket":
        return {"type": "websocket.close", "code": NOT_ALLOWED, "reason": "what you may do has changed"}
    return {"type": "http.response.body", "body": b"", "more_body": False}


def _no_less(now: Actor, before: Actor) -> bool:
    here = all(rights <= now.rights.get(project, frozenset()) for project, rights in before.rights.items())
    return here and before.everywhere <= now.everywhere and before.wide <= now.wide
