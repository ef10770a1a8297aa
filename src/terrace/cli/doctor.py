"""`terrace doctor`: looks at this machine and the connection, and says how to mend each fault."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from terrace.cli.commands import command, output_option, pass_session
from terrace.cli.faults import DONE, ERROR
from terrace.cli.session import Session
from terrace.cli.shape import clean, emit, paint
from terrace.errors import TerraceError

OLDEST_PYTHON = (3, 11)
SPACE = 256 * 1024**2
SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}


class Check(NamedTuple):
    """One thing that was looked at. `health` is ok, warning or fault; `hint` how to mend it."""

    name: str
    health: str
    message: str
    hint: str = ""


@command("doctor", epilog="  terrace doctor\n  terrace doctor -o json")
@output_option("text", "json", "yaml")
@pass_session
def doctor(session: Session) -> int:
    """Check this machine, the connection and the server, which is started when it does not run. Exit code 1:
    a fault."""
    from terrace.client import local

    checks = {
        check.name: check
        for check in (python(), *this_machine(Path(local.locate().state)), *connection(session))
    }
    emit(
        session,
        [check._asdict() for check in checks.values()],
        lambda: "\n".join(text(check, session.color(sys.stdout)) for check in checks.values()),
        lambda: checks,
    )
    return ERROR if any(check.health == "fault" for check in checks.values()) else DONE


def text(check: Check, color: bool) -> str:
    """A check on a line, and how to mend it below."""
    sign, shade = SIGNS.get(check.health, SIGNS["fault"])
    line = f"{paint(sign, shade, color)} {check.name:<20} {clean(check.message)}"
    return f"{line}\n{'':23}help: {clean(check.hint)}" if check.hint and check.health != "ok" else line


def python() -> Check:
    """Whether this Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check(
            "python", "fault", version, f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"
        )
    return Check("python", "ok", f"{version}, {sys.executable}")


def this_machine(folder: Path) -> Iterator[Check]:
    """The state folder and what is in it."""
    if not folder.exists():
        yield Check("state folder", "ok", f"{folder} will be made when the server starts")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Check("state folder", "fault", f"{folder} cannot be written", f"sudo chown -R $USER {folder}")
    elif mode & 0o077:
        yield Check(
            "state folder", "fault", f"others may look into {folder} ({mode:o})", f"chmod 700 {folder}"
        )
    elif free < SPACE:
        yield Check(
            "state folder",
            "warning",
            f"only {free // 1024**2:,} MiB free at {folder}",
            f"free some: du -sh {folder}",
        )
    else:
        yield Check("state folder", "ok", f"{folder}, {free // 1024**2:,} MiB free")
    yield from secret_files(folder)


def secret_files(folder: Path) -> Iterator[Check]:
    """The key file: whoever can read it and the database can read hidden values."""
    for key in sorted(folder.glob("*key*")):
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & 0o077:
            yield Check("key file", "fault", f"others may read {key} ({mode:o})", f"chmod 600 {key}")
        else:
            yield Check("key file", "ok", f"{key}, only for you")


def connection(session: Session) -> list[Check]:
    """Whether the server answers, whether it is of our version, and what it says of itself."""
    from terrace import __version__

    try:
        client = session.client()
        version = client.version()["version"]
        found = [Check("server", "ok", f"{version} answers at {client.address}")]
        if version != __version__:
            hint = "let both be of one version: terrace server stop, then any command starts it again"
            found.append(
                Check("versions", "warning", f"this is {__version__}, the server is {version}", hint)
            )
        return found + [told(check) for check in client.doctor()["checks"]]
    except TerraceError as error:
        return [Check("server", "fault", error.message, error.hint)]


def told(check: dict[str, Any]) -> Check:
    """A check that the server made of itself."""
    return Check(check["name"], check["health"], check["message"], check.get("hint", ""))
