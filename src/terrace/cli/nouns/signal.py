"""`terrace signal`: what guests and others say to handles, policies and alarms."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from terrace.cli.commands import Group, limit_option, output_option, pass_session, some
from terrace.cli.faults import Stop
from terrace.cli.plans import ask
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, table, value


@click.group("signal", cls=Group)
def signal() -> None:
    """Signals to the handles, scaling policies and alarms of a stack."""


@signal.command(
    "list",
    epilog="""\
  terrace signal list shop
  terrace signal list shop handle
  terrace signal list shop --limit 20""",
)
@click.argument("stack")
@click.argument("path", required=False)
@limit_option
@output_option()
@pass_session
def listing(session: Session, stack: str, path: str | None, limit: int | None) -> None:
    """List the signals that came, to the whole stack or to the handle PATH, in the order in which they came; with
    --limit the first by handle and id."""
    signals = session.client().signals
    found = some(session, lambda most: signals.listing(stack, path or "", limit=most), limit)
    if limit is None:
        found.sort(key=lambda item: item["at"])
    if not found and session.output in ("text", "wide"):
        session.say("no signals came")
        return
    heads = ["HANDLE", "ID", "STATUS", "REASON", "DATA"]
    emit(
        session,
        found,
        lambda: table(map(_row, found), heads, session.color(sys.stdout)),
        lambda: (item["id"] for item in found),
    )


@signal.command(
    "send",
    epilog="""\
  terrace signal send shop handle
  terrace signal send shop handle --status FAILURE --reason "no disk"
  terrace signal send shop scale-up
  terrace signal send shop cpu-high --state ok""",
)
@click.argument("stack")
@click.argument("path")
@click.option(
    "--status", type=click.Choice(["SUCCESS", "FAILURE"]), help="what it reports; SUCCESS by default"
)
@click.option(
    "--state",
    type=click.Choice(["alarm", "ok", "insufficient data"]),
    help="the state of an alarm; alarm by default",
)
@click.option("--reason", help="one line of why")
@click.option("--data", help="anything; JSON if it is that")
@click.option("--id", "identity", help="what it is kept under; the next number by default")
@pass_session
def send(session: Session, /, stack: str, path: str, identity: str | None, **said: str | None) -> None:
    """Send a signal to the handle, the scaling policy or the alarm at PATH."""
    given = {**said, "data": _parsed(said["data"]), "id": identity}
    body = {name: one for name, one in given.items() if one is not None}
    session.say(clean(session.client().signals.send(stack, path, body)["message"]))


@signal.command(
    "rotate",
    epilog="""\
  terrace signal rotate shop handle
  terrace signal rotate shop handle --revoke""",
)
@click.argument("stack")
@click.argument("path")
@click.option("--revoke", is_flag=True, help="close the door: no token is good any more")
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@pass_session
def rotate(session: Session, stack: str, path: str, revoke: bool, yes: bool) -> None:
    """Give the door at PATH another token. The one before is worth nothing from then on; what has it in its
    properties, such as a machine in its user data, is changed or replaced."""
    if not yes:
        ask(f"give {path} another token; what refers to it is changed or replaced")
    session.client().signals.rotate(stack, path, revoke=revoke)
    session.say(f"{path} is closed" if revoke else f"{path} has another token: terrace status {stack}")


def _row(item: dict[str, Any]) -> list[str]:
    data = "" if item["data"] is None else value(item["data"])
    return [item["path"], item["id"], item["status"], item["reason"], data]


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
    except RecursionError as error:
        raise Stop("--data nests too deep", code="usage") from error
