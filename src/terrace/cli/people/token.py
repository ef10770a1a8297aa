"""`terrace token`: how programs are known."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import Group, limit_option, name_option, output_option, pass_session, some
from terrace.cli.people.project import ROLES
from terrace.cli.people.typed import seconds
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@click.group("token", cls=Group)
def token() -> None:
    """Tokens, by which programs are known. A token is shown once, when it is made."""


@token.command(
    "create",
    epilog="""\
  terrace token create backup --lasts 90d                          may what you may
  terrace token create board --project shop --role viewer          may look at one project
  terrace token create ci --service --project shop --role developer > ci.token""",
)
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), help="may no more than this role")
@click.option(
    "--right", "rights", metavar="RIGHT", multiple=True, help="may this, and what --role says; repeat it"
)
@click.option("--service", is_flag=True, help="the project's own: it stays when you leave")
@click.option("--lasts", metavar="TIME", help="how long: 12h, 90d; by default as long as it may")
@output_option("text", "json", "yaml")
@pass_session
def create(
    session: Session, name: str, role: str | None, rights: tuple[str, ...], service: bool, lasts: str | None
) -> None:
    """Make a token, and print it. It is of one project with --project, of all of yours without."""
    wish: dict[str, Any] = {
        "name": name,
        "project": session.flags.get("project") or "",
        "role": role or "",
        "rights": list(rights),
        "service": service,
    }
    if lasts is not None:
        wish["lasts"] = seconds(lasts)
    made = session.client().people.tokens.create(wish)
    emit(session, made, lambda: str(made["token"]), lambda: [made["about"]["id"]])
    if session.output == "text":
        days = span(made["about"]["expires"] - time.time())
        session.say(f"token {name} ({made['about']['id']}) lasts {days}; this is the only time it is shown")


@token.command(
    "list",
    epilog="""\
  terrace token list
  terrace token list --kind token --name backup
  terrace token list --service --project shop""",
)
@click.option("--service", is_flag=True, help="those of the project")
@click.option("--kind", type=click.Choice(["session", "token"]), help="only sessions, or only tokens")
@name_option
@limit_option
@output_option()
@pass_session
def listing(session: Session, service: bool, kind: str | None, name: str, limit: int | None) -> None:
    """List your tokens and sessions, or the service tokens of a project."""
    tokens, of = session.client().people.tokens, session.project if service else ""
    found = some(session, lambda most: tokens.listing(of, name=name, kind=kind or "", limit=most), limit)
    if not found and session.output in ("text", "wide"):
        session.say("no tokens")
        return
    heads = ["ID", "KIND", "NAME", "PROJECT", "MAY", "ENDS IN", "USED"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (one["id"] for one in found),
    )


@token.command(
    "revoke",
    epilog="""\
  terrace token revoke k3v9x0a2m4c6
  terrace token revoke k3v9x0a2m4c6 --service --project shop""",
)
@click.argument("identity", metavar="ID")
@click.option("--service", is_flag=True, help="one of the project")
@pass_session
def revoke(session: Session, identity: str, service: bool) -> None:
    """End a token or a session, by its id."""
    session.client().people.tokens.revoke(identity, session.project if service else "")
    session.say(f"{identity} is worth nothing any more")


def _row(one: dict[str, Any]) -> list[str]:
    now = time.time()
    used = f"{span(now - one['used'])} ago" if one["used"] else "never"
    may = " ".join([one["role"], *one["rights"]]).strip() or "all"
    return [
        one["id"],
        one["kind"],
        one["name"],
        one["project"] or "all",
        may,
        span(one["expires"] - now),
        used,
    ]
