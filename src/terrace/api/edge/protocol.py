"""HTTP on one connection, with patience that ends: whoever sends slowly, or does not read, is hung up on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

from terrace.api.views import PROBLEM

HEAD = 10.0
"""Seconds until the head of a request must be there, from when the connection is open or its first byte came."""
BODY = 30.0
"""Seconds that a body may take whatever its size,"""
SLOWEST = 8 * 1024
"""and bytes a second at which it must come after that."""
UNREAD = 60.0
"""Seconds for which the other side may leave an answer unread."""
HEAD_LIMIT = 64 * 1024
"""Bytes that the head of a request may have."""


class Patience(NamedTuple):
    """Seconds: for a head, for a body besides what its size takes, for an answer that nobody reads."""

    head: float = HEAD
    body: float = BODY
    unread: float = UNREAD


class Connection(HttpToolsProtocol):
    """One connection. `left` is called when it is gone, also when it became a WebSocket meanwhile; `dropped` before
    that, with a word for why, when it was us who hung up."""

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        patience: Patience,
        left: Callable[[], None],
        dropped: Callable[[str], None],
    ) -> None:
        super().__init__(config, state, {})
        self.ws_protocol_class = partial(Talk, left=left)  # type: ignore[assignment]
        self._patience = patience
        self._left = left
        self._dropped = dropped
        self._timer: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._head = 0
        self._body = 0
        self._state = "new"  # then "head", "body", "whole"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        """Somebody is there."""
        super().connection_made(transport)
        self._began = self.loop.time()
        self._look_again(self._patience.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """They left."""
        self._rest()
        if self._stuck is not None:
            self._stuck.cancel()
        super().connection_lost(exc)
        self._left()

    def data_received(self, data: bytes) -> None:
        """They said something."""
        if self._state == "body":
            self._body += len(data)
        else:
            self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._state == "whole":
            self._rest()
        elif self._state in ("new", "head") and self._head > HEAD_LIMIT:
            self._drop("head-too-large")
        elif self._timer is None:
            self._look_again(self._patience.head if self._state == "head" else self._patience.body)

    def handle_websocket_upgrade(self) -> None:
        """It goes on as a WebSocket, which has an end of its own."""
        self._rest()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """More is to be sent than they read."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self._patience.unread, self._drop, "unread")

    def resume_writing(self) -> None:
        """They read on."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    # what the parser finds

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._state = "head"
        self._began = self.loop.time()
        self._body = 0

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._state, self._head = "body", 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._state = "whole"
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so, as everything is told that is wrong."""
        view = {"type": "urn:terrace:error:bad-request", "title": "Bad Request", "status": 400}
        body = json.dumps({**view, "code": "bad-request", "message": msg, "detail": msg}).encode()
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {PROBLEM}\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()

    # patience

    def _look_again(self, after: float) -> None:
        self._timer = self.loop.call_later(after, self._look)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._state == "whole":
            return
        if self._state != "body":
            self._drop("slow-head")
        elif self.flow.read_paused:  # it is us who do not read
            self._look_again(self._patience.body)
        elif (left := self._began + self._patience.body + self._body / SLOWEST - self.loop.time()) > 0:
            self._look_again(left)
        else:
            self._drop("slow-body")

    def _drop(self, why: str) -> None:
        self._dropped(why)
        self.transport.abort()


class Talk(WSProtocol):
    """A connection that became a WebSocket."""

    def __init__(self, *, left: Callable[[], None], **named: Any) -> None:
        super().__init__(**named)
        self._left = left

    def connection_lost(self, exc: Exception | None) -> None:
        """They left."""
        super().connection_lost(exc)
        self._left()
