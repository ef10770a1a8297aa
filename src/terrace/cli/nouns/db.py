"""`terrace db`: the database of the server on this machine. The work is done by the server's own program, which reads
its settings; no server need run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from terrace.cli.commands import Group, pass_session
from terrace.cli.plans import ask
from terrace.cli.session import Session


@click.group("db", cls=Group)
def db() -> None:
    """The database that server.toml of this machine names: SQLite in the state folder, or PostgreSQL."""


@db.command("check", epilog="  terrace db check")
def check() -> int:
    """Look the database over, beside servers too: its schema, whether it is whole, whether the key is its own.
    Exit code 1: something is wrong."""
    return _work("check")


@db.command("migrate", epilog="  terrace db migrate")
def migrate() -> int:
    """Bring the database to this version's schema. A server does so by itself when it starts; on PostgreSQL servers
    of the version before go on meanwhile."""
    return _work("migrate")


@db.command("backup", epilog="  terrace db backup /backups/terrace.db")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> int:
    """Write everything as it is at one moment into FILE, beside servers too. It is the same kind of file whichever
    database it is of. The key file is not in it."""
    return _work("backup", str(file))


@db.command(
    "restore",
    epilog="""\
  terrace server stop
  terrace db restore /backups/terrace.db
  terrace db restore /backups/terrace.db --replace   in the place of what is there""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="in the place of everything that is in the database now")
@click.option("-y", "--yes", is_flag=True, help="answer yes")
@pass_session
def restore(session: Session, file: Path, replace: bool, yes: bool) -> int:
    """Put a backup back while no server runs. Afterwards nothing is deleted or replaced until `terrace server
    accept-restore`."""
    if replace and not yes:
        ask("everything in the database goes, and what is in the backup takes its place")
    return _work("restore", str(file), *(["--replace"] if replace else []))


@db.command(
    "move",
    epilog="""\
  terrace server stop
  terrace db move postgresql://terrace@db.example:5432/terrace --password-file /etc/terrace/db-password""",
)
@click.argument("url")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False),
    help="the file with the database's password",
)
def move(url: str, password_file: str | None) -> int:
    """Copy everything from SQLite into an empty PostgreSQL database, while no server runs, and compare both. The SQLite
    file stays as it is."""
    return _work("move", url, *([str(Path(password_file).absolute())] if password_file else []))


def _work(*words: str) -> int:
    """The exit code of the server's program, which says everything itself."""
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", "terrace", "serve", "--db", *words], check=False).returncode
