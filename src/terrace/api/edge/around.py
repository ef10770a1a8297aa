"""What stands around every request: an id, a line in the log, a measurement."""

from __future__ import annotations

import os
import re
from time import perf_counter
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrace.api.problems import told_path
from terrace.ports.telemetry import LATENCY, REQUESTS, STREAMS, Telemetry, Values

ID = "terrace.request"
"""Where the scope of a request has its id."""
ACTOR = "terrace.actor"
"""Where the scope has the name of whoever asks, once that is known."""
HEADER = b"x-request-id"
QUIET = ("/healthz", "/readyz", "/metrics")
"""Paths that machines ask for over and over: they are logged when they fail."""
UNKNOWN = "unknown"
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")

Told = Literal["all", "changes", "failures"]
"""Which requests have a line in the log: all, those that change something or fail, those that fail."""


class Around:
    """ASGI middleware, the outermost. `told`: which requests are logged."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry, told: Told = "all") -> None:
        self._app = app
        self._telemetry = telemetry
        self._told = told
        self._streams = 0
        telemetry.gauge(STREAMS, self._followed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        name = _given(scope) or os.urandom(8).hex().encode()
        scope[ID] = name.decode()
        status, stream = 0, False

        async def told(message: Message) -> None:
            nonlocal status, stream
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
                status = message.get("status", 101)
                headers = message["headers"] = list(message.get("headers") or ())
                headers.append((HEADER, name))
                self._measure(scope, status, perf_counter() - began)
                if (b"content-type", b"text/event-stream; charset=utf-8") in headers:
                    stream = True
                    self._streams += 1
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            if stream:
                self._streams -= 1
            self._log(scope, status, perf_counter() - began)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get("method", "WEBSOCKET")
        path = getattr(scope.get("route"), "path", UNKNOWN)
        self._telemetry.took(LATENCY, seconds, method, path)
        self._telemetry.count(REQUESTS, method, path, str(status))

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        """A line without the query and the body: there may be secrets in them. Status 0: they left before there was an
        answer."""
        method, path = scope.get("method", "WEBSOCKET"), scope["path"]
        failed = not status or status >= 400
        if not failed and (path in QUIET or self._told == "failures"):
            return
        if not failed and self._told == "changes" and method in ("GET", "HEAD"):
            return
        client = scope.get("client")
        self._telemetry.log(
            "error" if status >= 500 else "info",
            "request",
            id=scope[ID],
            method=method,
            path=told_path(path),
            status=status,
            ms=round(seconds * 1000, 2),
            actor=scope.get(ACTOR, ""),
            source=client[0] if client else "",
        )

    def _followed(self) -> Values:
        return {(): self._streams}


def _given(scope: Any) -> bytes | None:
    """An id that the other side chose, so that its log and ours can be read together."""
    for name, value in scope["headers"]:
        if name == HEADER:
            return value if _GIVEN.fullmatch(value) else None
    return None
