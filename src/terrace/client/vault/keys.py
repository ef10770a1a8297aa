"""The keys that everything secret is sealed with."""

from __future__ import annotations

from typing import Any

from terrace.client.transport import Transport, path_of


class Keys:
    """Master keys and their rotation, as mappings that API v1 describes: {masters, data_keys, rotation, file}."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def status(self) -> dict[str, Any]:
        """How the keys stand."""
        body: dict[str, Any] = self._transport.get(path_of("keys"))
        return body

    def rotate(self) -> dict[str, Any]:
        """A new master key and a new data key; how the keys stand then."""
        return self._ask("POST", path_of("keys", "rotate"))

    def forget(self, master: str) -> dict[str, Any]:
        """Takes an old master key away; how the keys stand then."""
        return self._ask("DELETE", path_of("keys", master))

    def _ask(self, verb: str, path: str) -> dict[str, Any]:
        body: dict[str, Any] = self._transport.call(verb, path).body
        return body
