"""Where the server is heard: a Unix socket that only its owner can reach, and TCP with TLS where that was asked
for."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

from terrace.api.edge.crowd import Crowd, source_of
from terrace.api.edge.handover import Inherited
from terrace.api.edge.serving import Door
from terrace.api.edge.tls import Certificate, own_certificate
from terrace.errors import ConflictError, DocumentError, UserError
from terrace.ports.telemetry import Telemetry
from terrace.services.settings import Document, Settings, split_address

PATH_LIMIT = 107
"""Bytes that the kernel takes as the path of a Unix socket."""
BACKLOG = 1024
"""Who may wait at a door."""
OWN = 4096
"""Connections of the owner at once."""


class Doors:
    """Every door that the settings name: the Unix socket, and TCP with TLS when it is configured; those that were
    inherited, or new ones. UserError and ConflictError when one cannot be opened. To be closed."""

    def __init__(self, settings: Settings, telemetry: Telemetry, inherited: Inherited) -> None:
        self._ending = contextlib.ExitStack()
        with contextlib.ExitStack() as ending:
            ending.callback(inherited.close)
            self._path = settings.socket
            self._unix = ending.enter_context(listen(settings.socket, inherited.unix()))
            self.all = [Door(self._unix.listener, Crowd(OWN, 0), owner_only, owner=True)]
            server = settings.server
            if server.listen:
                host, port = split_address(server.listen)
                listener = inherited.tcp(host, port) or bound(host, port)
                ending.callback(listener.close)
                crowd = Crowd(server.connections, server.connections_per_source)
                self.all.append(Door(listener, crowd, anybody, tls=certificate(settings, telemetry)))
            self._ending = ending.pop_all()

    def leave(self) -> list[int]:
        """Descriptors of the sockets for whoever comes next. They stay open when the doors are closed, and the path of
        the Unix socket stays."""
        self._unix.stays = True
        return [os.dup(door.listener.fileno()) for door in self.all]

    def close(self) -> None:
        """Nobody is heard any more."""
        self._ending.close()


def certificate(settings: Settings, telemetry: Telemetry) -> Certificate:
    """The certificate of the settings, or our own, which is made when there is none. DocumentError that names the
    setting when it cannot be used."""
    server = settings.server
    if not server.certificate:
        host, _ = split_address(server.listen)
        return Certificate(*own_certificate(settings.state, host), telemetry)
    try:
        return Certificate(server.certificate, server.key, telemetry)
    except UserError as error:
        document = Document(settings.text, settings.file)
        document.blame(("server", "certificate"), error.message, hint=error.hint)
        raise DocumentError(document.problems) from error


def owner_only(connection: socket.socket, address: Any) -> str | None:
    """The owner and root, and nobody else: the kernel says who is at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return "" if uid in (os.getuid(), 0) else None


def anybody(connection: socket.socket, address: Any) -> str | None:
    """Whoever comes; they have to say who they are, later."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return source_of(address[0])


def bound(host: str, port: int) -> socket.socket:
    """A TCP socket that listens at `host` (a name or an address) and `port`. ConflictError when something else does,
    UserError when that cannot be."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UserError(
            f'"{host}" is no address of this machine: {error.strerror}', code="cannot-listen"
        ) from error
    listener = socket.socket(family, kind | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConflictError(
                f"something else listens at {host} port {port}",
                code="address-in-use",
                hint="set another [server] listen in server.toml",
            ) from error
        raise UserError(
            f"the server cannot listen at {host} port {port}: {error.strerror}", code="cannot-listen"
        ) from error
    return listener


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


class Listening:
    """A Unix socket that listens. `stays`: its path is not taken away at the end."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.stays = False


@contextlib.contextmanager
def listen(path: str, inherited: socket.socket | None = None) -> Iterator[Listening]:
    """A listening socket at `path`, mode 0600; taken away at the end. ConflictError when another server
    answers there, or when its folder is open to others. The caller holds the lock on the state. `inherited`: the one
    that listens there already."""
    folder, name = os.path.split(path)
    own_folder(folder)
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        # A path that is too long for the kernel goes by its folder.
        short = path if len(os.fsencode(path)) <= PATH_LIMIT else f"/proc/self/fd/{handle}/{name}"
        found = Listening(inherited or _bound_unix(path, short))
        made = os.stat(path).st_ino
        try:
            yield found
        finally:
            found.listener.close()
            with contextlib.suppress(OSError):
                if not found.stays and os.stat(path).st_ino == made:
                    os.unlink(path)
    finally:
        os.close(handle)


def _bound_unix(path: str, short: str) -> socket.socket:
    _clear(path, short)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        before = os.umask(0o177)
        try:
            listener.bind(short)
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


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
