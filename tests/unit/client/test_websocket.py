"""WebSocket frames, against the rules of RFC 6455 and against wsproto."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    Request,
)

from terrace.client import ApiError, UnreachableError
from terrace.client.address import Address
from terrace.client.websocket import BINARY, WebSocket, connect, frame, frame_sizes, mask

Peer = Callable[[socket.socket, WSConnection], None]


@given(st.binary(min_size=4, max_size=4), st.binary(max_size=300))
def test_masking_twice_changes_nothing(key: bytes, payload: bytes) -> None:
    assert mask(key, mask(key, payload)) == payload
    assert mask(key, payload) == bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70000])
def test_sizes_of_frames(size: int) -> None:
    data = frame(BINARY, b"x" * size, b"abcd")
    sizes = frame_sizes(data)
    assert sizes is not None
    assert sum(sizes) == len(data)
    assert sizes[1] == size


def test_a_message_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreachableError, match="too large"):
        frame_sizes(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))


def peer(path: Path, behave: Peer) -> threading.Thread:
    """A server for one connection that does what a test says."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1)

    def serve() -> None:
        with listening, listening.accept()[0] as connection:
            wire = WSConnection(ConnectionType.SERVER)
            wire.receive_data(connection.recv(65536))
            assert isinstance(next(wire.events()), Request)
            behave(connection, wire)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def take(websocket: WebSocket, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count and websocket.closed is None:
        found += websocket.receive()
    return found


def test_a_conversation(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket, wire: WSConnection) -> None:
        hello = wire.send(AcceptConnection()) + wire.send(BytesMessage(b"\x01early"))
        connection.sendall(hello)
        connection.sendall(wire.send(Ping(b"there?")))
        connection.sendall(wire.send(BytesMessage(b"\x01in two ", message_finished=False)))
        connection.sendall(wire.send(BytesMessage(b"parts", message_finished=True)))
        pongs = 0
        while len(heard) < 1 or not pongs:
            wire.receive_data(connection.recv(65536))
            for event in wire.events():
                if isinstance(event, BytesMessage):
                    heard.append(bytes(event.data))
                pongs += isinstance(event, Pong)
        connection.sendall(wire.send(CloseConnection(1011, "it broke")))

    thread = peer(tmp_path / "s", behave)
    websocket = connect(Address(path=str(tmp_path / "s")), "/x", {}, 5.0)
    assert take(websocket, 2) == [b"\x01early", b"\x01in two parts"]
    websocket.send(b"\x00typed")
    assert take(websocket, 1) == []
    assert websocket.closed == (1011, "it broke")
    websocket.close()
    thread.join(5)
    assert heard == [b"\x00typed"]


def test_a_refusal_is_a_problem_document(tmp_path: Path) -> None:
    def behave(connection: socket.socket, wire: WSConnection) -> None:
        body = b'{"code": "no-machine", "message": "there is no machine"}'
        headers = [(b"content-length", str(len(body)).encode())]
        connection.sendall(wire.send(RejectConnection(status_code=404, headers=headers, has_body=True)))
        connection.sendall(wire.send(RejectData(body)))

    thread = peer(tmp_path / "s", behave)
    with pytest.raises(ApiError, match="there is no machine") as caught:
        connect(Address(path=str(tmp_path / "s")), "/x", {}, 5.0)
    assert caught.value.code == "no-machine"
    thread.join(5)


def test_a_broken_connection_is_not_a_normal_end(tmp_path: Path) -> None:
    thread = peer(tmp_path / "s", lambda connection, wire: connection.sendall(wire.send(AcceptConnection())))
    websocket = connect(Address(path=str(tmp_path / "s")), "/x", {}, 5.0)
    assert take(websocket, 1) == []
    assert websocket.closed == (1006, "the connection broke")
    websocket.close()
    thread.join(5)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        connect(Address(path=str(tmp_path / "s")), "/x", {}, 5.0)
