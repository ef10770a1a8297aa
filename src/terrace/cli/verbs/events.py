"""`terrace events`: what happened, and what happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.people.typed import seconds
from terrace.cli.session import Session
from terrace.cli.shape import clean, state

KINDS = ("alarm.", "ghost.", "group.", "provider.", "resource.", "signal.", "stack.")
"""How kinds of events begin."""


def _kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


@command(
    "events",
    epilog="""\
  terrace events                             the last ones of the project
  terrace events shop                        of one stack
  terrace events shop -f                     and on, as they happen
  terrace events --kind resource.failing -f  only of this kind, of every stack of the project
  terrace events shop --path web --since 2h  about web and what is below it, in the last two hours
  terrace events --all                       of the whole installation""",
)
@stack_argument(required=False)
@click.option("-f", "--follow", is_flag=True, help="go on as they happen")
@click.option(
    "-n",
    "--tail",
    default=50,
    show_default=True,
    type=click.IntRange(0, 5000),
    help="how many of the last",
)
@click.option(
    "--after", type=click.IntRange(0), metavar="N", help="those numbered above N, instead of the last ones"
)
@click.option(
    "--kind",
    default="",
    metavar="BEGINNING",
    help="only kinds that begin so: resource.failing, stack",
    shell_complete=_kinds,
)
@click.option(
    "--path", default="", metavar="PATH", help="only about the resource at PATH and what is below it"
)
@click.option("--since", metavar="TIME", help="only of the last so long: 30m, 2h, 7d")
@click.option("--all", "everywhere", is_flag=True, help="of the whole installation, for its administrators")
@output_option("text", "json")
@pass_session
def events(
    session: Session,
    /,
    stack: str | None,
    follow: bool,
    tail: int,
    after: int | None,
    since: str | None,
    **of: Any,
) -> None:
    """Show what happened in the project, or in one stack of it, oldest first. With -o json: one document on each
    line."""
    from terrace.client import Events

    if stack and of["everywhere"]:
        raise click.UsageError("--all is for all stacks: name none with it")
    begin = time.time() - seconds(since) if since is not None else 0.0
    wanted = Events("" if of["everywhere"] else stack or session.stack, since=max(begin, 0.0), **of)
    streams = session.client().streams
    if after is not None:
        found = list(streams.events(wanted, after=after))
    else:
        found = streams.newest_events(wanted, limit=tail) if tail else []
    show(session, found)
    if not follow:
        return
    watch = streams.watch(wanted, after=found[-1]["number"] if found else after)
    try:
        for batch in watch.batches():
            show(session, batch)
    finally:
        watch.close()


def show(session: Session, batch: Sequence[dict[str, Any]]) -> None:
    """Writes events to standard output at once."""
    if not batch:
        return
    if session.output == "json":
        lines = [json.dumps(event, ensure_ascii=False) for event in batch]
    else:
        color = session.color(sys.stdout)
        lines = [line(event, color) for event in batch]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def line(event: dict[str, Any], color: bool) -> str:
    """An event on one line: when, what, which, and what was said."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["at"]))
    word = event["kind"].rpartition(".")[2] if event.get("path") else event["kind"]
    message = clean(event.get("message", "")).replace("\n", " ")
    return f"{when}  {event.get('path') or '-':<20}  {state(word, 10, color)}  {message}".rstrip()
