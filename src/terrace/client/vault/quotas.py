"""How much projects may have, and have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Quotas:
    """Quotas of all projects, as mappings that API v1 describes: {project, items}."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, project: str) -> dict[str, Any]:
        """How one project stands."""
        body: dict[str, Any] = self._transport.get(path_of("projects", project, "quota"))
        return body

    def listing(self) -> Iterator[dict[str, Any]]:
        """How every project stands."""
        return items(self._transport, path_of("quotas"))

    def set(self, project: str, limits: dict[str, str]) -> dict[str, Any]:
        """Sets limits as people write them; how the project stands then."""
        path = path_of("projects", project, "quota")
        body: dict[str, Any] = self._transport.call("PUT", path, {}, {"limits": limits}).body
        return body

    def check(self, *, repair: bool = False) -> list[dict[str, Any]]:
        """Stacks that hold something else than they take: [{project, stack, held, takes}]."""
        reply = self._transport.call("POST", path_of("quotas", "check"), {"repair": repair})
        found: list[dict[str, Any]] = reply.body["items"]
        return found
