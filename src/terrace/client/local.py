"""The server of this user on this machine: where its state is, whether it answers, how it is started and
stopped."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from terrace.client.address import Address
from terrace.client.errors import UnreachableError
from terrace.client.transport import dial

if TYPE_CHECKING:
    import subprocess

PATIENCE = 20.0
"""Seconds that a server may take to answer after it was started."""

STOPPING = 30.0
"""Seconds that a server may take to end after it was told to."""


class Local(NamedTuple):
    """Where the local server keeps everything (`state`), listens (`socket`), logs (`log`) and is set up
    (`settings`)."""

    state: str
    socket: str
    log: str
    settings: str

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(path=self.socket)


def config_folder(environ: Mapping[str, str] = os.environ) -> str:
    """Where settings are read from: $XDG_CONFIG_HOME/terrace, by default ~/.config/terrace."""
    return os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"), "terrace")


def locate(environ: Mapping[str, str] = os.environ) -> Local:
    """This user's own server, as its settings file and the environment place it."""
    settings = environ.get("TERRACE_SERVER_CONFIG") or os.path.join(config_folder(environ), "server.toml")
    placed = _placed(settings)
    home = os.path.join(environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "terrace")
    state = os.path.expanduser(placed.get("state") or environ.get("TERRACE_STATE") or home)
    listens = os.path.expanduser(placed.get("socket") or os.path.join(state, "server.sock"))
    return Local(state, listens, os.path.join(state, "server.log"), settings)


def _placed(settings: str) -> dict[str, str]:
    """`state` and `socket` of a settings file. Its mistakes are for the server to report."""
    try:
        with open(settings, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return {}
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    return {name: value for name in ("state", "socket") if isinstance(value := found.get(name), str)}


def answers(address: Address) -> bool:
    """Whether something listens at `address`."""
    try:
        dial(address, 2.0).close()
    except OSError:
        return False
    return True


def server_pid(address: Address) -> int:
    """The process that listens on a Unix socket, as the kernel knows it; 0 when none does."""
    import struct

    form = "3i"  # process, user and group
    try:
        with contextlib.closing(dial(address, 2.0)) as connection:
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    except OSError:
        return 0
    return int(struct.unpack(form, credentials)[0])


def ensure(say: Callable[[str], None], local: Local | None = None) -> Address:
    """The address of the local server, which is started first when it does not run; `say` is told so.
    UnreachableError with the last lines of its log when it does not come up."""
    local = local or locate()
    if answers(local.address):
        return local.address
    with _only_one(local.state):
        if answers(local.address):  # somebody else started it while we waited for the lock
            return local.address
        started = time.monotonic()
        process = _spawn(local.state)
        _await(local, process)
        took = time.monotonic() - started
        say(f"started the local server (pid {process.pid}, {took:.1f} s, log in {local.log})")
    return local.address


def stop(address: Address) -> int:
    """Tells the server to end and waits until it has; its process id, 0 when none ran. UnreachableError when
    it does not end."""
    import select
    import signal

    pid = server_pid(address)
    if pid == 0:
        return 0
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return pid
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        ended, _, _ = select.select([handle], [], [], STOPPING)
    except ProcessLookupError:
        return pid
    except PermissionError as error:
        hint = f"stop it as its owner: kill {pid}"
        raise UnreachableError(f"the server (pid {pid}) belongs to somebody else", hint=hint) from error
    finally:
        os.close(handle)
    if not ended:
        says = f"the server (pid {pid}) did not end within {STOPPING:.0f} s"
        raise UnreachableError(says, hint=f"kill -9 {pid}")
    return pid


def restart(address: Address) -> int:
    """Has the server begin anew, with the settings that there are now, and waits until it does; its process id, 0 when
    none runs. Whoever connects meanwhile waits and is served. UnreachableError when it does not come back."""
    import signal

    from terrace.client.client import Client

    pid = server_pid(address)
    if pid == 0:
        return 0
    with Client(address) as client:
        before = client.server()["started"]
    try:
        os.kill(pid, signal.SIGHUP)
    except PermissionError as error:
        raise UnreachableError(f"the server (pid {pid}) belongs to somebody else", hint="ask them") from error
    deadline = time.monotonic() + STOPPING + PATIENCE
    while time.monotonic() < deadline:
        try:
            with Client(address) as client:
                if client.server()["started"] != before:
                    return pid
        except UnreachableError:  # a connection that the old one had let in, and the new one does not know
            pass
        time.sleep(0.05)
    raise UnreachableError(
        f"the server (pid {pid}) has not begun anew",
        code="server-died",
        hint="its log says why: terrace server status",
    )


def last_lines(path: str, count: int = 10) -> list[str]:
    """The end of a text file; nothing when it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - 16384))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


@contextlib.contextmanager
def _only_one(folder: str) -> Iterator[None]:
    """Held by whoever is starting the server, so that two commands at once do not start two."""
    import fcntl

    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = os.open(os.path.join(folder, "start.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnreachableError(
            f"the state folder {folder} cannot be written ({error.strerror})",
            code="state-folder",
            hint="mend its permissions or free space, or point TERRACE_STATE elsewhere",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _spawn(folder: str) -> subprocess.Popen[bytes]:
    """A server process of its own session: it outlives this command and its terminal. What it says before it
    has a log goes to a file beside it."""
    import subprocess

    try:
        log = os.open(
            os.path.join(folder, "start.log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        with open(log, "wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "terrace", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        hint = "terrace doctor"
        raise UnreachableError(f"the local server could not be started ({error})", hint=hint) from error


def _last_words(local: Local) -> list[str]:
    """Why a server may have ended that could not even write why."""
    if os.statvfs(local.state).f_bavail == 0:
        return [f"the state folder {local.state} is full"]
    return last_lines(local.log)


def _await(local: Local, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(local.address):
        died = process.poll() is not None
        if died or time.monotonic() > deadline:
            why = (
                f"ended with exit code {process.returncode}" if died else f"is silent after {PATIENCE:.0f} s"
            )
            said = last_lines(os.path.join(local.state, "start.log")) or _last_words(local)
            raise UnreachableError(
                "".join((f"the local server {why}", *(f"\n  | {line}" for line in said))),
                code="server-died",
                hint=f"its log is {local.log}",
            )
        time.sleep(0.02)
    process.returncode = 0  # it goes on without us: no warning about a child that still runs
