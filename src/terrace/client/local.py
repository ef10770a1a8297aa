"""The server of this user on this machine: where its state is, whether it answers, how it is started and
stopped."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from terrace.client.address import Address
from terrace.client.errors import UnreachableError
from terrace.client.transport import dial

PATIENCE = 20.0
"""Seconds that a server may take to answer after it was started."""

STOPPING = 30.0
"""Seconds that a server may take to end after it was told to."""


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the local server keeps everything: $XDG_STATE_HOME/terrace, by default ~/.local/state/terrace."""
    home = environ.get("XDG_STATE_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "state") / "terrace"


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where settings are read from: $XDG_CONFIG_HOME/terrace, by default ~/.config/terrace."""
    home = environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".config") / "terrace"


def socket_path(folder: Path) -> Path:
    """The socket of the server whose state is in `folder`."""
    return folder / "terrace.sock"


def log_path(folder: Path) -> Path:
    """The log file of the server whose state is in `folder`."""
    return folder / "terrace.log"


def local_address() -> Address:
    """The address of this user's own server."""
    return Address(path=str(socket_path(state_folder())))


def answers(address: Address) -> bool:
    """Whether something listens at `address`."""
    try:
        dial(address, 2.0).close()
    except OSError:
        return False
    return True


def server_pid(address: Address) -> int:
    """The process that listens on a Unix socket, as the kernel knows it; 0 when none does."""
    try:
        with contextlib.closing(dial(address, 2.0)) as connection:
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return 0
    return int(struct.unpack("3i", credentials)[0])


def ensure(say: Callable[[str], None], folder: Path | None = None) -> Address:
    """The address of the local server, which is started first when it does not run; `say` is told so.
    UnreachableError with the last lines of its log when it does not come up."""
    folder = folder or state_folder()
    address = Address(path=str(socket_path(folder)))
    if answers(address):
        return address
    with _only_one(folder):
        if answers(address):  # somebody else started it while we waited for the lock
            return address
        started = time.monotonic()
        process = _spawn(folder)
        _await(address, process, folder)
        took = time.monotonic() - started
        say(f"started the local server (pid {process.pid}, {took:.1f} s, log in {log_path(folder)})")
    return address


def stop(address: Address) -> int:
    """Tells the server to end and waits until it has; its process id, 0 when none ran. UnreachableError when
    it does not end."""
    pid = server_pid(address)
    if pid == 0:
        return 0
    try:
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
    except ProcessLookupError:
        return pid
    except PermissionError as error:
        raise UnreachableError(
            f"the server (pid {pid}) belongs to somebody else", hint=f"stop it as its owner: kill {pid}"
        ) from error
    try:
        ended, _, _ = select.select([handle], [], [], STOPPING)
    finally:
        os.close(handle)
    if not ended:
        raise UnreachableError(
            f"the server (pid {pid}) did not end within {STOPPING:.0f} s", hint=f"kill -9 {pid}"
        )
    return pid


def last_lines(path: Path, count: int = 10) -> list[str]:
    """The end of a text file; nothing when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16384))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Held by whoever is starting the server, so that two commands at once do not start two."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnreachableError(
            f"the state folder {folder} cannot be written ({error.strerror})",
            code="state-folder",
            hint="mend its permissions or free space, or point XDG_STATE_HOME elsewhere",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    """A server process of its own session: it outlives this command and its terminal. What it says before it
    has a log goes to a file beside it."""
    try:
        with (folder / "start.log").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "terrace", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        raise UnreachableError(
            f"the local server could not be started ({error})", hint="terrace doctor"
        ) from error


def _await(address: Address, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(address):
        died = process.poll() is not None
        if died or time.monotonic() > deadline:
            why = (
                f"ended with exit code {process.returncode}"
                if died
                else f"does not answer after {PATIENCE:.0f} s"
            )
            said = last_lines(folder / "start.log") or last_lines(log_path(folder))
            lines = "".join(f"\n  | {line}" for line in said)
            raise UnreachableError(
                f"the local server {why}{lines}", hint=f"its log is {log_path(folder)}", code="server-died"
            )
        time.sleep(0.02)
    process.returncode = 0  # it goes on without us: no warning about a child that still runs
