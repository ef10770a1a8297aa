"""`terrace events`: what happened, and what happens."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.session import Session
from terrace.cli.shape import clean, state

PAGE = 1000


@command(
    "events",
    epilog="""\
  terrace events shop        the last ones
  terrace events shop -f     and on, as they happen
  terrace events -f          of all stacks""",
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
@output_option("text", "json")
@pass_session
def events(session: Session, stack: str | None, follow: bool, tail: int, after: int | None) -> None:
    """Show what happened, oldest first. With -o json: one document on each line."""
    name = stack or session.stack
    client = session.client()
    found = _newest(session, name, tail) if after is None else _above(session, name, after)
    show(session, found)
    if not follow:
        return
    number = found[-1]["number"] if found else after
    watch = client.streams.watch(name, after=number)
    try:
        for batch in watch.batches():
            show(session, batch)
    finally:
        watch.close()


def _above(session: Session, stack: str, after: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while batch := session.client().streams.events(stack, after=after, limit=PAGE):
        found += batch
        after = batch[-1]["number"]
        if len(batch) < PAGE:
            break
    return found


def _newest(session: Session, stack: str, count: int) -> list[dict[str, Any]]:
    return session.client().streams.newest_events(stack, limit=count) if count else []


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
