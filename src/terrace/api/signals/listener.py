"""The second listener: it serves the doors at addresses that guests can reach, and follows these as they come and
go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from terrace.ports.telemetry import Telemetry


class Bell(Protocol):
    """What rings when addresses may have changed (runtime.bell.Bell)."""

    count: int

    async def wait(self, after: int, timeout: float) -> bool:
        """Whether it rang after `count` was `after`, within `timeout` seconds."""


PATIENCE = 30.0
"""Seconds that one connection may last, whatever it does."""
MOST = 256
"""Connections at once; more are hung up on."""
LOOK = 30.0
"""Seconds until it looks for new addresses though nothing rang."""


class DoorProtocol(H11Protocol):
    """HTTP for strangers: connections are few and short."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        """Lets somebody in, for a while."""
        if len(self.connections) >= MOST:
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._end = self.loop.call_later(PATIENCE, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """They left."""
        if hasattr(self, "_end"):
            self._end.cancel()
            super().connection_lost(exc)


class DoorListener:
    """Serves `app` on `port` of every address that `addresses` gives."""

    def __init__(
        self, app: FastAPI, addresses: Callable[[], frozenset[tuple[str, int]]], telemetry: Telemetry
    ) -> None:
        self._addresses = addresses
        self._telemetry = telemetry
        self._servers: dict[tuple[str, int], asyncio.Server] = {}
        self._refused: set[tuple[str, int]] = set()
        self._state = ServerState()
        self._config = uvicorn.Config(
            app,
            http=DoorProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=5,
        )

    async def run(self, bell: Bell) -> None:
        """Follows the addresses until cancelled; `bell` rings when they may have changed."""
        if not self._config.loaded:
            self._config.load()
        try:
            while True:
                rung = bell.count
                await self.follow()
                await bell.wait(rung, LOOK)
        finally:
            for address in list(self._servers):
                self._close(address)

    async def follow(self) -> None:
        """Listens where it should and does not, and no longer where it should not."""
        wanted = self._addresses()
        for address in self._servers.keys() - wanted:
            self._close(address)
        self._refused &= wanted
        for address in wanted - self._servers.keys():
            await self._listen(address)

    async def _listen(self, address: tuple[str, int]) -> None:
        try:
            listener = _bound(*address)
        except OSError as error:
            if address not in self._refused:
                self._refused.add(address)
                self._telemetry.log(
                    "warning", "signals.deaf", address=f"{address[0]}:{address[1]}", error=str(error)
                )
            return
        loop = asyncio.get_running_loop()
        self._servers[address] = await loop.create_server(self._protocol, sock=listener)
        self._refused.discard(address)
        self._telemetry.log("info", "signals.listening", address=f"{address[0]}:{address[1]}")

    def _protocol(self) -> Any:
        return DoorProtocol(config=self._config, server_state=self._state, app_state={})

    def _close(self, address: tuple[str, int]) -> None:
        self._servers.pop(address).close()
        self._telemetry.log("info", "signals.closed", address=f"{address[0]}:{address[1]}")


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound to just this address."""
    listener = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC
    )
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
