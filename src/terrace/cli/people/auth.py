"""`terrace auth`: who you are for the server, and what you may."""

from __future__ import annotations

from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import DENIED, Reported
from terrace.cli.session import Session
from terrace.cli.shape import emit, table

IN_ALL = ("catalogue", "inspect", "installation")
RIGHTS = ("read", "write", "logs", "exec", "operate", "reveal", "members", *IN_ALL)


@click.group("auth", cls=Group)
def auth() -> None:
    """Who you are for the server, and what you may do."""


@auth.command("whoami", epilog="  terrace auth whoami")
@output_option()
@pass_session
def whoami(session: Session) -> None:
    """Say who you are for the server, and what you may do where."""
    me = session.client().people.me.get()
    emit(session, me, lambda: _text(session, me), lambda: [me["name"]])


@auth.command(
    "can-i",
    epilog="""\
  terrace auth can-i exec shop      exit code 0: yes, 5: no
  terrace auth can-i installation""",
)
@click.argument("right", type=click.Choice(RIGHTS), metavar="RIGHT")
@click.argument("place", metavar="[PROJECT]", required=False)
@output_option("text", "json", "yaml")
@pass_session
def can_i(session: Session, right: str, place: str | None) -> None:
    """Say whether you have a right in a project, by default the one you work in."""
    me = session.client().people.me.get()
    project = "" if right in IN_ALL else place or session.project
    yes = right in (
        me["installation"] if right in IN_ALL else [*me["rights"].get(project, ()), *me["everywhere"]]
    )
    document = {"right": right, "project": project, "allowed": yes}
    emit(session, document, lambda: "yes" if yes else "no", lambda: ["yes" if yes else "no"])
    if not yes:
        raise Reported(DENIED)


def _text(session: Session, me: dict[str, Any]) -> str:
    first = f"{me['name']}, the owner of this server: may do everything" if me["owner"] else str(me["name"])
    rows = [[name, " ".join(rights)] for name, rights in me["rights"].items()]
    if me["everywhere"]:
        rows.append(["all others", " ".join(me["everywhere"])])
    rows.append(["the installation", " ".join(me["installation"])])
    return first if me["owner"] else first + "\n" + table(rows, ["WHERE", "YOU MAY"])
