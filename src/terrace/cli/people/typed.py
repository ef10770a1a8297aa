"""What people type: passwords, which are not shown, and lengths of time."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from terrace.cli.faults import Stop

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

password_option = click.option(
    "--password-file", "file", metavar="FILE", help="file with the password, instead of asking for it"
)


def password(question: str, file: str | None, *, twice: bool = False) -> str:
    """A password: the first line of a file, or what is typed and not shown, or the first line of standard input."""
    if file is not None:
        try:
            found = Path(file).read_text(encoding="utf-8").split("\n", 1)[0].removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise Stop(f"{file} cannot be read: {why}", code="file-unreadable") from error
    elif sys.stdin.isatty():
        found = click.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    else:
        found = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not found:
        raise Stop("there is no password", code="no-password", hint="type it, or give --password-file FILE")
    return found


def seconds(text: str) -> float:
    """A length of time such as 30m, in seconds."""
    try:
        return float(text[:-1]) * UNITS[text[-1:]]
    except (ValueError, KeyError):
        raise Stop(f'"{text}" is no length of time', code="usage", hint="30m, 12h, 90d") from None
