"""Which role gives which rights: the one table of it. docs/reference/rights.md is written from here."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from terrace.errors import UserError
from terrace.ports.people import Member
from terrace.services.gate import WIDE, Right


class Role(StrEnum):
    """What somebody is in a project, from the least to the most."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    ADMIN = "admin"


_VIEWER = frozenset({Right.READ})
_DEVELOPER = _VIEWER | {Right.WRITE, Right.LOGS}
_OPERATOR = _DEVELOPER | {Right.EXEC, Right.OPERATE}
_ADMIN = _OPERATOR | {Right.REVEAL, Right.MEMBERS}

ROLES: dict[Role, frozenset[Right]] = {
    Role.VIEWER: _VIEWER,
    Role.DEVELOPER: _DEVELOPER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _ADMIN,
}
IN_PROJECTS = frozenset(Right) - WIDE
"""Rights that can be granted and denied one by one."""

EVERYBODY = frozenset({Right.CATALOGUE})
"""What everybody with an account may do in the installation."""
ADMINISTRATOR = WIDE
"""What an administrator of the installation may do there, and in projects that are not theirs: no secrets, no logs and
no way into machines, which the members of a project alone can give them, where all can see it."""
ADMINISTRATOR_EVERYWHERE = frozenset({Right.READ, Right.WRITE, Right.OPERATE, Right.MEMBERS})

MEANING: dict[Right, str] = {
    Right.READ: "see stacks, resources, plans, events, outputs that are not secret, and who the members are",
    Right.WRITE: "change stacks: up, down, rollback, cancel, retry, rename, scale, signals, snapshots, hooks",
    Right.LOGS: "read what machines wrote",
    Right.EXEC: "run programs in machines",
    Right.OPERATE: "restart, taint, suspend, resume, protect, abandon, adopt; delete with --force or --forget",
    Right.REVEAL: "read outputs that are secret",
    Right.MEMBERS: "say who is a member with which role, and make service tokens",
    Right.CATALOGUE: "see the providers that a project of theirs may use, with their flavors and images",
    Right.INSPECT: "see the whole installation: users, ghosts, the events of all projects, the audit log, its health",
    Right.INSTALLATION: "change the installation: users, groups, projects, what they may use, images, ghosts, imports",
}


def role(name: str) -> Role:
    """The role of that name. UserError when there is none."""
    try:
        return Role(name)
    except ValueError:
        raise UserError(
            f'there is no role "{name[:40]}"', code="unknown-role", hint=f"one of {', '.join(Role)}"
        ) from None


def rights(names: Iterable[str], *, wide: bool = False) -> frozenset[Right]:
    """The rights of these names, such as a project can give; `wide`: the installation, too. UserError when one is
    none."""
    found = set()
    known_here = IN_PROJECTS | WIDE if wide else IN_PROJECTS
    for name in names:
        if name not in known_here:
            known = ", ".join(sorted(known_here))
            raise UserError(f'there is no right "{name[:40]}"', code="unknown-right", hint=f"one of {known}")
        found.add(Right(name))
    return frozenset(found)


def given(members: Iterable[Member]) -> dict[str, frozenset[Right]]:
    """What memberships give, by project. What one of them denies, another cannot give; and who is denied everything
    else still sees the project that they are a member of."""
    gained: dict[str, set[Right]] = {}
    denied: dict[str, set[Right]] = {}
    for one in members:
        gained.setdefault(one.project, {Right.READ}).update(ROLES.get(Role(one.role), frozenset()))
        gained[one.project].update(map(Right, one.granted))
        denied.setdefault(one.project, set()).update(map(Right, one.denied))
    return {project: frozenset(found - denied[project]) | {Right.READ} for project, found in gained.items()}


def scope(role_name: str, names: Iterable[str]) -> frozenset[Right] | None:
    """What a credential of that role and these rights is narrowed to; None: to nothing less than its owner may."""
    wanted = frozenset(map(Right, names)) | (ROLES[Role(role_name)] if role_name else frozenset())
    if not wanted:
        return None
    return wanted | {Right.READ} if wanted & IN_PROJECTS else wanted
