"""`terrace audit`: who asked for what."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import ERROR, Reported
from terrace.cli.session import Session
from terrace.cli.shape import emit, table


@click.group("audit", cls=Group)
def audit() -> None:
    """The audit log: who asked for what, and whether it was allowed."""


@audit.command(
    "list",
    epilog="""\
  terrace audit list
  terrace audit list --project shop -n 500
  terrace audit list --all -o json > audit.json""",
)
@click.option("-n", "--count", type=click.IntRange(1, 5000), default=50, help="how many of the newest rows")
@click.option("--all", "everything", is_flag=True, help="every row there is")
@output_option()
@pass_session
def listing(session: Session, count: int, everything: bool) -> None:
    """List what was asked for: of one project with --project, of all without."""
    log = session.client().people.audit
    project = session.flags.get("project") or ""
    rows = list(log.listing(project)) if everything else log.newest(count, project)
    if not rows and session.output in ("text", "wide"):
        session.say("nothing was asked for yet")
        return
    heads = ["NUMBER", "WHEN", "WHO", "FROM", "RIGHT", "PROJECT", "ABOUT", "OUTCOME"]
    emit(
        session,
        rows,
        lambda: table(map(_row, rows), heads, session.color(sys.stdout)),
        lambda: (str(row["number"]) for row in rows),
    )


@audit.command(
    "verify",
    epilog="""\
  terrace audit verify
  terrace audit verify --known 4711:9f2c...     what it printed some time ago""",
)
@click.option("--known", metavar="NUMBER:DIGEST", default="", help="a row as it once was, kept elsewhere")
@output_option("text", "json", "yaml")
@pass_session
def verify(session: Session, known: str) -> None:
    """Check that no row was changed, removed, moved or added. Exit code 1: one was."""
    found = session.client().people.audit.verify(known)
    emit(session, found, lambda: _verdict(found), lambda: [])
    if not found["whole"]:
        raise Reported(ERROR)


def _verdict(found: dict[str, Any]) -> str:
    if not found["whole"]:
        return f"the log is not as it was written: {found['fault']}"
    if not found["count"]:
        return "the log is empty"
    return (
        f"{found['count']:,} rows, {found['first']} to {found['last']}, are as they were written\n"
        f"the last: {found['last']}:{found['digest']}"
    )


def _row(row: dict[str, Any]) -> list[str]:
    when = datetime.fromtimestamp(row["at"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    where = row["source"] or row["credential"]
    return [
        str(row["number"]),
        when,
        row["actor"],
        where,
        row["right"],
        row["project"] or "-",
        row["subject"],
        row["outcome"],
    ]
