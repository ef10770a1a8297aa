"""What a run of these tests leaves behind when it is killed, and how the next run takes it away.

A run has a folder, which its processes hold by a lock that goes with them. Its path stands in the environment of all
that they start, and what no process takes along when it ends (a namespace, a mount) is noted in it before it is made.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "RUN_OF_REAL_TESTS"
PREFIX = "terrace-tests-"
_held: list[int] = []


def folder() -> Path:
    """The folder of this run, the same for every process of it; gone at the end of the one that made it."""
    if not _held:
        with _alone():
            if MARK not in os.environ:
                _sweep()
                os.environ[MARK] = tempfile.mkdtemp(prefix=PREFIX, dir=_home())
                os.chmod(os.environ[MARK], 0o755)  # PostgreSQL is no root
                atexit.register(_leave, Path(os.environ[MARK]))
            _held.append(os.open(os.environ[MARK], os.O_RDONLY))
            fcntl.flock(_held[0], fcntl.LOCK_SH)
    return Path(os.environ[MARK])


def note(*words: str | Path) -> None:
    """Say, before something is made, which command takes it away; one that finds nothing does no harm."""
    line = json.dumps([str(word) for word in words])
    with (folder() / "undo").open("a") as file:
        file.write(f"{line}\n")


def _leave(made: Path) -> None:
    """The end of the process that made the folder, a Ctrl-C included: another that has not cleaned up yet holds it, and
    leaves it to the next run."""
    with _alone():
        os.close(_held.pop())
        _take_away(made)


def _sweep() -> None:
    """Take away what runs of this user left that were killed."""
    for left in sorted(_home().glob(f"{PREFIX}*")):
        if left.is_symlink() or left.stat().st_uid != os.geteuid():
            continue  # what somebody else wrote there is not carried out
        _take_away(left)


def _take_away(left: Path) -> None:
    """Everything of a run that nobody holds any more."""
    held = os.open(left, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        _undo(left)
    finally:
        os.close(held)


def _undo(left: Path) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={left}".encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
    notes = left / "undo"
    for line in reversed(notes.read_text().splitlines() if notes.exists() else []):
        subprocess.run(json.loads(line), capture_output=True, timeout=120, check=False)
    shutil.rmtree(left, ignore_errors=True)


def _home() -> Path:
    return Path(os.environ.get("TERRACE_TEST_DIR", "/var/tmp"))


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time makes such a folder or looks for those that were left."""
    home = os.open(_home(), os.O_RDONLY)
    try:
        fcntl.flock(home, fcntl.LOCK_EX)
        yield
    finally:
        os.close(home)
