"""A small WebSocket client (RFC 6455): binary messages, for programs that run inside guests."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Mapping

from terrace.client.address import Address
from terrace.client.errors import UnreachableError
from terrace.client.transport import dial, problem

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
HEAD_LIMIT = 1 << 16
MESSAGE_LIMIT = 1 << 24


class WebSocket:
    """An open connection. `receive` blocks until bytes come; `fileno` lets `select` wait for them beside
    other things."""

    def __init__(self, connection: socket.socket, rest: bytes = b"") -> None:
        self._connection = connection
        self._buffer = bytearray(rest)
        self._message = bytearray()
        self.closed: tuple[int, str] | None = None
        """Code and reason of the close frame, once there was one."""

    def fileno(self) -> int:
        """The socket, for `select`."""
        return self._connection.fileno()

    @property
    def pending(self) -> bool:
        """Whether bytes were read that `receive` has not looked at, which `select` cannot know of."""
        decrypted = getattr(self._connection, "pending", None)
        return bool(self._buffer) or bool(decrypted and decrypted())

    def send(self, data: bytes) -> None:
        """One binary message. UnreachableError when the connection is gone."""
        self._send(BINARY, data)

    def receive(self) -> list[bytes]:
        """The messages that have come (perhaps none yet). Sets `closed` at the end. UnreachableError when the
        connection breaks."""
        if not self._buffer or not self._complete():
            try:
                data = self._connection.recv(1 << 16)
            except OSError as error:
                raise UnreachableError(f"the connection broke ({error})") from error
            if not data:
                self.closed = self.closed or (1006, "the connection broke")
            self._buffer += data
        messages: list[bytes] = []
        while self.closed is None and (frame := self._take()) is not None:
            self._on_frame(*frame, messages)
        return messages

    def close(self, code: int = 1000) -> None:
        """Says goodbye, if the other side has not, and lets go."""
        try:
            if self.closed is None:
                self._send(CLOSE, code.to_bytes(2, "big"))
        except UnreachableError:
            pass  # it is gone already, which is what we want
        finally:
            self._connection.close()

    def _on_frame(self, final: bool, opcode: int, payload: bytes, messages: list[bytes]) -> None:
        if opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            self.closed = (code, payload[2:].decode("utf-8", "replace"))
        elif opcode in (CONTINUATION, TEXT, BINARY):
            self._message += payload
            if final:
                messages.append(bytes(self._message))
                self._message.clear()

    def _complete(self) -> bool:
        sizes = frame_sizes(self._buffer)
        return sizes is not None and len(self._buffer) >= sum(sizes)

    def _take(self) -> tuple[bool, int, bytes] | None:
        """The next frame of the buffer, None while it is not all there."""
        sizes = frame_sizes(self._buffer)
        if sizes is None or len(self._buffer) < sum(sizes):
            return None
        head, length = sizes
        first = self._buffer[0]
        payload = bytes(self._buffer[head : head + length])
        if self._buffer[1] & 0x80:  # servers must not mask, but reading it costs nothing
            payload = mask(bytes(self._buffer[head - 4 : head]), payload)
        del self._buffer[: head + length]
        return bool(first & 0x80), first & 0x0F, payload

    def _send(self, opcode: int, payload: bytes) -> None:
        try:
            self._connection.sendall(frame(opcode, payload, os.urandom(4)))
        except OSError as error:
            raise UnreachableError(f"the connection broke ({error})") from error


def frame(opcode: int, payload: bytes, key: bytes) -> bytes:
    """One final, masked frame, as clients must send them."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + key + mask(key, payload)


def mask(key: bytes, payload: bytes) -> bytes:
    """`payload` XOR the repeated key; done twice it is itself again."""
    size = len(payload)
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


def frame_sizes(buffer: bytes | bytearray) -> tuple[int, int] | None:
    """Bytes of the head and of the payload of the frame that `buffer` starts with; None while that cannot be
    told. UnreachableError when it is larger than any message may be."""
    if len(buffer) < 2:
        return None
    length = buffer[1] & 0x7F
    head = 2
    if length >= 126:
        extra = 2 if length == 126 else 8
        if len(buffer) < 2 + extra:
            return None
        head, length = 2 + extra, int.from_bytes(buffer[2 : 2 + extra], "big")
    if length > MESSAGE_LIMIT:
        raise UnreachableError("the other side sent a message that is too large")
    return head + (4 if buffer[1] & 0x80 else 0), length


def connect(address: Address, target: str, headers: Mapping[str, str], timeout: float) -> WebSocket:
    """Opens a WebSocket at `target` (path and query). ApiError when the server answers otherwise,
    UnreachableError when it does not answer within `timeout` seconds."""
    key = base64.b64encode(os.urandom(16))
    try:
        connection = dial(address, timeout)
    except OSError as error:
        raise UnreachableError(
            f"the server at {address} does not answer ({error})", hint="terrace doctor"
        ) from error
    try:
        connection.sendall(_handshake(address, target, headers, key))
        head, rest = _read_head(connection)
        status = _status(head)
        if status != 101:
            raise problem(status, _rest_of_body(connection, head, rest))
        expected = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
        if expected.lower() not in head.lower():
            raise UnreachableError(
                "the answer is not from a Terrace server", hint="check the server's address"
            )
        connection.settimeout(None)
    except OSError as error:
        connection.close()
        raise UnreachableError(
            f"the server at {address} stopped answering ({error})", hint="terrace doctor"
        ) from error
    except BaseException:
        connection.close()
        raise
    return WebSocket(connection, rest)


def _handshake(address: Address, target: str, headers: Mapping[str, str], key: bytes) -> bytes:
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {address.host or 'localhost'}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more or len(data) > HEAD_LIMIT:
            raise UnreachableError("the server did not open the connection", hint="terrace doctor")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _status(head: bytes) -> int:
    parts = head.split(b" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0


def _rest_of_body(connection: socket.socket, head: bytes, rest: bytes) -> bytes:
    wanted = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            wanted = min(int(value), HEAD_LIMIT)
    while len(rest) < wanted and (more := connection.recv(4096)):
        rest += more
    return rest
