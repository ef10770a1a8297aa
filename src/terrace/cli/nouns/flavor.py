"""`terrace flavor`: sizes of machines."""

from __future__ import annotations

import sys
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.nouns.provider import providers_of
from terrace.cli.session import Session
from terrace.cli.shape import emit, table


@click.group("flavor", cls=Group)
def flavor() -> None:
    """Sizes of machines."""


@flavor.command("list", epilog="  terrace flavor list --provider local")
@click.option("--provider", metavar="NAME", help="only of this provider")
@output_option()
@pass_session
def listing(session: Session, provider: str | None) -> None:
    """List the sizes of machines that each provider offers."""
    providers = session.client().providers
    found = [
        {"provider": name, **item}
        for name in providers_of(session, provider)
        for item in providers.flavors(name)
    ]
    heads = ["PROVIDER", "FLAVOR", "CPU", "MEMORY", "DISK", "PIDS"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (item["name"] for item in found),
    )


def _row(item: dict[str, Any]) -> list[str]:
    sizes = [f"{item[field]:,} MiB" if item.get(field) else "any" for field in ("memory", "disk")]
    return [
        item["provider"],
        item["name"],
        f"{item.get('cpu') or 'any'}",
        *sizes,
        f"{item.get('pids') or 'any'}",
    ]
