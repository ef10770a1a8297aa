"""Which flavors projects may use."""

from __future__ import annotations

from typing import Any

from terrace.client.transport import Transport, path_of


class Flavors:
    """Flavors of a project, as mappings that API v1 describes: {project, allowed, items, used_by}."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, project: str) -> dict[str, Any]:
        """What it may use, and what there is besides."""
        body: dict[str, Any] = self._transport.get(path_of("projects", project, "flavors"))
        return body

    def set(self, project: str, name: str, sizes: dict[str, str]) -> dict[str, Any]:
        """Gives it a flavor of its own, of sizes as people write them."""
        return self._call("PUT", path_of("projects", project, "flavors", name), {}, {"sizes": sizes})

    def remove(self, project: str, name: str, *, force: bool = False) -> dict[str, Any]:
        """Takes one of its own from it; `force`: also while stacks use it."""
        query = {"force": True} if force else {}
        return self._call("DELETE", path_of("projects", project, "flavors", name), query, None)

    def allow(self, project: str, names: list[str] | None) -> dict[str, Any]:
        """It may use these alone from now on; None: whatever there is."""
        return self._call("PUT", path_of("projects", project, "flavors"), {}, {"allowed": names})

    def _call(self, method: str, path: str, query: dict[str, Any], body: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.call(method, path, query, body).body
        return found
