"""Signals to handles and policies, their tokens, and the sizes of groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Signals:
    """The doors and groups of the stacks of one project, as mappings that API v1 describes."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def listing(self, stack: str, path: str = "", *, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The signals that came, by path and id; `path`: only those to this handle; up to `limit` of them."""
        return items(self._transport, self._path(stack, "signals"), {"path": path}, limit)

    def send(self, stack: str, path: str, signal: dict[str, Any]) -> dict[str, Any]:
        """Sends {status, reason, data, id}; what became of it."""
        return self._ask("POST", self._path(stack, "signals", path), signal)

    def rotate(self, stack: str, path: str, *, revoke: bool = False) -> dict[str, Any]:
        """Has a door get another token, or none any more."""
        return self._ask("POST", self._path(stack, "tokens", path), {"revoke": revoke})

    def size(self, stack: str, path: str) -> dict[str, Any]:
        """How many members a group is to have, and who said so."""
        found: dict[str, Any] = self._transport.get(self._path(stack, "sizes", path))
        return found

    def scale(self, stack: str, path: str, size: int, why: str = "") -> dict[str, Any]:
        """Has a group have `size` members; the stack."""
        return self._ask("PUT", self._path(stack, "sizes", path), {"size": size, "why": why})

    def _ask(self, verb: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._transport.call(verb, path, {}, body).body
        return answer

    def _path(self, stack: str, *rest: str) -> str:
        return path_of("projects", self._project, "stacks", stack, *rest)
