"""`terrace quota`: how much each project may have."""

from __future__ import annotations

import sys
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, table
from terrace.model.spec.quota import shown

HEADS = ["PROJECT", "RESOURCE", "USED", "RESERVED", "LIMIT", "LEFT"]


@click.group("quota", cls=Group)
def quota() -> None:
    """How much each project may have, and has."""


@quota.command(
    "show",
    epilog="""\
  terrace quota show         the project you work in
  terrace quota show shop    another one
  terrace quota show --all   every project""",
)
@click.argument("name", required=False, metavar="[PROJECT]")
@click.option("--all", "everything", is_flag=True, help="every project")
@output_option()
@pass_session
def show(session: Session, name: str | None, everything: bool) -> None:
    """Show what the stacks of a project take, of how much, and what is left."""
    quotas = session.client().quotas
    found = list(quotas.listing()) if everything else [quotas.show(name or session.project)]
    _shown(session, found)


@quota.command(
    "set",
    epilog="""\
  terrace quota set shop machines=20 cpu=16 memory=64G
  terrace quota set shop storage=500G volumes=10 stacks=5
  terrace quota set shop memory=none""",
)
@click.argument("name", metavar="PROJECT")
@click.argument("limits", nargs=-1, required=True, metavar="RESOURCE=AMOUNT...")
@output_option()
@pass_session
def put(session: Session, name: str, limits: tuple[str, ...]) -> None:
    """Set limits: stacks, machines, cpu, memory, disk, volumes, storage. What stands stays."""
    asked: dict[str, str] = {}
    for text in limits:
        resource, equals, amount = text.partition("=")
        if not equals or not amount:
            raise Stop(f'"{text}" is not RESOURCE=AMOUNT', code="usage", hint="for example machines=20")
        asked[resource] = amount
    _shown(session, [session.client().quotas.set(name, asked)])


@quota.command("check", epilog="  terrace quota check --repair")
@click.option("--repair", is_flag=True, help="have each stack hold just what it takes")
@output_option()
@pass_session
def check(session: Session, repair: bool) -> None:
    """Count every stack anew, and say which holds something else than it takes."""
    found = session.client().quotas.check(repair=repair)
    if not found and session.output in ("text", "wide"):
        session.say("every stack holds just what it takes")
        return
    rows = [[one["project"], one["stack"], _listed(one["held"]), _listed(one["takes"])] for one in found]
    emit(
        session,
        found,
        lambda: table(rows, ["PROJECT", "STACK", "HOLDS", "TAKES"], session.color(sys.stdout)),
        lambda: (f"{one['project']}/{one['stack']}" for one in found),
    )


def _shown(session: Session, found: list[dict[str, Any]]) -> None:
    rows = [[one["project"], *_row(line)] for one in found for line in one["items"]]
    emit(
        session,
        found,
        lambda: table(rows, HEADS, session.color(sys.stdout)),
        lambda: (one["project"] for one in found),
    )


def _row(line: dict[str, Any]) -> list[str]:
    name = line["resource"]
    return [
        name,
        shown(name, line["used"]),
        shown(name, line["reserved"]),
        *("-" if line[what] is None else shown(name, line[what]) for what in ("most", "left")),
    ]


def _listed(amounts: dict[str, int]) -> str:
    return ", ".join(f"{name} {shown(name, amount)}" for name, amount in sorted(amounts.items())) or "nothing"
