"""`terrace ghost`: things with our label that nothing wants."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.nouns.provider import providers_of
from terrace.cli.plans import ask
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@click.group("ghost", cls=Group)
def ghost() -> None:
    """Things with Terrace's label that nothing wants. Terrace removes them by itself, but for what holds
    data."""


@ghost.command("list", epilog="  terrace ghost list")
@click.option("--provider", metavar="NAME", help="only of this provider")
@output_option()
@pass_session
def listing(session: Session, provider: str | None) -> None:
    """List ghosts, and what becomes of each."""
    providers = session.client().providers
    found = [item for name in providers_of(session, provider) for item in providers.ghosts(name)]
    if not found and session.output in ("text", "wide"):
        session.say("no ghosts")
        return
    heads = ["PROVIDER", "KIND", "ID", "NAME", "STATE", "FOUND", "FATE"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (item["provider_id"] for item in found),
    )


@ghost.command("reap", epilog="  terrace ghost reap local 4f1c0a9be2d7")
@click.argument("provider")
@click.argument("identity", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="answer yes, also when it holds data")
@pass_session
def reap(session: Session, provider: str, identity: str, yes: bool) -> None:
    """Remove a ghost. Asks when it holds data."""
    providers = session.client().providers
    known = [item for item in providers.ghosts(provider) if item["provider_id"] == identity]
    if not yes and any(item.get("kept") for item in known):
        ask(f"remove {identity}", [identity])
    providers.reap(provider, identity)
    session.say(f"{identity} is removed")


def _row(item: dict[str, Any]) -> list[str]:
    age = f"{span(time.time() - item['since'])} ago" if item.get("since") else "-"
    fate = f"kept: {item['kept']}" if item.get("kept") else "will be removed"
    return [item["provider"], item["kind"], item["provider_id"], item["name"], item["state"], age, fate]
