"""`terrace context`: the servers that this user knows."""

from __future__ import annotations

import os
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.session import Session
from terrace.cli.shape import emit, table
from terrace.cli.target import contexts


@click.group("context", cls=Group)
def context() -> None:
    """Servers by name. `terrace login` makes them; "local" is the server of this machine."""


@context.command("list", epilog="  terrace context list\n  terrace context list -o json")
@output_option()
@pass_session
def listing(session: Session) -> None:
    """Show the servers that you know, and which one is in use."""
    config = contexts.read_config(session.reach.config_file)
    local = contexts.Context(str(_local()))
    rows = [_row(session, name, one) for name, one in {contexts.LOCAL: local, **config.contexts}.items()]
    emit(
        session,
        rows,
        lambda: table(
            [
                (
                    "*" if row["used"] else "",
                    row["name"],
                    row["server"],
                    row["user"] or "-",
                    row["project"] or "-",
                    "yes" if row["logged_in"] else "no",
                )
                for row in rows
            ],
            ["", "NAME", "SERVER", "USER", "PROJECT", "LOGGED IN"],
        ),
        lambda: [row["name"] for row in rows],
    )


def _local() -> Any:
    from terrace.client import local

    return local.locate().address


def _row(session: Session, name: str, one: contexts.Context) -> dict[str, Any]:
    entered = name == contexts.LOCAL or os.path.exists(contexts.token_file(session.reach.config_file, name))
    used = (session.reach.context or contexts.LOCAL) == name
    return {"name": name, **one._asdict(), "used": used, "logged_in": entered}


@context.command("use", epilog="  terrace context use work\n  terrace context use local")
@click.argument("name")
@pass_session
def use(session: Session, name: str) -> None:
    """Use a server from now on, until another is used."""
    contexts.use_context(session.reach.config_file, name)
    session.say(f"commands go to {name} from now on")


@context.command("remove", epilog="  terrace context remove work")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Forget a server and the token for it. The session there goes on until it expires: `terrace logout` ends it."""
    contexts.remove_context(session.reach.config_file, name)
    session.say(f"forgot {name}")
