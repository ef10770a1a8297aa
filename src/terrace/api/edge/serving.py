"""The server itself: one app, heard at several doors, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from asyncio import sslproto
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import Any, Protocol

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from terrace.api.edge.crowd import Crowd
from terrace.api.edge.protocol import Connection, Patience
from terrace.ports.telemetry import CONNECTIONS, LAG, REFUSED, Telemetry

GRACE = 20
"""Seconds that requests may take to end after the server was told to stop."""
HANDSHAKE = 10.0
"""Seconds that agreeing on TLS may take."""
GOODBYE = 1.0
"""Seconds that saying goodbye in TLS may take: many clients never answer it."""
BREATH = 0.5
"""Seconds until it tries again to let somebody in when the system has no room for more."""

SAMPLE = 1.0
"""Seconds between two looks at how late the loop is."""

# Each TLS connection holds a buffer of this size for what comes in; asyncio's 256 KiB are 125 MB for 500 who only
# listen.
sslproto.SSLProtocol.max_size = 16 * 1024


class Tls(Protocol):
    """What a listener with TLS needs (tls.Certificate)."""

    context: ssl.SSLContext

    def refresh(self) -> None:
        """Called before each connection."""


class Door:
    """A socket that listens, and who may come in there. `admits` says from where a connection is, None when it may not
    come in; `owner`: whoever does is the server's owner; `tls` None: plain text."""

    def __init__(
        self,
        listener: socket.socket,
        crowd: Crowd,
        admits: Callable[[socket.socket, Any], str | None],
        *,
        owner: bool = False,
        tls: Tls | None = None,
        patience: Patience = Patience(),  # noqa: B008 -- a value
    ) -> None:
        self.name = "tcp" if tls else "unix"
        self.listener = listener
        self.crowd = crowd
        self.admits = admits
        self.owner = owner
        self.tls = tls
        self.patience = patience


class Porter:
    """Lets people in at a door, until closed. The socket stays open: it is not its own."""

    def __init__(self, door: Door, config: uvicorn.Config, state: ServerState, telemetry: Telemetry) -> None:
        self._door = door
        self._config = config
        self._state = state
        self._telemetry = telemetry
        self._entering: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._watch())

    def close(self) -> None:
        """Lets nobody in any more."""
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Until those who were about to come in are in, or gone."""
        if self._entering:
            await asyncio.wait(self._entering)

    async def _watch(self) -> None:
        loop, door = asyncio.get_running_loop(), self._door
        while True:
            try:
                connection, address = await loop.sock_accept(door.listener)
            except OSError as error:  # no descriptor is left: those who wait are let in when one is
                self._telemetry.log("warning", "server.full", error=str(error))
                await asyncio.sleep(BREATH)
                continue
            source = door.admits(connection, address)
            if source is None or not door.crowd.enter(source):
                self._telemetry.count(REFUSED, "crowd" if source is not None else "not the owner")
                connection.close()
            else:
                task = loop.create_task(self._enter(connection, source))
                self._entering.add(task)
                task.add_done_callback(self._entering.discard)
            await asyncio.sleep(0)  # a crowd at the door does not keep those inside from being served

    async def _enter(self, connection: socket.socket, source: str) -> None:
        door, inside = self._door, False

        def left() -> None:
            if inside:
                door.crowd.leave(source)

        def dropped(why: str) -> None:
            self._telemetry.count(REFUSED, why)
            self._telemetry.log("debug", "server.dropped", source=source, why=why)

        make = partial(Connection, self._config, self._state, door.patience, left, dropped)
        try:
            if door.tls is not None:
                door.tls.refresh()
            inside = True
            await asyncio.get_running_loop().connect_accepted_socket(
                make,
                connection,
                ssl=door.tls.context if door.tls else None,
                ssl_handshake_timeout=HANDSHAKE if door.tls else None,
                ssl_shutdown_timeout=GOODBYE if door.tls else None,
            )
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError: they do not trust us, or speak no TLS
            door.crowd.leave(source)
            inside = False
            connection.close()


class Server(uvicorn.Server):
    """Serves `doors`, sleeping until it is told to stop, and then lets `farewell` end what would never end."""

    def __init__(
        self, app: ASGIApp, doors: Sequence[Door], telemetry: Telemetry, farewell: Callable[[], None]
    ) -> None:
        super().__init__(configured(app))
        self._app = app
        self._doors = doors
        self._telemetry = telemetry
        self._farewell = farewell
        self._told = asyncio.Event()
        self.again = False
        """Whether it was told to begin anew, rather than to end."""
        self.may_restart: Callable[[], bool] = lambda: False
        """Asked before it begins anew: whether it could."""
        self.ready: Callable[[], None] = lambda: None
        """Called once it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Opens the doors."""
        self._telemetry.gauge(CONNECTIONS, lambda: {(door.name,): door.crowd.inside for door in self._doors})
        self.servers = [self._porter(door) for door in self._doors]  # type: ignore[misc]
        self.started = True

    def _porter(self, door: Door) -> Porter:
        config = configured(marked(self._app, door.owner))
        config.load()
        return Porter(door, config, self.server_state, self._telemetry)

    async def main_loop(self) -> None:
        """Sleeps; the ticking of uvicorn's own loop would wake an idle machine ten times a second."""
        self.ready()
        lag = asyncio.get_running_loop().create_task(self._lag())
        await self._told.wait()
        lag.cancel()

    async def _lag(self) -> None:
        """Measures how late the loop comes around, once a second."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + SAMPLE
            await asyncio.sleep(SAMPLE)
            self._telemetry.took(LAG, max(0.0, loop.time() - due))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop the server in good order, and are not raised again afterwards: it ends with
        0. After SIGHUP it begins anew."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, self._restart)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _restart(self) -> None:
        """SIGHUP: it is to begin anew, with the settings that there are now."""
        if not self.should_exit and self.may_restart():
            self.again = True
            self.handle_exit(signal.SIGHUP, None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop; the second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._told.set()
        self._farewell()


def marked(app: ASGIApp, owner: bool) -> ASGIApp:
    """`app`, told in each scope ("terrace.owner") whether it is the owner who asks."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope["terrace.owner"] = owner
        await app(scope, receive, send)

    return told


def configured(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn is to serve."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="wsproto",
        loop="asyncio",
        # Whoever comes from this machine may write any X-Forwarded-For: nobody is believed.
        proxy_headers=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
    )
