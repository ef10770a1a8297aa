"""`terrace server`: the server of this user on this machine."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from terrace.cli.commands import Group, output_option, pass_session
from terrace.cli.faults import DONE, ERROR, Reported, Stop
from terrace.cli.session import Session
from terrace.cli.shape import emit, span


@click.group("server", cls=Group)
def server() -> None:
    """The local server. Every command starts it when it is needed."""


@server.command("start", epilog="  terrace server start")
@pass_session
def start(session: Session) -> None:
    """Start the local server, if it does not run."""
    from terrace.client import local

    before = local.server_pid(local.locate().address)
    address = local.ensure(session.say)
    if before:
        session.say(f"the local server runs already (pid {before}, {address})")


@server.command("stop", epilog="  terrace server stop")
@pass_session
def stop(session: Session) -> None:
    """Stop the local server. What it keeps standing stays as it is, but is not healed until it runs again."""
    from terrace.client import local

    pid = local.stop(local.locate().address)
    session.say(f"stopped the local server (pid {pid})" if pid else "the local server does not run")


@server.command("restart", epilog="  terrace server restart")
@pass_session
def restart(session: Session) -> None:
    """Have the local server begin anew, with the settings that there are now. Nobody is turned away meanwhile: requests
    under way are finished, others wait a moment. A mistake in the settings is told, and then nothing is done."""
    from terrace.client import local

    where = local.locate()
    check_settings()
    pid = local.restart(where.address)
    if pid:
        session.say(f"the local server began anew (pid {pid})")
    else:
        local.ensure(session.say)


def check_settings() -> None:
    """Reported when the server could not start with its settings: it has said why."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "terrace", "serve", "--check"], stdout=subprocess.DEVNULL, check=False, cwd="/"
    )
    if done.returncode:
        raise Reported(ERROR)


@server.command("status", epilog="  terrace server status\n  terrace server status -o json")
@output_option("text", "json", "yaml")
@pass_session
def status(session: Session) -> int:
    """Show whether the local server runs, and where it keeps things. Exit code 1: it does not run."""
    from terrace.client import local

    where = local.locate()
    pid = local.server_pid(where.address)
    found: dict[str, Any] = {
        "running": bool(pid),
        "pid": pid or None,
        "memory": memory(pid),
        "address": str(where.address),
        "state": str(where.state),
        "log": str(where.log),
        "settings": str(where.settings) if Path(where.settings).exists() else "built in",
    }
    if pid:
        from terrace.client import Client

        with Client(where.address) as client:
            found |= client.version() | client.server()
    words = {key: "-" if value is None else str(value) for key, value in found.items()}
    words["memory"] = f"{found['memory'] / 1024**2:.0f} MiB" if found["memory"] else "-"
    words["running"] = "yes" if pid else "no"
    if pid:
        words["started"] = f"{span(time.time() - found['started'])} ago"
        words["listen"] = f"https://{found['listen']}" if found["listen"] else "on its Unix socket alone"
        words["fingerprint"] = found["fingerprint"] or "-"
        words["connections"] = ", ".join(f"{door} {count}" for door, count in found["connections"].items())
    emit(session, found, lambda: "\n".join(f"{key:<14}{value}" for key, value in words.items()), lambda: [])
    return DONE if pid else ERROR


@server.command(
    "config",
    epilog="  terrace server config\n  terrace server config --write   a commented file to start from",
)
@click.option("--write", is_flag=True, help="write a commented file where there is none")
@pass_session
def config(session: Session, write: bool) -> None:
    """Show which settings the local server reads; with --write, make a commented file to begin with."""
    from terrace.client.local import locate

    file = Path(locate().settings)
    if not write:
        if file.exists():
            print(f"# {file}\n{file.read_text(encoding='utf-8')}", end="")
            return
        session.say(
            f"{file} does not exist: the built-in settings count. Make it: terrace server config --write"
        )
        return
    if file.exists():
        raise Stop(
            f"{file} is there already",
            code="exists",
            hint="edit it; then terrace server restart",
        )
    _write(file, commented())
    session.say(f"wrote {file}. Changes count after: terrace server restart")


@server.command(
    "install",
    epilog="""\
  sudo terrace server install      for the whole machine, from its start on
  terrace server install --user    for you, without root
  terrace server install --print   only show the unit""",
)
@click.option("--user", is_flag=True, help="a unit of your own, without root")
@click.option("--print", "show", is_flag=True, help="only show the unit")
@pass_session
def install(session: Session, user: bool, show: bool) -> None:
    """Write a systemd unit, so that the server starts with the machine: after a reboot everything is
    healed."""
    from terrace.cli.nouns import unit

    text = unit.unit_text(user=user)
    runs = unit.systemd_runs()
    if show or not runs:
        print(text, end="")
        if not show:
            session.say("systemd does not run here, so nothing was installed; above is the unit")
        return
    file = unit.unit_file(user=user)
    _write(file, text)
    unit.enable(user=user)
    session.say(f"wrote {file}; the server runs now, and starts with the machine")


@server.command("accept-restore", epilog="  terrace server accept-restore")
@click.option(
    "-y", "--yes", is_flag=True, help="answer yes: delete and replace what is newer than the database"
)
@pass_session
def accept_restore(session: Session, yes: bool) -> None:
    """After an older copy of the database was put back: say that what it wants is right. Until then nothing is
    deleted or replaced where things are newer than the database."""
    from terrace.cli.plans import ask

    if not yes:
        ask("let what is newer than the database be deleted and replaced")
    providers = session.client().providers.accept_restore()
    session.say(f"it goes on, on {', '.join(providers)}" if providers else "nothing was in doubt")


def commented() -> str:
    """The commented settings, as they ship with the server."""
    from importlib.resources import files

    return (files("terrace") / "services" / "settings" / "server.toml").read_text(encoding="utf-8")


def memory(pid: int) -> int | None:
    """Resident bytes of a process; None when that cannot be seen."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    import resource

    return int(pages) * resource.getpagesize()


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "run it with sudo, or add --user" if sys.platform == "linux" else ""
        raise Stop(
            f"{file} cannot be written: {error.strerror}", code="file-unwritable", hint=hint
        ) from error
