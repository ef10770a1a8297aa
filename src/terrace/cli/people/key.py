"""`terrace key`: SSH public keys."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table


@click.group("key", cls=Group)
def key() -> None:
    """Your SSH public keys."""


@key.command("list", epilog="  terrace key list")
@output_option()
@pass_session
def listing(session: Session) -> None:
    """List your keys."""
    found = list(session.client().people.keys.listing())
    if not found and session.output in ("text", "wide"):
        session.say("no keys: terrace key add laptop ~/.ssh/id_ed25519.pub")
        return
    now = time.time()
    rows = [
        [one["name"], one["text"].split()[0], one["fingerprint"], span(now - one["created"])] for one in found
    ]
    emit(
        session,
        found,
        lambda: table(rows, ["KEY", "TYPE", "FINGERPRINT", "AGE"], session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@key.command(
    "add",
    epilog="""\
  terrace key add laptop ~/.ssh/id_ed25519.pub
  ssh-add -L | head -1 | terrace key add agent""",
)
@click.argument("name")
@click.argument("file", required=False)
@pass_session
def add(session: Session, name: str, file: str | None) -> None:
    """Add a public key, from a file or standard input."""
    made = session.client().people.keys.add(name, _text(file))
    session.say(f"key {name} is added: {made['fingerprint']}")


@key.command("rm", epilog="  terrace key rm laptop")
@click.argument("name")
@pass_session
def remove(session: Session, name: str) -> None:
    """Remove a key."""
    session.client().people.keys.remove(name)
    session.say(f"key {name} is gone")


def _text(file: str | None) -> str:
    if file is None:
        if sys.stdin.isatty():
            raise Stop("there is no key", code="usage", hint="terrace key add NAME FILE.pub")
        return sys.stdin.read()
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Stop(f"{file} cannot be read: {why}", code="file-unreadable") from error
    if "PRIVATE KEY" in text:
        raise Stop(
            f"{file} is a private key, which nobody else is to have", code="private-key", hint=f"{file}.pub"
        )
    return text
