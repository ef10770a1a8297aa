"""`terrace project`: projects, their members, and what they may use."""

from __future__ import annotations

import sys
from typing import Any

import click

from terrace.cli.commands import Group, name_option, output_option, pass_session
from terrace.cli.plans import ask
from terrace.cli.session import Session
from terrace.cli.shape import emit, table

ROLES = ("viewer", "developer", "operator", "admin")
group_option = click.option("--group", "kind", flag_value="group", default="user", help="NAME is a group")


@click.group("project", cls=Group)
def project() -> None:
    """Projects: each has its stacks, and members who may do something with them."""


@project.command("list", epilog="  terrace project list\n  terrace project list --name sh")
@name_option
@output_option()
@pass_session
def listing(session: Session, name: str) -> None:
    """List your projects, and what you may do in each."""
    found = list(session.client().people.projects.listing(name=name))
    if not found and name and session.output in ("text", "wide"):
        session.say("no project of yours is like that")
        return
    if not found and session.output in ("text", "wide"):
        session.say("there is no project of yours: somebody adds you with terrace project member")
        return
    rows = [[one["name"], one["title"], " ".join(one["rights"])] for one in found]
    emit(
        session,
        found,
        lambda: table(rows, ["PROJECT", "TITLE", "YOU MAY"], session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@project.command("add", epilog='  terrace project add shop --title "The shop"')
@click.argument("name")
@click.option("--title", metavar="TEXT", default="", help="its name for people")
@pass_session
def add(session: Session, name: str, title: str) -> None:
    """Add a project, without members at first."""
    session.client().people.projects.add(name, title)
    session.say(f"project {name} is added; next: terrace project member {name} USER --role ROLE")


@project.command("title", epilog='  terrace project title shop "The shop"')
@click.argument("name")
@click.argument("title")
@pass_session
def change(session: Session, name: str, title: str) -> None:
    """Give a project another title."""
    session.client().people.projects.change(name, title)
    session.say(f"project {name} is {title}")


@project.command("rm", epilog="  terrace project rm shop --yes")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Remove a project that has no stacks any more."""
    if not yes:
        ask(f"remove project {name}")
    session.client().people.projects.remove(name)
    session.say(f"project {name} is gone")


@project.command(
    "members", epilog="  terrace project members shop\n  terrace project members shop --kind group"
)
@click.argument("name")
@click.option("--kind", type=click.Choice(["user", "group"]), help="only users, or only groups")
@output_option()
@pass_session
def members(session: Session, name: str, kind: str | None) -> None:
    """List who is a member of a project, with which role."""
    found = list(session.client().people.projects.members(name, kind=kind or ""))
    if not found and kind and session.output in ("text", "wide"):
        session.say(f"no {kind} is a member of {name}")
        return
    if not found and session.output in ("text", "wide"):
        session.say(f"{name} has no members: terrace project member {name} USER --role ROLE")
        return
    emit(
        session,
        found,
        lambda: table(map(_row, found), ["KIND", "NAME", "ROLE", "BESIDES"], session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@project.command(
    "member",
    epilog="""\
  terrace project member shop bob --role developer
  terrace project member shop devs --group --role developer --grant exec
  terrace project member shop eve --role operator --deny exec""",
)
@click.argument("name")
@click.argument("who")
@click.option("--role", type=click.Choice(ROLES), required=True, help="what they are in it")
@click.option("--grant", metavar="RIGHT", multiple=True, help="a right besides those of the role; repeat it")
@click.option(
    "--deny", metavar="RIGHT", multiple=True, help="a right that they do not have all the same; repeat it"
)
@group_option
@pass_session
def member(
    session: Session, name: str, who: str, role: str, grant: tuple[str, ...], deny: tuple[str, ...], kind: str
) -> None:
    """Make a user or a group a member of a project, or change what they are in it."""
    seat = {"role": role, "granted": list(grant), "denied": list(deny)}
    session.client().people.projects.seat(name, kind, who, seat)
    session.say(f"{who} is {role} in {name}")


@project.command("dismiss", epilog="  terrace project dismiss shop bob")
@click.argument("name")
@click.argument("who")
@group_option
@pass_session
def dismiss(session: Session, name: str, who: str, kind: str) -> None:
    """Take a member out of a project. It ends their sessions, and their tokens for the project."""
    session.client().people.projects.dismiss(name, kind, who)
    session.say(f"{who} is no member of {name} any more")


@project.command(
    "reach",
    epilog="""\
  terrace project reach shop                   what it may use
  terrace project reach shop local cloud/eu    these alone: a provider, a region of another
  terrace project reach shop --all             what the settings say""",
)
@click.argument("name")
@click.argument("places", nargs=-1, metavar="[PROVIDER[/REGION]]...")
@click.option("--all", "everything", is_flag=True, help="say nothing of this project: what the settings say")
@output_option()
@pass_session
def reach(session: Session, name: str, places: tuple[str, ...], everything: bool) -> None:
    """Show or set which providers and regions a project may use."""
    projects = session.client().people.projects
    if places or everything:
        pairs = [place.partition("/") for place in places]
        wanted = [{"provider": provider, "region": region} for provider, _, region in pairs]
        found = projects.set_reach(name, [] if everything else wanted)
    else:
        found = projects.reach(name)
    if not found and session.output in ("text", "wide"):
        session.say(f"{name} may use what the settings say (people.reach)")
        return
    rows = [[one["provider"], one["region"] or "all"] for one in found]
    emit(
        session,
        found,
        lambda: table(rows, ["PROVIDER", "REGION"], session.color(sys.stdout)),
        lambda: (one["provider"] for one in found),
    )


def _row(one: dict[str, Any]) -> list[str]:
    besides = [*(f"+{right}" for right in one["granted"]), *(f"-{right}" for right in one["denied"])]
    return [one["kind"], one["name"], one["role"], " ".join(besides) or "-"]
