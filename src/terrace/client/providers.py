"""Providers: what they are, what they offer, and what was found there that nobody wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Providers:
    """The providers that a server was configured with, as mappings that API v1 describes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(self, *, project: str = "") -> Iterator[dict[str, Any]]:
        """Those that who asks may use in some project, or that `project` may use, with whether they can be reached."""
        return items(self._transport, path_of("providers"), {"project": project})

    def images(self, provider: str) -> Iterator[dict[str, Any]]:
        """Names of images it knows, and which are there."""
        return self._of(provider, "images")

    def flavors(self, provider: str) -> Iterator[dict[str, Any]]:
        """Sizes of machines."""
        return self._of(provider, "flavors")

    def ghosts(self, provider: str) -> Iterator[dict[str, Any]]:
        """Things with our label that nothing wants."""
        return self._of(provider, "ghosts")

    def fetch_image(self, provider: str, source: str) -> Iterator[dict[str, Any]]:
        """Builds ("recipe:NAME") or pulls an image; what it says meanwhile, one mapping for each line. A line
        with `code` and `message` is an error."""
        stream = self._transport.stream(
            "POST", path_of("providers", provider, "images"), body={"source": source}
        )
        return self._transport.lines(stream)

    def reap(self, provider: str, ghost: str) -> None:
        """Takes a ghost away."""
        self._transport.call("POST", path_of("providers", provider, "ghosts", ghost, "reap"))

    def accept_restore(self) -> list[str]:
        """What the database wants is right, although things are newer. The providers that it was about."""
        reply = self._transport.call("POST", path_of("accept-restore"))
        found: list[str] = reply.body["providers"]
        return found

    def _of(self, provider: str, what: str) -> Iterator[dict[str, Any]]:
        return items(self._transport, path_of("providers", provider, what))
