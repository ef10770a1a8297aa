"""`exec`: bytes to and fro, and the program's exit code. The other side is a real WebSocket on a socket
pair."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection

from terrace.cli.faults import Stop
from terrace.cli.verbs.exec import converse
from terrace.client.websocket import WebSocket


class Guest:
    """The other side: says what a test wants, after the client said what it is waited for."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.client = WebSocket(ours)
        self.heard: list[bytes] = []
        self._socket = theirs
        self._wire = Connection(ConnectionType.SERVER)
        assert self._wire.state is ConnectionState.OPEN

    def say(self, *messages: bytes) -> None:
        for message in messages:
            self._socket.sendall(self._wire.send(BytesMessage(message)))

    def hang_up(self, reason: str) -> None:
        self._socket.sendall(self._wire.send(CloseConnection(1011, reason)))

    def wait_for(self, message: bytes) -> None:
        while message not in self.heard:
            self._wire.receive_data(self._socket.recv(65536))
            self.heard += [
                bytes(event.data) for event in self._wire.events() if isinstance(event, BytesMessage)
            ]


@pytest.fixture
def guest():
    guest = Guest()
    yield guest
    guest.client.close()
    guest._socket.close()


@pytest.fixture
def bell():
    ours, theirs = socket.socketpair()
    yield ours
    ours.close()
    theirs.close()


def test_output_goes_where_it_belongs(guest: Guest, bell, capfdbinary) -> None:
    guest.say(b"\x01out\xff", b"\x02err", b"\x047")
    assert converse(guest.client, bell, interactive=False, tty=False) == 7
    assert capfdbinary.readouterr() == (b"out\xff", b"err")


def test_standard_input_is_passed_on_to_its_end(guest: Guest, bell, monkeypatch, capfdbinary) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"typed")
    os.close(writing)

    def answer() -> None:
        guest.wait_for(b"\x05")
        guest.say(b"\x040")

    thread = threading.Thread(target=answer)
    thread.start()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert converse(guest.client, bell, interactive=True, tty=False) == 0
    thread.join(5)
    assert guest.heard == [b"\x00typed", b"\x05"]


def test_an_end_without_an_exit_code_is_an_error(guest: Guest, bell) -> None:
    guest.hang_up("the engine went away")
    with pytest.raises(Stop, match="the engine went away"):
        converse(guest.client, bell, interactive=False, tty=False)


def test_it_has_to_name_a_machine(terrace) -> None:
    ran = terrace("exec", "shop", "--", "ls")
    assert ran.code == 1
    assert ran.err == 'error: "shop" names no machine\n  help: terrace exec shop/RESOURCE -- PROGRAM\n'


def test_a_terminal_cannot_be_passed_on_where_there_is_none(terrace) -> None:
    assert "there is no terminal here" in terrace("exec", "-t", "shop/web", "--", "sh").err
