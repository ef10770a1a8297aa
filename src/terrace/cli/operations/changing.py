"""`terrace cancel`, `mv`, `rename`: ending a change, and other names."""

from __future__ import annotations

import click

from terrace.cli.commands import command, pass_session, stack_argument
from terrace.cli.operations.orders import follow, no_follow_option
from terrace.cli.session import Session


@command("cancel", epilog="  terrace cancel shop\n  terrace cancel shop --rollback")
@stack_argument()
@click.option("--rollback", is_flag=True, help="want the last settled generation again")
@no_follow_option
@pass_session
def cancel(session: Session, stack: str, rollback: bool, no_follow: bool) -> int:
    """End a change that is under way. What is done is kept; all else is wanted as it was before."""
    return follow(
        session, stack, no_follow, lambda: session.client().operations.cancel(stack, rollback=rollback)
    )


@command(
    "mv", epilog="  terrace mv shop web frontend\n  terrace up shop.yaml      in which it is called frontend"
)
@stack_argument()
@click.argument("old")
@click.argument("new")
@pass_session
def move(session: Session, stack: str, old: str, new: str) -> None:
    """Have a resource be known under another name without making it anew. It takes effect with the next `terrace up`
    whose template says NEW instead of OLD."""
    session.client().operations.move(stack, old, new)
    session.say(
        f"{old} of {stack} is {new} as soon as the template says so: rename it there, then terrace up"
    )


@command("rename", epilog="  terrace rename shop market")
@stack_argument()
@click.argument("new")
@pass_session
def rename(session: Session, stack: str, new: str) -> None:
    """Give a stack another name. Nothing of it changes."""
    session.client().operations.rename(stack, new)
    session.say(f"{stack} is called {new} now")
