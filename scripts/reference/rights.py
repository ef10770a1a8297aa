"""rights.md: what roles may do."""

from __future__ import annotations

from scripts.reference.text import code, page, table


def rights() -> str:
    """Rights, roles, and which gives which."""
    from terrace.services.gate import AUDITED, Right
    from terrace.services.people import roles

    def yes(wanted: bool) -> str:
        return "x" if wanted else ""

    here = [right for right in Right if right in roles.IN_PROJECTS]
    wide = [right for right in Right if right not in roles.IN_PROJECTS]
    in_projects = [
        [
            code(right),
            roles.MEANING[right],
            *(yes(right in roles.ROLES[role]) for role in roles.Role),
            yes(right in roles.ADMINISTRATOR_EVERYWHERE),
            yes(right in AUDITED),
        ]
        for right in here
    ]
    in_all = [
        [
            code(right),
            roles.MEANING[right],
            yes(right in roles.EVERYBODY),
            yes(right in roles.ADMINISTRATOR),
            yes(right in AUDITED),
        ]
        for right in wide
    ]
    names = [code(role) for role in roles.Role]
    return page(
        "Rights",
        "Nobody may do anything that is not in these tables. Why it is so is told in "
        "[the gate](../explanation/gate.md), how to use it in [a team on one server](../howto/team.md).",
        "## In a project",
        "A member has a role, besides which rights can be granted and denied one by one. What is denied to somebody as "
        "a member, or to a group of theirs, no other role gives them. A project in which somebody has no right is not "
        "there for them: 404. `admin.` is an administrator of the installation in projects that are not theirs; "
        "`audit`: each use is in the audit log, allowed or denied.",
        table(["Right", "What it is for", *names, "admin.", "audit"], in_projects),
        "## In the installation",
        table(["Right", "What it is for", "everybody", "admin.", "audit"], in_all),
        "The owner of the server, over its Unix socket, may do all of it.",
    )
