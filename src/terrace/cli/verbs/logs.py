"""`terrace logs`: what machines wrote."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import click

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import clean, paint

SHADES = ("cyan", "green", "yellow", "blue")
_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")


@command(
    "logs",
    epilog="""\
  terrace logs shop              every machine of a stack
  terrace logs shop/web -f       one machine, and on as it writes
  terrace logs shop --tail 20""",
)
@click.argument("where", metavar="STACK[/RESOURCE]", required=False)
@click.option("-f", "--follow", is_flag=True, help="go on as they write")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="only the last N lines of each")
@output_option("text", "json")
@pass_session
def logs(session: Session, where: str | None, follow: bool, tail: int | None) -> None:
    """Show what the main programs of machines wrote. With -o json: one document on each line."""
    stack, path = split(session, where)
    single = False
    for line in session.client().streams.logs(stack, path, tail=tail, follow=follow):
        if "code" in line and "message" in line:
            raise Stop(line["message"], code=line["code"], hint=line.get("hint", ""))
        single = single or line.get("path") == path
        write(session, line, named=not single)


def split(session: Session, where: str | None) -> tuple[str, str]:
    """Stack and path of "shop/web/0"; a project file may name the stack."""
    given = where or session.stack
    if not given:
        raise click.UsageError("Say which stack, or STACK/RESOURCE.")
    stack, _, path = given.partition("/")
    return stack, path


def write(session: Session, line: dict[str, Any], *, named: bool) -> None:
    """Writes one line of a log, as it was written; what would steer the terminal is taken out."""
    if session.output == "json":
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        text = line["text"].rstrip("\n")
        if sys.stdout.isatty():
            text = "".join(part if _STYLE.fullmatch(part) else clean(part) for part in _STYLE.split(text))
        name = line.get("path", "")
        color = session.color(sys.stdout)
        shade = SHADES[sum(map(ord, name)) % len(SHADES)]
        sys.stdout.write(f"{paint(f'{name} |', shade, color)} {text}\n" if named else f"{text}\n")
    sys.stdout.flush()
