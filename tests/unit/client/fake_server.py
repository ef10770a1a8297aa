"""A small HTTP server on a Unix socket that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


class Answer(NamedTuple):
    """What is answered. `pieces`: the body as it is written, bit by bit; `cut` breaks the connection after
    them."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[bytes, ...] = ()
    cut: bool = False
    wait_for: threading.Event | None = None


Route = Callable[[Request], Answer] | Answer | Any


class FakeServer:
    """Serves `routes` at the Unix socket `path`, or with `tls` (certificate and key) on a port of this machine.
    They are "METHOD /path" -> an Answer, a function that makes one, or plain data. A list gives
    one answer after the other, the last one again and again."""

    def __init__(self, path: Path, routes: dict[str, Any], tls: tuple[str, str] | None = None) -> None:
        self.routes = routes
        self.requests: list[Request] = []
        self._server: _Server | _TlsServer
        if tls is None:
            self.address = str(path)
            self._server = _Server(str(path), _Handler)
        else:
            self._server = _TlsServer(("127.0.0.1", 0), _Handler)
            self._server.show(*tls)
            self.address = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()

    def asked(self, method: str) -> list[Request]:
        """The requests with that method."""
        return [request for request in self.requests if request.method == method]

    def answer(self, request: Request) -> Answer:
        """What is answered to a request."""
        self.requests.append(request)
        route = self.routes.get(f"{request.method} {request.path}")
        if isinstance(route, list) and route and all(isinstance(item, Answer) for item in route):
            route = route.pop(0) if len(route) > 1 else route[0]
        if callable(route):
            route = route(request)
        if route is None:
            return problem(404, "not-found", f"there is no {request.path}")
        return route if isinstance(route, Answer) else Answer(route)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    owner: FakeServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave in the middle of things: that is what some tests are about."""


class _TlsServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    owner: FakeServer

    def show(self, certificate: str, key: str) -> None:
        """Speaks TLS with this certificate."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a client that breaks off holds nobody up."""
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that do not trust us leave."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server | _TlsServer

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        request = Request(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(data) if data else None,
        )
        self._write(self.server.owner.answer(request))

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.pieces:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in answer.pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            if answer.wait_for is not None:
                answer.wait_for.wait(10)
            if not answer.cut:
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True
            return
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if answer.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def address_string(self) -> str:
        """A Unix socket has no address of the other side."""
        return "local"


def problem(status: int, code: str, message: str, **more: Any) -> Answer:
    """A problem document."""
    body = {
        "type": f"urn:terrace:error:{code}",
        "title": "",
        "status": status,
        "code": code,
        "message": message,
    }
    return Answer({**body, **more}, status, (("Content-Type", "application/problem+json"),))


def frames(*events: dict[str, Any]) -> bytes:
    """Events as a stream carries them."""
    return b"".join(
        b"id: %d\nevent: x\ndata: %s\n\n" % (event["number"], json.dumps(event).encode()) for event in events
    )
