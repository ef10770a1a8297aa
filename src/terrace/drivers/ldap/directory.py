"""Implements ports.people.Directory over LDAP. Each question has a connection of its own, in a thread: people log in
seldom. Encrypted unless the directory is on this machine, and the directory's certificate must be good."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from terrace.errors import TransientError
from terrace.ports.people import Found

GROUPS = 1000
"""The most groups that are asked for."""
WRONG = (49, 34)
"""Codes of LDAP: the credentials are wrong, or the entry cannot log in."""
GONE, SIZE = 32, 4
"""Codes of LDAP: there is no such entry; there are more than were asked for."""


class Place(msgspec.Struct, frozen=True):
    """Where the directory is and how it is laid out; see services.settings.Ldap."""

    url: str
    start_tls: bool
    ca: str
    bind_dn: str
    password_file: str
    users: str
    user_filter: str
    title: str
    groups: str
    group_filter: str
    group_name: str
    timeout: float


class Entry(msgspec.Struct, frozen=True):
    """A person there: the name of their entry, and how they are called."""

    dn: str
    title: str


class LdapDirectory:
    """The directory at `place`. Every method raises TransientError when it cannot be asked, or answers nonsense."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def check(self, name: str, password: str) -> Found | None:
        """Who that is, if the password is right. One that is empty never is: directories take it for a greeting of
        nobody, and say yes."""
        if not name or not password or "\x00" in password:
            return None
        return await self._ask(lambda: self._check(name, password))

    async def find(self, name: str) -> Found | None:
        """Who that is, or None when there is nobody of that name any more."""
        return await self._ask(lambda: self._find(name))

    async def _ask(self, question: Any) -> Found | None:
        from ldap3.core.exceptions import LDAPException

        try:
            async with asyncio.timeout(self._place.timeout * 3):
                found: Found | None = await asyncio.to_thread(question)
                return found
        except (LDAPException, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise TransientError(
                f"the directory {self._place.url} cannot be asked: {why[:200]}",
                code="directory-unreachable",
                hint="users whom Terrace itself knows can log in; [ldap] in server.toml says where it is",
            ) from error

    # --- in a thread

    def _check(self, name: str, password: str) -> Found | None:
        with self._connected() as connection:
            entry = self._entry(connection, name)
            if entry is None:
                return None
            own = self._opened(entry.dn, password)
            try:
                if not own.bind():
                    if own.result["result"] in WRONG:
                        return None
                    raise _refused(own)
            finally:
                own.unbind()
            return Found(name, entry.title, self._groups(connection, entry, name))

    def _find(self, name: str) -> Found | None:
        with self._connected() as connection:
            entry = self._entry(connection, name)
            return None if entry is None else Found(name, entry.title, self._groups(connection, entry, name))

    def _connected(self) -> Any:
        """A connection as the one who looks for people."""
        password = ""
        if self._place.password_file:
            password = Path(self._place.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        connection = self._opened(self._place.bind_dn, password)
        try:
            if not connection.bind():
                raise _refused(connection)
        except BaseException:
            connection.unbind()
            raise
        return connection

    def _opened(self, who: str, password: str) -> Any:
        """A connection that is open, and encrypted where it has to be, as nobody yet."""
        import ldap3  # late: few servers have a directory

        address = urlsplit(self._place.url)
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            version=ssl.PROTOCOL_TLS_CLIENT,
            ca_certs_file=self._place.ca or ssl.get_default_verify_paths().cafile,
        )
        secure = address.scheme == "ldaps"
        server = ldap3.Server(
            address.hostname,
            port=address.port or (636 if secure else 389),
            use_ssl=secure,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=self._place.timeout,
        )
        connection = ldap3.Connection(
            server,
            user=who or None,
            password=password or None,
            auto_referrals=False,
            receive_timeout=max(1, round(self._place.timeout)),
            read_only=True,
            raise_exceptions=False,
        )
        connection.open()
        if self._place.start_tls and not secure:
            connection.start_tls()
        return connection

    def _entry(self, connection: Any, name: str) -> Entry | None:
        """The one entry of that name; two of them are nobody."""
        filled = self._place.user_filter.replace("{name}", _escaped(name))
        found = self._search(connection, (self._place.users, filled), self._place.title, 2)
        if len(found) != 1:
            return None
        titles = found[0]["attributes"].get(self._place.title) or [""]
        title = titles[0] if isinstance(titles, list) else titles
        return Entry(found[0]["dn"], "".join(char for char in str(title) if char.isprintable())[:200])

    def _groups(self, connection: Any, entry: Entry, name: str) -> tuple[str, ...]:
        if not self._place.groups:
            return ()
        filled = self._place.group_filter.replace("{dn}", _escaped(entry.dn)).replace(
            "{name}", _escaped(name)
        )
        found = self._search(connection, (self._place.groups, filled), self._place.group_name, GROUPS)
        names: set[str] = set()
        for one in found:
            values = one["attributes"].get(self._place.group_name) or []
            names.update(map(str, values if isinstance(values, list) else [values]))
        return tuple(sorted(one for one in names if one.isprintable() and len(one) < 64))

    def _search(self, connection: Any, below: tuple[str, str], attribute: str, most: int) -> list[Any]:
        import ldap3

        base, filled = below
        connection.search(
            base,
            filled,
            ldap3.SUBTREE,
            attributes=[attribute],
            size_limit=most,
            time_limit=max(1, round(self._place.timeout)),
        )
        code = connection.result["result"]
        if code not in (0, GONE, SIZE):
            raise _refused(connection)
        return [one for one in connection.response or [] if one["type"] == "searchResEntry"]


def _escaped(text: str) -> str:
    """`text` as it may stand in a filter, where it is nothing but itself."""
    from ldap3.utils.conv import escape_filter_chars

    found: str = escape_filter_chars(text)
    return found


def _refused(connection: Any) -> Exception:
    from ldap3.core.exceptions import LDAPOperationResult

    said = connection.result
    error: Exception = LDAPOperationResult(
        result=said["result"], description=said["description"], message=said["message"]
    )
    return error
