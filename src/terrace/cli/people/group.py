"""`terrace group`: users under one name."""

from __future__ import annotations

import sys

import click

from terrace.cli.commands import Group, name_option, output_option, pass_session
from terrace.cli.plans import ask
from terrace.cli.session import Session
from terrace.cli.shape import emit, table


@click.group("group", cls=Group)
def group() -> None:
    """Groups of users, which become members of projects as one. The directory fills those that it knows."""


@group.command("list", epilog="  terrace group list\n  terrace group list --name dev")
@name_option
@output_option()
@pass_session
def listing(session: Session, name: str) -> None:
    """List groups and who is in them."""
    found = list(session.client().people.groups.listing(name=name))
    if not found and name and session.output in ("text", "wide"):
        session.say("no group is like that")
        return
    if not found and session.output in ("text", "wide"):
        session.say("there are no groups yet: terrace group add NAME")
        return
    rows = [[one["name"], one["source"], ", ".join(one["members"]) or "-"] for one in found]
    emit(
        session,
        found,
        lambda: table(rows, ["GROUP", "FROM", "MEMBERS"], session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@group.command("add", epilog="  terrace group add devs")
@click.argument("name")
@pass_session
def add(session: Session, name: str) -> None:
    """Add a group, empty at first."""
    session.client().people.groups.add(name)
    session.say(f"group {name} is added")


@group.command("join", epilog="  terrace group join devs ada bob")
@click.argument("name")
@click.argument("users", nargs=-1, required=True)
@pass_session
def join(session: Session, name: str, users: tuple[str, ...]) -> None:
    """Make users members of a group."""
    for user in users:
        members = session.client().people.groups.join(name, user)["members"]
    session.say(f"in {name} are now {', '.join(members)}")


@group.command("leave", epilog="  terrace group leave devs bob")
@click.argument("name")
@click.argument("users", nargs=-1, required=True)
@pass_session
def leave(session: Session, name: str, users: tuple[str, ...]) -> None:
    """Take users out of a group. It ends their sessions, and their tokens for projects that they lose by it."""
    for user in users:
        members = session.client().people.groups.leave(name, user)["members"]
    session.say(f"in {name} are now {', '.join(members) or 'none'}")


@group.command("rm", epilog="  terrace group rm devs --yes")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a group. It ends the sessions of its members."""
    if not yes:
        ask(f"remove group {name}")
    session.client().people.groups.remove(name)
    session.say(f"group {name} is gone")
