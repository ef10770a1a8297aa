"""`terrace exec`: a program in a machine, as if it ran here."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from terrace.cli.commands import command, pass_session
from terrace.cli.faults import Stop
from terrace.cli.session import Session
from terrace.cli.verbs.logs import split

if TYPE_CHECKING:
    from terrace.client.websocket import WebSocket

STDIN, STDOUT, STDERR, RESIZE, EXIT, END = b"\x00", 1, 2, b"\x03", 4, b"\x05"
BLOCK = 1 << 15


@command(
    "exec",
    context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True},
    epilog="""\
  terrace exec shop/web -- ls -l /srv
  terrace exec -it shop/web -- bash
  echo hello | terrace exec -i shop/web -- tee /tmp/greeting""",
)
@click.option("-i", "--interactive", is_flag=True, help="pass standard input on")
@click.option("-t", "--tty", is_flag=True, help="give the program a terminal")
@click.argument("where", metavar="STACK/RESOURCE")
@click.argument("program", metavar="-- PROGRAM [ARGUMENT...]", nargs=-1, type=click.UNPROCESSED)
@pass_session
def run(session: Session, interactive: bool, tty: bool, where: str, program: tuple[str, ...]) -> int:
    """Run a program in a machine. The exit code is the program's. Without a program: a shell, on a
    terminal."""
    stack, path = split(session, where)
    if not path:
        raise Stop(
            f'"{where}" names no machine', code="usage", hint=f"terrace exec {stack}/RESOURCE -- PROGRAM"
        )
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    words = list(program[1:] if program[:1] == ("--",) else program)
    if not words:
        words, interactive, tty = ["/bin/sh"], True, terminal
    if tty and not terminal:
        raise Stop("there is no terminal here to pass on", code="usage", hint="leave out -t")
    connection = session.client().streams.exec(stack, path, words, tty=tty)
    try:
        with raw_terminal() if tty else contextlib.nullcontext(), resizes() as bell:
            if tty:
                connection.send(RESIZE + window_size())
            if not interactive:
                connection.send(END)
            return converse(connection, bell, interactive=interactive, tty=tty)
    finally:
        connection.close()


def converse(connection: WebSocket, bell: socket.socket, *, interactive: bool, tty: bool) -> int:
    """Passes bytes to and fro until the program ends; its exit code."""
    listening: list[Any] = [connection, bell, *([sys.stdin] if interactive else [])]
    while True:
        ready: list[Any] = [connection] if connection.pending else select.select(listening, [], [])[0]
        if bell in ready:
            bell.recv(BLOCK)
            if tty:
                connection.send(RESIZE + window_size())
        if sys.stdin in ready:
            data = os.read(sys.stdin.fileno(), BLOCK)
            connection.send(STDIN + data if data else END)
            if not data:
                listening.remove(sys.stdin)
        if connection in ready:
            for message in connection.receive():
                code = _take(message)
                if code is not None:
                    return code
            if connection.closed is not None:
                raise Stop(f"the connection to the program ended: {connection.closed[1]}", code="exec-ended")


def _take(message: bytes) -> int | None:
    """Writes output where it belongs; the exit code when this is the end."""
    kind = message[0] if message else -1
    if kind in (STDOUT, STDERR):
        stream = sys.stdout if kind == STDOUT else sys.stderr
        stream.buffer.write(message[1:])
        stream.buffer.flush()
    elif kind == EXIT:
        return int(message[1:])
    return None


def window_size() -> bytes:
    """The size of this terminal as the server wants it."""
    size = os.get_terminal_size(sys.stdout.fileno())
    return json.dumps({"rows": size.lines, "columns": size.columns}).encode()


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    """Keys go to the program as they are pressed, Ctrl-C too; as before when it ends."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin.fileno())
    try:
        tty.setraw(sys.stdin.fileno())
        yield
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)


@contextlib.contextmanager
def resizes() -> Iterator[socket.socket]:
    """A socket that can be read when the terminal's size has changed."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.signal(signal.SIGWINCH, lambda *_: None)
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield ours
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGWINCH, before)
        ours.close()
        theirs.close()
