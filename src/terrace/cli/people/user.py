"""`terrace user`: who has an account."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import Group, limit_option, name_option, output_option, pass_session, some
from terrace.cli.people.typed import password, password_option
from terrace.cli.plans import ask
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@click.group("user", cls=Group)
def user() -> None:
    """People who can log in. Those from a directory (LDAP) are listed from their first login on."""


@user.command(
    "list",
    epilog="""\
  terrace user list
  terrace user list --name a --limit 20
  terrace user list --from ldap""",
)
@name_option
@click.option(
    "--from", "source", type=click.Choice(["local", "ldap"]), help="only those known here, or by a directory"
)
@limit_option
@output_option()
@pass_session
def listing(session: Session, name: str, source: str | None, limit: int | None) -> None:
    """List users."""
    users = session.client().people.users
    found = some(session, lambda most: users.listing(name=name, source=source or "", limit=most), limit)
    if not found and (name or source) and session.output in ("text", "wide"):
        session.say("no user is like that")
        return
    if not found and session.output in ("text", "wide"):
        session.say("there are no users yet: terrace user add NAME")
        return
    heads = ["USER", "NAME", "FROM", "AGE", "STANDING"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@user.command(
    "add",
    epilog="""\
  terrace user add ada --admin                 asks for a password
  pwgen 20 1 | terrace user add bob            takes it from standard input
  terrace user add eve --no-password           cannot log in until one is set""",
)
@click.argument("name")
@click.option("--title", metavar="TEXT", default="", help="their name for people")
@click.option("--admin", is_flag=True, help="administers the installation")
@click.option("--no-password", is_flag=True, help="without a password yet")
@password_option
@output_option("text", "json", "yaml")
@pass_session
def add(session: Session, name: str, title: str, admin: bool, no_password: bool, file: str | None) -> None:
    """Add a user. The password is asked for, or read from standard input or a file."""
    more: dict[str, Any] = {"title": title, "admin": admin}
    if not no_password:
        more["password"] = password(f"Password for {name}", file, twice=True)
    _told(session, session.client().people.users.add(name, **more), f"user {name} is added")


@user.command(
    "change",
    epilog="""\
  terrace user change bob --disable      ends every session and token of bob's
  terrace user change bob --enable
  terrace user change bob --admin""",
)
@click.argument("name")
@click.option("--title", metavar="TEXT", help="their name for people")
@click.option("--admin/--no-admin", default=None, help="administers the installation, or no longer")
@click.option(
    "--disable/--enable", default=None, help="cannot log in, and loses sessions and tokens; or can again"
)
@output_option("text", "json", "yaml")
@pass_session
def change(session: Session, name: str, title: str | None, admin: bool | None, disable: bool | None) -> None:
    """Change what a user is."""
    given = {"title": title, "admin": admin, "disabled": disable}
    more = {key: value for key, value in given.items() if value is not None}
    _told(session, session.client().people.users.change(name, **more), f"user {name} is changed")


@user.command(
    "password",
    epilog="""\
  terrace user password          your own: asks for the old one first
  terrace user password bob      bob's, as an administrator""",
)
@click.argument("name", required=False)
@password_option
@pass_session
def set_password(session: Session, name: str | None, file: str | None) -> None:
    """Set a password: your own, or that of a user. It ends every session of theirs."""
    people = session.client().people
    if name is None:
        old = password("Your password", None)
        people.me.set_password(old, password("The new one", file, twice=True))
    else:
        people.users.change(name, password=password(f"New password for {name}", file, twice=True))
    session.say("the password is set; every session has ended")


@user.command("rm", epilog="  terrace user rm bob --yes")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a user, with sessions, tokens, keys and memberships. Their stacks stay."""
    if not yes:
        ask(f"remove user {name}")
    session.client().people.users.remove(name)
    session.say(f"user {name} is gone")


def _told(session: Session, made: dict[str, Any], text: str) -> None:
    if session.output == "text":
        session.say(text)
    else:
        emit(session, made, lambda: "", lambda: [made["name"]])


def _row(one: dict[str, Any]) -> list[str]:
    words = [word for word, on in (("administrator", one["admin"]), ("disabled", one["disabled"])) if on]
    return [
        one["name"],
        one["title"],
        one["source"],
        span(time.time() - one["created"]),
        ", ".join(words) or "-",
    ]
