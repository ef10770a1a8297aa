"""Rows of the tables about people, and the values that they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from terrace.errors import ConflictError
from terrace.ports.people import Credential, Member, User
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Writer


def user(row: Sequence[Any]) -> User:
    """A user from its columns."""
    identity, name, title, source, password, admin, disabled, created, checked = row
    return User(identity, name, title, source, password, bool(admin), bool(disabled), created, checked)


def credential(row: Sequence[Any]) -> Credential:
    """A credential from its columns."""
    identity, digest, kind, owner, project, name, role, rights, *times = row
    created, maker, expires, used = times
    return Credential(
        identity,
        digest,
        kind,
        owner or "",
        project,
        name,
        role,
        words(rights),
        created,
        maker,
        expires,
        used,
    )


def member(row: Sequence[Any]) -> Member:
    """A membership from its columns."""
    project, kind, identity, role, granted, denied, since, name = row
    return Member(project, kind, identity, role, words(granted), words(denied), since, name or "")


def words(text: str) -> tuple[str, ...]:
    """The names in a column of several."""
    return tuple(text.split())


def free(writer: Writer, query: str, values: Sequence[Any], what: str) -> None:
    """ConflictError when `query` gives something: `what` is taken."""
    if writer.execute(SQL[query], values).fetchone() is not None:
        raise ConflictError(f"there is {what} already", code="name-taken")


def lost(writer: Writer, member: str, projects: Sequence[str]) -> None:
    """What a user loses who left something that was theirs in `projects`: sessions, and tokens for projects that are
    theirs in no other way."""
    writer.execute(SQL["credentials.end_sessions"], (member,))
    left = {row[0] for row in writer.execute(SQL["projects.of_user"], (member, member)).fetchall()}
    for project in projects:
        if project not in left:
            writer.execute(SQL["credentials.delete_scoped"], (member, project))
