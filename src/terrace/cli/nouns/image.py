"""`terrace image`: what machines are made from."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.nouns.provider import providers_of
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, table


@click.group("image", cls=Group)
def image() -> None:
    """What machines are made from: names, references, and recipes that Terrace builds."""


@image.command("list", epilog="  terrace image list --provider local")
@click.option("--provider", metavar="NAME", help="only of this provider")
@output_option()
@pass_session
def listing(session: Session, provider: str | None) -> None:
    """List the images that each provider knows by name, and whether they are there already."""
    providers = session.client().providers
    found = [
        {"provider": name, **item}
        for name in providers_of(session, provider)
        for item in providers.images(name)
    ]
    heads = ["PROVIDER", "IMAGE", "SOURCE", "THERE", "ID"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (item["name"] for item in found),
    )


@image.command("build", epilog="  terrace image build debian-12")
@click.argument("recipe")
@click.option("--provider", default="local", show_default=True, metavar="NAME")
@output_option("text", "json")
@pass_session
def build(session: Session, recipe: str, provider: str) -> None:
    """Build an image from one of Terrace's recipes."""
    _fetch(session, provider, recipe if recipe.startswith("recipe:") else f"recipe:{recipe}")


@image.command("pull", epilog="  terrace image pull docker.io/library/nginx:1")
@click.argument("reference")
@click.option("--provider", default="local", show_default=True, metavar="NAME")
@output_option("text", "json")
@pass_session
def pull(session: Session, reference: str, provider: str) -> None:
    """Fetch an image from its registry."""
    _fetch(session, provider, reference)


def _fetch(session: Session, provider: str, source: str) -> None:
    line: dict[str, Any] = {}
    for line in session.client().providers.fetch_image(provider, source):
        if line.get("code") and line.get("message"):
            raise Stop(line["message"], code=line["code"], hint=line.get("hint", ""))
        if session.output == "json":
            print(json.dumps(line, ensure_ascii=False), flush=True)
        else:
            print(clean(line["note"]), file=sys.stderr, flush=True)
    if session.output == "text" and line.get("provider_id"):
        print(line["provider_id"])


def _row(item: dict[str, Any]) -> list[str]:
    there = {True: "yes", False: "no"}.get(item.get("present"), "not known")  # type: ignore[arg-type]
    return [item["provider"], item["name"], item.get("source", ""), there, item.get("provider_id", "")[:19]]
