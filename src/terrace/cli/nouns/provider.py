"""`terrace provider`: where things run."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table, value


@click.group("provider", cls=Group)
def provider() -> None:
    """Where things run: the providers that the server's settings name."""


@provider.command(
    "list",
    epilog="""\
  terrace provider list                         what any of your projects may use
  terrace provider list --here --project shop   what this one may use""",
)
@click.option("--here", is_flag=True, help="only those that the project you work in may use")
@output_option()
@pass_session
def listing(session: Session, here: bool) -> None:
    """List the providers that your projects may use, and whether each can be reached."""
    found = list(session.client().providers.listing(project=session.project if here else ""))
    rows = [
        [_name(item), item["driver"], _reach(item), _listed(item), item.get("why") or ""] for item in found
    ]
    emit(
        session,
        found,
        lambda: table(rows, ["PROVIDER", "DRIVER", "STATE", "LISTED", "WHY"], session.color(sys.stdout)),
        lambda: (item["name"] for item in found),
    )


@provider.command("show", epilog="  terrace provider show local")
@click.argument("name")
@output_option()
@pass_session
def show(session: Session, name: str) -> None:
    """Show one provider."""
    found = [item for item in session.client().providers.listing() if item["name"] == name]
    if not found:
        raise Stop(f'there is no provider "{name}"', code="not-found", hint="terrace provider list")
    emit(
        session,
        found[0],
        lambda: "\n".join(f"{key:<14}{value(entry)}" for key, entry in found[0].items()),
        lambda: [name],
    )


def providers_of(session: Session, name: str | None) -> list[str]:
    """The provider that was named, or the names of all."""
    if name:
        return [name]
    return [item["name"] for item in session.client().providers.listing()]


def _name(item: dict[str, Any]) -> str:
    return f"{item['name']} (default)" if item.get("default") else str(item["name"])


def _reach(item: dict[str, Any]) -> str:
    return "ready" if item.get("reachable") else "failing"


def _listed(item: dict[str, Any]) -> str:
    return f"{span(time.time() - item['listed'])} ago" if item.get("listed") else "-"
