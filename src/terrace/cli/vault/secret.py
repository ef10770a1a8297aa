"""`terrace secret`: secrets that projects keep by name."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from terrace.cli.commands import Group, limit_option, name_option, output_option, pass_session, some
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, span, table
from terrace.cli.vault.keys import forget, keys, rotate

own_option = click.option("--installation", is_flag=True, help="of the installation, for its server.toml")


@click.group("secret", cls=Group)
def secret() -> None:
    """Secrets of the project, which stacks read by name. Nobody is shown what is in one."""


@secret.command(
    "set",
    epilog="""\
  terrace secret set db-password                      asks for it
  pwgen 24 1 | terrace secret set db-password         takes it from standard input
  terrace secret set tls-key --from-file server.key   takes a file as it is
  terrace up shop.yaml -p password=secret:db-password""",
)
@click.argument("name")
@click.option("--from-file", "file", metavar="FILE", help="what is to be in it, as it is")
@own_option
@pass_session
def put(session: Session, name: str, file: str | None, installation: bool) -> None:
    """Set a secret, or a new version of it. Stacks that read it take the new version up."""
    value = _from_file(file) if file is not None else _asked(name)
    stored = session.client().secrets.put(name, value, own=installation)
    session.say(f"secret {name} is set (version {stored['version']})")


@secret.command("list", epilog="  terrace secret list\n  terrace secret list --name db- --limit 20")
@own_option
@name_option
@limit_option
@output_option()
@pass_session
def listing(session: Session, installation: bool, name: str, limit: int | None) -> None:
    """List the secrets: versions, when and by whom, who reads them. Never what is in them."""
    secrets = session.client().secrets
    found = some(session, lambda most: secrets.listing(own=installation, name=name, limit=most), limit)
    if not found and name and session.output in ("text", "wide"):
        session.say("no secret is like that")
        return
    if not found and session.output in ("text", "wide"):
        session.say("there are no secrets yet: terrace secret set NAME")
        return
    now = time.time()
    rows = [
        [
            one["name"],
            str(one["version"]),
            span(now - one["at"]),
            one["who"],
            ", ".join(one["used_by"]) or "-",
        ]
        for one in found
    ]
    emit(
        session,
        found,
        lambda: table(rows, ["SECRET", "VERSION", "AGE", "BY", "READ BY"], session.color(sys.stdout)),
        lambda: (one["name"] for one in found),
    )


@secret.command("rm", epilog="  terrace secret rm db-password")
@click.argument("name")
@click.option("--force", is_flag=True, help="also while stacks read it: they keep what they have")
@own_option
@pass_session
def remove(session: Session, name: str, force: bool, installation: bool) -> None:
    """Take a secret away. Refused while a stack reads it."""
    session.client().secrets.delete(name, force=force, own=installation)
    session.say(f"secret {name} is gone")


for one in (rotate, keys, forget):
    secret.add_command(one)


def _from_file(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Stop(f"{file} cannot be read: {why}", code="file-unreadable") from error


def _asked(name: str) -> str:
    """What is typed, twice the same and not shown; or standard input, without one line feed at its end."""
    if not sys.stdin.isatty():
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    found: str = click.prompt(name, hide_input=True, confirmation_prompt=True, err=True)
    return found
