"""`terrace retry`: do not wait for the back-off."""

from __future__ import annotations

import time

import click

from terrace.cli.commands import command, pass_session, stack_argument
from terrace.cli.session import Session


@command("retry", epilog="  terrace retry shop")
@stack_argument()
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@pass_session
def retry(session: Session, stack: str, no_follow: bool) -> int:
    """Try at once whatever failed in a stack, instead of waiting for the next attempt."""
    from terrace.cli.follow.follow import accepted

    client = session.client()
    began = time.monotonic()
    watch = None if no_follow else client.streams.watch(stack)
    head = client.stacks.retry(stack)
    return accepted(session, head, watch, began)
