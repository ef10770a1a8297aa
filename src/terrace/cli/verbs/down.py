"""`terrace down`: nothing left of a stack."""

from __future__ import annotations

import time

import click

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.plans import ask, lost_data, named
from terrace.cli.session import Session
from terrace.cli.shape import plural


@command(
    "down",
    epilog="""\
  terrace down shop
  terrace down shop --yes
  terrace down shop --forget     give up what cannot be reached, and list it
  terrace down net --force       also while other stacks use its outputs""",
)
@stack_argument()
@click.option("-y", "--yes", is_flag=True, help="answer yes: delete it all, data included")
@click.option("--forget", is_flag=True, help="give up what its provider cannot reach")
@click.option(
    "--force", is_flag=True, help="also while other stacks use its outputs: they keep what they have"
)
@click.option(
    "--timeout", default="30m", show_default=True, metavar="TIME", help="how long to follow: 90s, 30m, 2h"
)
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@output_option("text", "json", "yaml")
@pass_session
def down(session: Session, /, stack: str, yes: bool, timeout: str, no_follow: bool, **how: bool) -> int:
    """Delete a stack and everything in it. Asks first, naming the volumes whose data goes."""
    from terrace.cli.follow.leaving import follow_down
    from terrace.cli.verbs.request import seconds

    patience = seconds(timeout)
    client = session.client()
    client.stacks.get(stack)  # a stack that does not exist is told before anything is asked
    if not yes:
        items = client.stacks.plan_delete(stack, force=how["force"])["items"]
        kept = [item["path"] for item in items if item["what"] == "retain"]
        if kept:
            session.say(f"kept, because its deletion policy says so: {named(kept)}")
        doomed = [item for item in items if item["what"] == "delete"]
        ask(f"delete {stack} ({plural(len(doomed), 'resource')})", lost_data(doomed))
    began = time.monotonic()
    watch = None if no_follow else client.streams.watch(stack)
    head = client.stacks.delete(stack, forget=how["forget"], force=how["force"])
    if watch is None:
        session.say(f"{stack} is on its way out. See: terrace status {stack}")
        return 0
    return follow_down(session, head, watch, began, patience)
