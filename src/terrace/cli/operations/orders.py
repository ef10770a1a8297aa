"""`terrace taint`, `restart`, `suspend`, `resume`, `protect`: orders besides the template."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from terrace.cli.commands import command, pass_session, stack_argument
from terrace.cli.session import Session

no_follow_option = click.option("--no-follow", is_flag=True, help="ask for it and leave")


@command("taint", epilog="  terrace taint shop web\n  terrace taint shop group/0")
@stack_argument()
@click.argument("path")
@click.option("-y", "--yes", is_flag=True, help="answer yes: a volume's data goes with it")
@no_follow_option
@pass_session
def taint(session: Session, stack: str, path: str, yes: bool, no_follow: bool) -> int:
    """Make one resource anew although nothing differs. Asks first when that loses data."""
    from terrace.cli.plans import ask

    client = session.client()
    if not yes and client.views.resource(stack, path)["kind"] == "Volume":
        ask(f"replace {path} of {stack}", [path])
    return follow(session, stack, no_follow, lambda: client.operations.order(stack, path, "taint"))


@command(
    "restart", epilog="  terrace restart shop web\n  terrace restart shop group     all machines of the group"
)
@stack_argument()
@click.argument("path")
@no_follow_option
@pass_session
def restart(session: Session, stack: str, path: str, no_follow: bool) -> int:
    """Restart a machine, or every machine below a path."""
    return follow(
        session, stack, no_follow, lambda: session.client().operations.order(stack, path, "restart")
    )


@command("suspend", epilog="  terrace suspend shop\n  terrace resume shop")
@stack_argument()
@no_follow_option
@pass_session
def suspend(session: Session, stack: str, no_follow: bool) -> int:
    """Stop the machines of a stack. They stay stopped, and nothing of the stack is healed or changed, until
    `terrace resume`."""
    return follow(session, stack, no_follow, lambda: session.client().operations.suspend(stack))


@command("resume", epilog="  terrace resume shop")
@stack_argument()
@no_follow_option
@pass_session
def resume(session: Session, stack: str, no_follow: bool) -> int:
    """Start the machines of a stack that was suspended, and heal what happened meanwhile."""
    return follow(
        session, stack, no_follow, lambda: session.client().operations.suspend(stack, suspended=False)
    )


@command("protect", epilog="  terrace protect shop\n  terrace protect shop --off")
@stack_argument()
@click.option("--off", is_flag=True, help="allow its deletion again")
@pass_session
def protect(session: Session, stack: str, off: bool) -> None:
    """Refuse to delete or abandon a stack, whoever asks."""
    session.client().operations.protect(stack, protected=not off)
    session.say(f"{stack} may be deleted again" if off else f"{stack} is protected from deletion")


def follow(
    session: Session, stack: str, no_follow: bool, ask: Callable[[], dict[str, Any]], *, new: bool = False
) -> int:
    """Asks for something, and follows until the stack stands. `new`: there is no such stack yet."""
    from terrace.cli.follow.follow import accepted

    began = time.monotonic()
    streams = session.client().streams
    watch = None if no_follow or new else streams.watch(stack)
    head = ask()
    if new and not no_follow:
        watch = streams.watch(stack, after=0)
    return accepted(session, head, watch, began)
