"""`terrace flavor`: sizes of machines, and which of them projects may use."""

from __future__ import annotations

import sys
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.nouns.provider import providers_of
from terrace.cli.session import Session
from terrace.cli.shape import emit, table

DEFAULT = "default"
"""The project of whoever names none."""
HEADS = ["FROM", "FLAVOR", "CPU", "MEMORY", "DISK", "PIDS"]


def _names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names for completion, from a server that runs; none is started for it, and no error is shown."""
    from terrace.client import Client
    from terrace.errors import TerraceError

    session = context.find_object(Session) or Session()
    try:
        with Client(session.address(start=False)) as client:
            items = client.flavors.show(context.params.get("whose") or session.project)["items"]
    except TerraceError:
        return []
    own = context.command.name == "rm"
    found = {item["name"] for item in items if not (own and item["provider"])}
    return sorted(name for name in found if name.startswith(incomplete))


@click.group("flavor", cls=Group)
def flavor() -> None:
    """Sizes of machines, and which of them projects may use."""


@flavor.command(
    "list",
    epilog="""\
  terrace flavor list                     what the project you work in may use
  terrace flavor list --project shop      another one
  terrace flavor list --provider local    only what this provider has
  terrace flavor list --all               also what the project may not use""",
)
@click.option("--provider", metavar="NAME", help="only of this provider")
@click.option("--all", "everything", is_flag=True, help="also those that the project may not use")
@output_option()
@pass_session
def listing(session: Session, provider: str | None, everything: bool) -> None:
    """List the sizes of machines that a project may use, and from where each comes."""
    found = _of_project(session)
    if found is None:
        providers = session.client().providers
        items = [
            {"provider": name, **item}
            for name in providers_of(session, provider)
            for item in providers.flavors(name)
        ]
        _shown(session, {"items": items}, everything=True)
        return
    if provider is not None:
        if not any(one["name"] == provider for one in session.client().providers.listing()):
            raise Stop(f'there is no provider "{provider}"', code="not-found", hint="terrace provider list")
        found["items"] = [one for one in found["items"] if one["provider"] == provider]
    _shown(session, found, everything=everything)


@flavor.command(
    "set",
    epilog="""\
  terrace flavor set big cpu=4 memory=8G disk=40G --project shop
  terrace flavor set big memory=16G pids=none --project shop""",
)
@click.argument("name", shell_complete=_names)
@click.argument("sizes", nargs=-1, required=True, metavar="SIZE=AMOUNT...")
@output_option()
@pass_session
def put(session: Session, name: str, sizes: tuple[str, ...]) -> None:
    """Give a project a flavor of its own: cpu, memory, disk, pids. Machines that have it get its new size."""
    asked: dict[str, str] = {}
    for text in sizes:
        size, equals, amount = text.partition("=")
        if not equals or not amount:
            raise Stop(f'"{text}" is not SIZE=AMOUNT', code="usage", hint="for example memory=4G")
        asked[size] = amount
    found = session.client().flavors.set(session.project, name, asked)
    _shown(session, found)
    project, users = found["project"], found["used_by"]
    if users:
        session.say(f"what uses it gets its size: {', '.join(users)}")
    if found["allowed"] is not None and name not in found["allowed"]:
        every = " ".join([*found["allowed"], name])
        session.say(f"{project} may not use it yet: terrace flavor allow {project} {every}")


@flavor.command("rm", epilog="  terrace flavor rm big --project shop")
@click.argument("name", shell_complete=_names)
@click.option("--force", is_flag=True, help="also while stacks use it: what stands keeps its size")
@pass_session
def remove(session: Session, name: str, force: bool) -> None:
    """Take a flavor of its own from a project."""
    found = session.client().flavors.remove(session.project, name, force=force)
    session.say(f"{found['project']} has no flavor {name} of its own any more")
    if found["used_by"]:
        session.say(f"what stands with it keeps its size: {', '.join(found['used_by'])}")


@flavor.command(
    "allow",
    epilog="""\
  terrace flavor allow shop m1.small m1.medium    these alone
  terrace flavor allow shop --all                 whatever there is""",
)
@click.argument("whose", metavar="PROJECT")
@click.argument("names", nargs=-1, metavar="FLAVOR...", shell_complete=_names)
@click.option("--all", "everything", is_flag=True, help="whatever there is")
@output_option()
@pass_session
def allow(session: Session, whose: str, names: tuple[str, ...], everything: bool) -> None:
    """Say which flavors a project may use at all. What stands stays; what is new or changed is refused."""
    if everything == bool(names):
        raise Stop(
            "name the flavors that it may use, or say --all",
            code="usage",
            hint=f"terrace flavor list --project {whose} --all",
        )
    _shown(session, session.client().flavors.allow(whose, None if everything else list(names)))


def _of_project(session: Session) -> dict[str, Any] | None:
    """What the project may use; None when nobody named a project, and the one that is worked in by default is not
    theirs."""
    from terrace.client.errors import ApiError

    try:
        return session.client().flavors.show(session.project)
    except ApiError as error:
        if error.status != 404 or session.flags.get("project") or session.project != DEFAULT:
            raise
        return None


def _shown(session: Session, found: dict[str, Any], *, everything: bool = False) -> None:
    items = [one for one in found["items"] if everything or one["allowed"]]
    if not items and session.output in ("text", "wide"):
        session.say("there is no flavor that it may use: terrace flavor allow PROJECT FLAVOR...")
        return
    limited = everything and found.get("allowed") is not None
    rows = [[*_row(one), *([] if not limited else ["yes" if one["allowed"] else "no"])] for one in items]
    heads = [*HEADS, "ALLOWED"] if limited else HEADS
    emit(
        session,
        items,
        lambda: table(rows, heads, session.color(sys.stdout)),
        lambda: (item["name"] for item in items),
    )


def _row(item: dict[str, Any]) -> list[str]:
    sizes = [f"{item[field]:,} MiB" if item.get(field) else "any" for field in ("memory", "disk")]
    hides = f" (before {', '.join(item['hides'])})" if item.get("hides") else ""
    return [
        item["provider"] or f"project{hides}",
        item["name"],
        f"{item['cpu']:g}" if item.get("cpu") else "any",
        *sizes,
        f"{item.get('pids') or 'any'}",
    ]
