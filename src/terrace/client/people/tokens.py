"""Tokens, SSH keys, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import PATIENCE, Transport, path_of


class Tokens:
    """Tokens and sessions of who asks, and service tokens of projects."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(
        self, project: str = "", *, name: str = "", kind: str = "", limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Those of who asks, or the service tokens of a project, oldest first; those whose names begin with `name`, of
        one `kind` (session, token, service), up to `limit` of them."""
        query = {"project": project, "name": name, "kind": kind}
        return items(self._transport, path_of("tokens"), query, limit)

    def create(self, wish: dict[str, Any]) -> dict[str, Any]:
        """{name, project, role, rights, service, lasts}: {token, about}, the token this once."""
        found: dict[str, Any] = self._transport.call("POST", path_of("tokens"), {}, wish).body
        return found

    def revoke(self, identity: str, project: str = "") -> None:
        """By its id."""
        self._transport.call("DELETE", path_of("tokens", identity), {"project": project or None})


class Keys:
    """SSH public keys of who asks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(self) -> Iterator[dict[str, Any]]:
        """By name: {name, text, fingerprint, created}."""
        return items(self._transport, path_of("ssh-keys"))

    def add(self, name: str, text: str) -> dict[str, Any]:
        """One more."""
        found: dict[str, Any] = self._transport.call(
            "POST", path_of("ssh-keys"), {}, {"name": name, "text": text}
        ).body
        return found

    def remove(self, name: str) -> None:
        """By its name."""
        self._transport.call("DELETE", path_of("ssh-keys", name))


class Audit:
    """Who asked for what."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def newest(self, limit: int, project: str = "") -> list[dict[str, Any]]:
        """The last rows, oldest first."""
        query = {"limit": limit, "newest": True, "project": project or None}
        found: list[dict[str, Any]] = self._transport.get(path_of("audit"), query)["items"]
        return found

    def listing(self, project: str = "", after: int = 0) -> Iterator[dict[str, Any]]:
        """All rows numbered above `after`, oldest first."""
        return items(self._transport, path_of("audit"), {"after": after, "project": project or None})

    def verify(self, known: str = "") -> dict[str, Any]:
        """{whole, count, first, last, digest, fault, at}. `known`: NUMBER:DIGEST of a row as it once was."""
        reply = self._transport.call(
            "GET", path_of("audit", "verify"), {"known": known or None}, timeout=10 * PATIENCE
        )
        found: dict[str, Any] = reply.body
        return found
