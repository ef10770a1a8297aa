"""Secrets by name: written, told of, and never read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Secrets:
    """The secrets of one project, or (`own`) those of the installation, as mappings that API v1 describes."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def listing(
        self, *, own: bool = False, name: str = "", limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """By name: {name, version, who, at, versions, used_by}; those whose names begin with `name`, up to `limit` of
        them."""
        return items(self._transport, self._path(own), {"name": name}, limit)

    def put(self, name: str, value: str, *, own: bool = False) -> dict[str, Any]:
        """Sets a new version: {name, version}."""
        stored: dict[str, Any] = self._transport.call("PUT", self._path(own, name), {}, {"value": value}).body
        return stored

    def delete(self, name: str, *, force: bool = False, own: bool = False) -> None:
        """Takes one away; `force`: also while stacks read it."""
        self._transport.call("DELETE", self._path(own, name), {"force": force})

    def _path(self, own: bool, *rest: str) -> str:
        return path_of("secrets", *rest) if own else path_of("projects", self._project, "secrets", *rest)
