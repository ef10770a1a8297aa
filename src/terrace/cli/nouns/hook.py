"""`terrace hook`: what an environment's hooks hold, until a person lets it go on."""

from __future__ import annotations

import sys
import time

import click

from terrace.cli.commands import Group, output_option, pass_session, stack_argument
from terrace.cli.operations.orders import follow, no_follow_option
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table

HOOKS = [f"{when}-{what}" for what in ("create", "update", "delete") for when in ("pre", "post")]


@click.group("hook", cls=Group)
def hook() -> None:
    """Resources that a hook of the environment holds."""


@hook.command("list", epilog="  terrace hook list shop\n  terrace hook list shop --hook pre-delete")
@stack_argument()
@click.option("--hook", "name", type=click.Choice(HOOKS), metavar="HOOK", help="only what this one holds")
@output_option()
@pass_session
def listing(session: Session, stack: str, name: str | None) -> None:
    """List what is held, and by which hook."""
    held = list(session.client().operations.hooks(stack, hook=name or ""))
    if not held and session.output in ("text", "wide"):
        session.say(f"no hook holds anything of {stack}")
        return
    now = time.time()
    rows = [[one["path"], one["hook"], span(now - one["since"])] for one in held]
    emit(
        session,
        held,
        lambda: table(rows, ["RESOURCE", "HOOK", "SINCE"], session.color(sys.stdout)),
        lambda: (one["path"] for one in held),
    )


@hook.command("clear", epilog="  terrace hook clear shop web pre-create")
@stack_argument()
@click.argument("path")
@click.argument("name", type=click.Choice(HOOKS), metavar="HOOK")
@no_follow_option
@pass_session
def clear(session: Session, stack: str, path: str, name: str, no_follow: bool) -> int:
    """Let a resource go on that a hook holds, this time."""
    return follow(
        session, stack, no_follow, lambda: session.client().operations.clear_hook(stack, path, name)
    )
