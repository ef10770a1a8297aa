"""Who asks, who has an account, and groups of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.pages import items
from terrace.client.transport import Transport, path_of


class Me:
    """Who asks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self) -> dict[str, Any]:
        """{name, owner, rights, everywhere, installation}."""
        found: dict[str, Any] = self._transport.get(path_of("me"))
        return found

    def login(self, name: str, password: str) -> dict[str, Any]:
        """A session: {token, name, project, expires}. ApiError 401."""
        found: dict[str, Any] = self._transport.call(
            "POST", path_of("login"), {}, {"name": name, "password": password}
        ).body
        return found

    def logout(self) -> None:
        """Ends the session that the client's token is of."""
        self._transport.call("POST", path_of("logout"))

    def set_password(self, old: str, new: str) -> None:
        """Another password; it ends every session."""
        self._transport.call("PUT", path_of("me", "password"), {}, {"old": old, "new": new})


class Users:
    """Who has an account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(
        self, *, name: str = "", source: str = "", limit: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """By name: {name, title, source, admin, disabled, created}; those whose names begin with `name`, of one
        `source` (local, ldap), up to `limit` of them."""
        return items(self._transport, path_of("users"), {"name": name, "source": source}, limit)

    def add(self, name: str, **more: Any) -> dict[str, Any]:
        """A new one; `more`: title, password, admin, disabled."""
        found: dict[str, Any] = self._transport.call(
            "POST", path_of("users"), {}, {"name": name, **more}
        ).body
        return found

    def change(self, name: str, **more: Any) -> dict[str, Any]:
        """`more` is to be another way: title, password, admin, disabled."""
        found: dict[str, Any] = self._transport.call("PATCH", path_of("users", name), {}, more).body
        return found

    def remove(self, name: str) -> None:
        """Takes one away."""
        self._transport.call("DELETE", path_of("users", name))


class Groups:
    """Users under one name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def listing(self, *, name: str = "", source: str = "") -> Iterator[dict[str, Any]]:
        """By name: {name, source, members, created}; those whose names begin with `name`, of one `source`."""
        return items(self._transport, path_of("groups"), {"name": name, "source": source})

    def add(self, name: str) -> dict[str, Any]:
        """A new one."""
        found: dict[str, Any] = self._transport.call("POST", path_of("groups"), {}, {"name": name}).body
        return found

    def remove(self, name: str) -> None:
        """Takes one away."""
        self._transport.call("DELETE", path_of("groups", name))

    def join(self, name: str, user: str) -> dict[str, Any]:
        """A user becomes a member; the group."""
        found: dict[str, Any] = self._transport.call("PUT", path_of("groups", name, "members", user)).body
        return found

    def leave(self, name: str, user: str) -> dict[str, Any]:
        """A user is a member no more; the group."""
        found: dict[str, Any] = self._transport.call("DELETE", path_of("groups", name, "members", user)).body
        return found
