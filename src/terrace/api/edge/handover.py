"""Listening sockets that outlive a process: those that systemd opened for us, or that we leave to ourselves when we
start again. Whoever connects meanwhile waits at the door, and is let in by the next one.

They come as systemd gives them: LISTEN_PID names the process, LISTEN_FDS says how many, from descriptor 3 on."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, MutableMapping, Sequence
from typing import NoReturn

FIRST = 3
"""The first descriptor that is handed over."""


class Inherited:
    """The sockets that this process was started with. Each is taken once; those that nobody wants are closed."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        count = environ.pop("LISTEN_FDS", "")
        mine = environ.pop("LISTEN_PID", "") == str(os.getpid())
        environ.pop("LISTEN_FDNAMES", None)
        self._left: list[socket.socket] = []
        if mine and count.isdecimal():
            for number in range(FIRST, FIRST + int(count)):
                os.set_inheritable(number, False)
                listener = socket.socket(fileno=number)
                listener.setblocking(False)
                self._left.append(listener)

    def unix(self) -> socket.socket | None:
        """The one that listens at a path; whose it is, its mode says."""
        return self._take(lambda one: one.family == socket.AF_UNIX)

    def tcp(self, host: str, port: int) -> socket.socket | None:
        """The one that listens there."""
        wanted = {
            (family, address[:2])
            for family, *_, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        }
        return self._take(lambda one: (one.family, one.getsockname()[:2]) in wanted)

    def close(self) -> None:
        """Lets go of what nobody took."""
        for one in self._left:
            one.close()
        self._left.clear()

    def _take(self, fits: Callable[[socket.socket], bool]) -> socket.socket | None:
        for one in self._left:
            if fits(one):
                self._left.remove(one)
                return one
        return None


def again(kept: Sequence[int], arguments: Sequence[str]) -> NoReturn:
    """This process begins anew, as `python` with `arguments`, and finds the sockets with the descriptors `kept` as
    Inherited. Only what is to stay open may be inheritable."""
    # First out of the way, then into place: one may stand where another is to go.
    moved = [_above(one, FIRST + len(kept)) for one in kept]
    for number, one in enumerate(moved, FIRST):
        os.dup2(one, number, inheritable=True)
    environ = {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(moved))}
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *arguments], environ)


def _above(number: int, least: int) -> int:
    import fcntl

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, least)
