"""`terrace output`: what a stack gives to the outside."""

from __future__ import annotations

import sys

import click

from terrace.cli.commands import command, output_option, pass_session, stack_argument
from terrace.cli.session import Session
from terrace.cli.shape import emit, table, value


@command(
    "output",
    epilog="""\
  terrace output shop               all of them
  terrace output shop url           one, as bare text
  terrace output shop key --reveal  one that is secret""",
)
@stack_argument()
@click.argument("name", required=False)
@click.option("--reveal", is_flag=True, help="show secret values, which are ****** otherwise")
@output_option()
@pass_session
def output(session: Session, stack: str, name: str | None, reveal: bool) -> None:
    """Show a stack's outputs."""
    views = session.client().views
    if name is not None:
        one = views.output(stack, name, reveal=reveal)
        emit(session, one, lambda: _bare(one["value"]), lambda: [name])
        return
    outputs = list(views.outputs(stack, reveal=reveal))
    if not outputs and session.output in ("text", "wide"):
        session.say(f"{stack} has no outputs")
        return
    rows = [[item["name"], value(item["value"])] for item in outputs]
    emit(
        session,
        outputs,
        lambda: table(rows, ["OUTPUT", "VALUE"], session.color(sys.stdout)),
        lambda: (item["name"] for item in outputs),
    )


def _bare(item: object) -> str:
    """Text as it is, for use in scripts; on a terminal nothing in it may steer that."""
    return item if isinstance(item, str) and not sys.stdout.isatty() else value(item)
