"""HTTP to one server, over a Unix socket or TCP: requests, streams, and problem documents as errors."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from terrace.client.access.trust import secure
from terrace.client.address import Address
from terrace.client.errors import ApiError, UnreachableError
from terrace.errors import UserError

PATIENCE = 60.0
"""Seconds that one ordinary request may take."""

SOCKET_PATH_LIMIT = 107
"""Bytes that the kernel takes as the path of a Unix socket."""

INSISTING = 10.0
"""Seconds for which a request is tried again when its connection was cut, or the server asks for patience."""
PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between tries; the last one repeats."""
BUSY, UNDER_WAY = 429, 409

Query = Mapping[str, Any]


class Reply(NamedTuple):
    """A decoded answer. `generation` is what its ETag says, None when it has none."""

    status: int
    body: Any
    generation: int | None


class Stream(NamedTuple):
    """An answer that is still coming, on a connection of its own. Closing the connection is what ends it
    early."""

    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    def close(self) -> None:
        """Ends it now, also under a thread that is reading."""
        if self.connection.sock is not None:
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def dial(address: Address, timeout: float | None) -> socket.socket:
    """A connected socket, with TLS where that is spoken. OSError when nothing listens there; UnreachableError when it
    is not who it should be."""
    if not address.path:
        return _connect_tcp(address, timeout)
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.settimeout(timeout)
    try:
        _connect_unix(connected, address.path)
    except BaseException:
        connected.close()
        raise
    return connected


def _connect_tcp(address: Address, timeout: float | None) -> socket.socket:
    connected = socket.create_connection((address.host, address.port), timeout)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.trust is None:
        return connected
    try:
        return secure(connected, address.host, address.trust)
    except BaseException:
        connected.close()
        raise


def _connect_unix(connected: socket.socket, path: str) -> None:
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        connected.connect(path)
        return
    # too long for the kernel: go by its folder
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    try:
        connected.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
    finally:
        os.close(folder)


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: Address, timeout: float | None) -> None:
        super().__init__(address.host or "localhost", address.port or None)
        self.address = address
        self.patience = timeout

    def connect(self) -> None:
        self.sock = dial(self.address, self.patience)


def path_of(*parts: str) -> str:
    """A path below /v1/ from its parts, each escaped; "/" inside a part stays, for paths of resources."""
    return "/v1/" + "/".join(quote(part, safe="/") for part in parts)


