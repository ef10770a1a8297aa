"""`terrace scale`: how many members a group has."""

from __future__ import annotations

import time

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.session import Session
from terrace.cli.shape import emit, span


@command(
    "scale",
    epilog="""\
  terrace scale shop web      how many members the group web is to have, and who said so
  terrace scale shop web 6    six, until somebody, a policy or a changed template says otherwise""",
)
@click.argument("stack")
@click.argument("path")
@click.argument("size", required=False, type=click.IntRange(0, 100_000))
@click.option("--why", default="", help="kept with the size, for those who wonder later")
@click.option("--no-follow", is_flag=True, help="ask for it and leave")
@output_option("text", "json", "yaml")
@pass_session
def scale(session: Session, stack: str, path: str, size: int | None, why: str, no_follow: bool) -> int:
    """Show or set how many members a group has, within the bounds of its template."""
    from terrace.cli.follow.follow import accepted

    client = session.client()
    if size is None:
        found = client.signals.size(stack, path)
        ago = f", {span(time.time() - found['at'])} ago" if found["at"] else ""
        because = f" ({found['why']})" if found["why"] else ""
        says = f"{found['size']} of {found['minimum']} to {found['maximum']}, said by {found['who']}{because}{ago}"
        emit(session, found, lambda: says, lambda: [str(found["size"])])
        return 0
    began = time.monotonic()
    watch = None if no_follow else client.streams.watch(stack)
    head = client.signals.scale(stack, path, size, why)
    return accepted(session, head, watch, began)
