"""Engines: the processes of Terrace that share its store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Engines:
    """The engines of a server, as mappings that API v1 describes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(self) -> Iterator[dict[str, Any]]:
        """All that are alive, and how many stacks each works on."""
        return items(self._transport, path_of("engines"))

    def drain(self, name: str, *, on: bool = True) -> dict[str, Any]:
        """Has one give its stacks away (or take some again)."""
        reply = self._transport.call("POST", path_of("engines", name, "drain"), body={"on": on})
        found: dict[str, Any] = reply.body
        return found
