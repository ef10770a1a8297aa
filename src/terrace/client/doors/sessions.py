"""Logging in and out."""

from __future__ import annotations

from typing import Any

from terrace.client.transport import Transport


class Sessions:
    """Who asks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def login(self, name: str, password: str) -> dict[str, Any]:
        """A session for who knows the password: {token, name, project, expires}. The token is for other Clients:
        `Client(address, token=...)`. ApiError 401 when name or password are wrong."""
        body = {"name": name, "password": password}
        found: dict[str, Any] = self._transport.call("POST", "/v1/login", None, body).body
        return found

    def logout(self) -> None:
        """Ends the session whose token this Client has."""
        self._transport.call("POST", "/v1/logout")

    def me(self) -> dict[str, Any]:
        """Who this Client comes as, and what they may."""
        found: dict[str, Any] = self._transport.get("/v1/me")
        return found
