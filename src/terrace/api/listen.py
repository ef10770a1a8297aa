"""Where the server is heard: a Unix socket that only its owner can reach, served until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from terrace.errors import ConflictError, UserError

PATH_LIMIT = 107
"""Bytes that the kernel takes as the path of a Unix socket."""
GRACE = 5
"""Seconds that requests may take to end after the server was told to stop."""


class OwnerProtocol(H11Protocol):
    """HTTP that hangs up on everybody but the owner (and root): the kernel says who is at the other end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base class
        """Looks who is there."""
        peer = transport.get_extra_info("socket")
        credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, uid, _ = struct.unpack("3i", credentials)
        if uid not in (os.getuid(), 0):
            self.transport = transport  # connection_lost closes it once more
            transport.abort()
            return
        super().connection_made(transport)


class Server(uvicorn.Server):
    """A uvicorn server that sleeps until it is told to stop, and then lets `farewell` end what would never
    end."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], farewell: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._farewell = farewell
        self._told = asyncio.Event()

    async def main_loop(self) -> None:
        """Sleeps; the ticking of uvicorn's own loop would wake an idle machine ten times a second."""
        self._ready()
        await self._told.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop the server in good order, and are not raised again afterwards: it ends with
        0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to stop; the second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._told.set()
        self._farewell()


def own_folder(path: str) -> None:
    """Makes the folder at `path`, mode 0700, when there is none. ConflictError when others may write into it,
    UserError when it cannot be made."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        status = os.stat(path)
    except OSError as error:
        raise UserError(
            f"the folder {path} cannot be made: {error.strerror}",
            code="state-folder",
            hint="mend its permissions or free space, or point TERRACE_STATE elsewhere",
        ) from error
    if status.st_mode & 0o022 or status.st_uid not in (os.getuid(), 0):
        raise ConflictError(
            f"others may write into {path}", code="state-folder-open", hint=f"chmod go-w {path}"
        )


@contextlib.contextmanager
def listen(path: str) -> Iterator[socket.socket]:
    """A listening socket at `path`, mode 0600; taken away at the end. ConflictError when another server
    answers there, or when its folder is open to others. The caller holds the lock on the state."""
    folder, name = os.path.split(path)
    own_folder(folder)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        # A path that is too long for the kernel goes by its folder.
        short = path if len(os.fsencode(path)) <= PATH_LIMIT else f"/proc/self/fd/{handle}/{name}"
        _clear(path, short)
        before = os.umask(0o177)
        try:
            listener.bind(short)
        finally:
            os.umask(before)
        listener.listen(512)
        listener.setblocking(False)
        made = os.stat(path).st_ino
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                if os.stat(path).st_ino == made:
                    os.unlink(path)
    finally:
        listener.close()
        os.close(handle)


def _clear(path: str, short: str) -> None:
    """Takes away a socket that nobody listens on any more."""
    if not os.path.lexists(path):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(short)
        except (ConnectionRefusedError, FileNotFoundError):
            os.unlink(path)
            return
        except OSError:
            pass  # something is there that is not an abandoned socket
    raise ConflictError(
        f"something else answers at {path}", code="socket-in-use", hint='set another "socket" in server.toml'
    )


async def serve_app(
    app: FastAPI, listener: socket.socket, ready: Callable[[], None], farewell: Callable[[], None]
) -> None:
    """Serves `app` until SIGTERM or SIGINT. `ready` is called once it does, `farewell` when it is told to
    stop."""
    config = uvicorn.Config(
        app,
        http=OwnerProtocol,
        ws="wsproto",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=30,
    )
    await Server(config, ready, farewell).serve([listener])
