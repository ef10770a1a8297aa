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

    def resources(
        self, stack: str, *, under: str = "", state: str = "", kind: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Resources by path: those at or below `under`, in one `state`, of one `kind`."""
        query = {"under": under, "state": state, "kind": kind}
        return items(self._transport, self._path(stack, "resources"), query)

    def resource_page(
        self,
        stack: str,
        *,
        under: str = "",
        state: str = "",
        kind: str = "",
        cursor: str = "",
        limit: int = 1000,
    ) -> dict[str, Any]:
        """One page of them: {items, next}."""
        asked = {"under": under, "state": state, "kind": kind, "cursor": cursor}
        query = {"limit": limit, **{name: value for name, value in asked.items() if value}}
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

    def outputs(self, stack: str, *, reveal: bool = False) -> Iterator[dict[str, Any]]:
        """All outputs by name: {name, value, secret}. `reveal` shows secret ones, which are ****** otherwise."""
        return items(self._transport, self._path(stack, "outputs"), {"reveal": reveal})

    def output(self, stack: str, name: str, *, reveal: bool = False) -> dict[str, Any]:
        """One output: {name, value, secret}."""
        body: dict[str, Any] = self._transport.get(self._path(stack, "outputs", name), {"reveal": reveal})
        return body

    def _path(self, stack: str, *rest: str) -> str:
        return path_of("projects", self._project, "stacks", stack, *rest)
