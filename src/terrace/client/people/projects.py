"""Projects, who is a member of them, and what they may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Projects:
    """All that are there for who asks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(self, *, name: str = "") -> Iterator[dict[str, Any]]:
        """By name: {name, title, created, maker, rights}; those whose names begin with `name`."""
        return items(self._transport, path_of("projects"), {"name": name})

    def add(self, name: str, title: str = "") -> dict[str, Any]:
        """A new one."""
        return self._ask("POST", path_of("projects"), {"name": name, "title": title})

    def change(self, name: str, title: str) -> dict[str, Any]:
        """Another title."""
        return self._ask("PATCH", path_of("projects", name), {"title": title})

    def remove(self, name: str) -> None:
        """Takes one away that has no stacks."""
        self._transport.call("DELETE", path_of("projects", name))

    def members(self, name: str, *, kind: str = "") -> Iterator[dict[str, Any]]:
        """Users and groups: {kind, name, role, granted, denied, since}; those of one `kind` (user, group)."""
        return items(self._transport, path_of("projects", name, "members"), {"kind": kind})

    def seat(self, name: str, kind: str, who: str, seat: dict[str, Any]) -> dict[str, Any]:
        """A user or group (`kind`) becomes a member: {role, granted, denied}."""
        return self._ask("PUT", path_of("projects", name, "members", kind, who), seat)

    def dismiss(self, name: str, kind: str, who: str) -> None:
        """A member leaves."""
        self._transport.call("DELETE", path_of("projects", name, "members", kind, who))

    def reach(self, name: str) -> list[dict[str, Any]]:
        """What it may use: [{provider, region}]."""
        found: list[dict[str, Any]] = self._transport.get(path_of("projects", name, "reach"))["items"]
        return found

    def set_reach(self, name: str, reach: list[dict[str, str]]) -> list[dict[str, Any]]:
        """It may use these alone."""
        found: list[dict[str, Any]] = self._ask("PUT", path_of("projects", name, "reach"), {"reach": reach})[
            "items"
        ]
        return found

    def _ask(self, verb: str, path: str, body: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.call(verb, path, {}, body).body
        return found