class Transport:
    """One server. Ordinary requests share a connection; each stream has its own. Errors: ApiError,
    UnreachableError."""

    def __init__(self, address: Address, token: str = "") -> None:
        if token and not address.private:
            raise UserError(
                f"a token is not sent to {address}: others could read it on its way",
                code="insecure-address",
                hint="use https://",
            )
        self.address = address
        self.credential = {"Authorization": f"Bearer {token}"} if token else {}
        """The header that says who asks."""
        self._shared: _Connection | None = None
        self._heard = False

    def close(self) -> None:
        """Lets go of the connection."""
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def get(self, path: str, query: Query | None = None) -> Any:
        """The body of a GET."""
        return self.call("GET", path, query).body

    def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        *,
        if_match: int | None = None,
        timeout: float = PATIENCE,
    ) -> Reply:
        """One request and its decoded answer; `timeout` in seconds."""
        headers = dict(self.credential)
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        if method != "GET":
            # Whatever happens to the answer, the request may be sent again: it is carried out once.
            headers["Idempotency-Key"] = os.urandom(16).hex()
        response, data = self._insist(method, target(path, query), encode(body), headers, timeout)
        if response.status >= 400:
            raise problem(response.status, data)
        etag = (response.headers.get("ETag") or "").strip('W/"')
        return Reply(response.status, decode(data), int(etag) if etag.isdigit() else None)

    def stream(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Stream:
        """Opens an answer that comes bit by bit; nothing limits how long it may be silent."""
        connection = _Connection(self.address, PATIENCE)
        try:
            sent = {**self.credential, **(headers or {})}
            _request(connection, method, target(path, query), encode(body), sent)
            response = connection.getresponse()
            if response.status >= 400:
                raise problem(response.status, response.read())
            connection.sock.settimeout(None)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        except BaseException:
            connection.close()
            raise
        return Stream(response, connection)

    def lines(self, stream: Stream) -> Iterator[Any]:
        """Each line of a newline-delimited JSON stream, decoded, until it ends."""
        try:
            for line in stream.response:
                if line.strip():
                    yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unreachable(error) from error
        finally:
            stream.close()

    def _exchange(
        self, method: str, where: str, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        if self._shared is None:
            self._shared = _Connection(self.address, timeout)
        elif self._shared.sock is not None:
            self._shared.sock.settimeout(timeout)
        _request(self._shared, method, where, body, headers)
        response = self._shared.getresponse()
        return response, response.read()

    def _insist(
        self, method: str, where: str, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Tries until there is an answer, as long as it makes sense: a server that restarts is back soon."""
        deadline = time.monotonic() + INSISTING
        for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
            try:
                response, data = self._exchange(method, where, body, headers, timeout)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not self._passing(error) or time.monotonic() + pause > deadline:
                    raise self._unreachable(error) from error
                time.sleep(pause)
                continue
            self._heard = True
            wait = float(_retry_after(response))
            if wait > deadline - time.monotonic():
                return response, data
            if response.status != BUSY and not (response.status == UNDER_WAY and wait):
                return response, data
            time.sleep(wait)
        raise AssertionError("the pauses never end")

    def _passing(self, error: Exception) -> bool:
        """Whether another try may go better: the connection was cut, or there is none for the moment at a server that
        answered before."""
        if isinstance(error, ConnectionRefusedError | FileNotFoundError):
            return self._heard
        return isinstance(error, ConnectionError | ssl.SSLEOFError | http.client.IncompleteRead)

    def _unreachable(self, error: Exception) -> UnreachableError:
        if isinstance(error, TimeoutError):
            return UnreachableError(
                f"the server at {self.address} did not answer in time", hint="terrace doctor"
            )
        if isinstance(error, PermissionError):
            return UnreachableError(
                f"the server at {self.address} belongs to somebody else",
                hint="only its owner may connect",
                code="denied",
            )
        what = (
            "does not answer"
            if isinstance(error, ConnectionRefusedError | FileNotFoundError)
            else "stopped answering"
        )
        return UnreachableError(
            f"the server at {self.address} {what} ({str(error) or type(error).__name__})",
            hint="terrace doctor",
        )


def _retry_after(response: http.client.HTTPResponse) -> int:
    given = response.headers.get("Retry-After") or ""
    return int(given) if given.isdecimal() else 0


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    where: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> None:
    kind = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, where, body, {"Accept": "application/json", **kind, **headers})


def target(path: str, query: Query | None) -> str:
    """`path` with the query behind it; None values are left out, True is written as 1."""
    pairs = [
        (name, 1 if value is True else value)
        for name, value in (query or {}).items()
        if value not in (None, False)
    ]
    return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path


def encode(body: Any) -> bytes | None:
    """`body` as JSON; None stays None."""
    return None if body is None else json.dumps(body, ensure_ascii=False).encode()


def decode(data: bytes) -> Any:
    """The JSON in `data`, None when there is none. UnreachableError when it is not JSON."""
    try:
        return json.loads(data) if data.strip() else None
    except ValueError as error:
        raise UnreachableError(
            "the answer is not from a Terrace server", hint="check the server's address"
        ) from error


def problem(status: int, data: bytes) -> ApiError:
    """The error in a problem document, or the best that can be made of some other answer."""
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return ApiError(
            status, f"the server answered {status} {http.client.responses.get(status, '')}".strip()
        )
    message = (
        document.get("message")
        or document.get("detail")
        or document.get("title")
        or f"the server answered {status}"
    )
    return ApiError(
        status,
        str(message),
        code=str(document.get("code") or ""),
        hint=str(document.get("hint") or ""),
        problems=tuple(item for item in document.get("problems") or () if isinstance(item, dict)),
    )
