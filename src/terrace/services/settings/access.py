"""What can be set about people: how long they stay logged in, and the directory that knows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Period = Annotated[float, Meta(gt=0, extra={"unit": "duration"})]
"""Seconds; in the file a number, or text such as 30s, 10m, 12h, 30d."""


class Access(msgspec.Struct, frozen=True):
    """Times are seconds. `session`: how long a login lasts; `token`: how long a token may at most; `own_projects`: who
    has no project gets one at their first login; `reach`: what a project may use that nothing was said of; `audit`: how
    long rows of the audit log are kept."""

    session: Period = 12 * 3600.0
    token: Period = 365 * 86400.0
    own_projects: bool = True
    reach: Literal["all", "none"] = "all"
    audit: Period = 400 * 86400.0


class Ldap(msgspec.Struct, frozen=True):
    """A directory. `url`: ldaps://host, or ldap://host, which becomes encrypted by `start_tls`; `bind_dn` and
    `password_file`: as whom to look ("": nobody); `users` and `groups`: below which entry they are looked for, by which
    filter, with {name} and {dn} in it; `title` and `group_name`: which attribute says that. `roles`: by name of
    a group, what its members are: PROJECT:ROLE, or installation. `check`: after how many seconds it is asked again
    whether somebody is still there, `patience`: for how long nobody minds that it does not answer."""

    url: str = ""
    start_tls: bool = True
    ca: str = ""
    bind_dn: str = ""
    password_file: str = ""
    users: str = ""
    user_filter: str = "(uid={name})"
    title: str = "cn"
    groups: str = ""
    group_filter: str = "(member={dn})"
    group_name: str = "cn"
    roles: dict[str, list[str]] = {}
    timeout: Period = 5.0
    check: Period = 600.0
    patience: Period = 3600.0


_GIVEN = re.compile(r"installation|[a-zA-Z][a-zA-Z0-9_.-]{0,62}:(viewer|developer|operator|admin)")


def wrong(ldap: Ldap) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """What of the table cannot be: below which key, why, and what would."""
    if not re.fullmatch(r"ldaps?://[^/\s]+/?", ldap.url):
        yield ("url",), "must be ldaps://HOST or ldap://HOST", ""
    elif ldap.url.startswith("ldap://") and not ldap.start_tls and not _here(ldap.url):
        hint = "start_tls = true, or ldaps://"
        yield ("start_tls",), "passwords would cross the network for everybody to read", hint
    if not ldap.users:
        yield (
            ("users",),
            "is required: below which entry people are looked for",
            "ou=people,dc=example,dc=org",
        )
    if "{name}" not in ldap.user_filter:
        yield ("user_filter",), "must hold {name}", "(uid={name})"
    if ldap.groups and "{dn}" not in ldap.group_filter and "{name}" not in ldap.group_filter:
        yield ("group_filter",), "must hold {dn} or {name}", "(member={dn})"
    if bool(ldap.bind_dn) != bool(ldap.password_file):
        yield ("bind_dn",), "bind_dn and password_file belong together", ""
    for group, given in ldap.roles.items():
        for one in given:
            if not _GIVEN.fullmatch(one):
                yield ("roles", group), f'"{one}" gives nothing', "write PROJECT:ROLE, or installation"


def _here(url: str) -> bool:
    """Whether the directory is on this machine."""
    return re.fullmatch(r"ldap://(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?/?", url) is not None
