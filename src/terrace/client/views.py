"""What there is to look at in a stack: resources, generations, outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Views:
    """The insides of the stacks of one project, as mappings that API v1 describes."""

    def __init__(self, transport: Transport, project: str) -> None:
        self._transport = transport
        self._project = project

    def resources(self, stack: str, *, under: str = "") -> Iterator[dict[str, Any]]:
        """All resources by path, those at or below `under`."""
        return items(self._transport, self._path(stack, "resources"), {"under": under or None})

    def resource_page(
        self, stack: str, *, under: str = "", cursor: str = "", limit: int = 1000
    ) -> dict[str, Any]:
        """One page of them: {items, next}."""
        query = {"under": under or None, "cursor": cursor or None, "limit": limit}
        page: dict[str, Any] = self._transport.get(self._path(stack, "resources"), query)
        return page

    def resource(self, stack: str, path: str) -> dict[str, Any]:
        """One resource, with what was seen of it."""
        body: dict[str, Any] = self._transport.get(self._path(stack, "resources", path))
        return body

    def generations(self, stack: str) -> Iterator[dict[str, Any]]:
        """Those that are kept, newest first."""
        return items(self._transport, self._path(stack, "generations"), {})

    def generation(self, stack: str, number: int) -> dict[str, Any]:
        """One generation, with its files."""
        body: dict[str, Any] = self._transport.get(self._path(stack, "generations", str(number)))
        return body

    def outputs(self, stack: str, *, reveal: bool = False) -> list[dict[str, Any]]:
        """All outputs: [{name, value, secret}]. `reveal` shows secret ones, which are ****** otherwise."""
        found: list[dict[str, Any]] = self._transport.get(self._path(stack, "outputs"), {"reveal": reveal})[
            "items"
        ]
        return found

    def output(self, stack: str, name: str, *, reveal: bool = False) -> dict[str, Any]:
        """One output: {name, value, secret}."""
        body: dict[str, Any] = self._transport.get(self._path(stack, "outputs", name), {"reveal": reveal})
        return body

    def _path(self, stack: str, *rest: str) -> str:
        return path_of("projects", self._project, "stacks", stack, *rest)
