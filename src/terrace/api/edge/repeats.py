"""Requests that are sent again are not carried out again: with the header Idempotency-Key, the second is answered what
the first was."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrace.api.callers import caller
from terrace.api.problems import refuse, respond
from terrace.errors import ConflictError, TerraceError, UserError
from terrace.ports.edge.requests import Answer, Earlier, Requests
from terrace.ports.telemetry import Telemetry

METHODS = frozenset(("POST", "PUT", "DELETE"))
HEADERS = ("content-type", "etag")
"""What is kept of the headers of an answer."""
LARGEST = 1024 * 1024
"""Bytes of an answer that is kept; one that is longer is not, and the request is carried out again."""
PATIENCE = 60.0
"""Seconds that a repetition waits here for the first to end."""
PRUNE = 600.0
KEY = "^[!-~]{1,200}$"
"""What a key may be."""

Name = tuple[str, str]


class Repeats:
    """ASGI middleware. Names belong to whoever asks; without a credential there is nothing to repeat. An answer that
    refuses (4xx, 5xx) is not kept: nothing was done, and the same name may be used again."""

    def __init__(self, app: ASGIApp, requests: Requests, telemetry: Telemetry) -> None:
        self._app = app
        self._requests = requests
        self._telemetry = telemetry
        self._going: dict[Name, asyncio.Event] = {}
        self._pruned = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] not in METHODS or not (key := _key(scope)):
            await self._app(scope, receive, send)
            return
        try:
            who = await caller(HTTPConnection(scope))
            actor = f"/{who.name}" if who.owner else who.name  # a user may have the owner's name
        except TerraceError:  # the app says why, in its own words
            await self._app(scope, receive, send)
            return
        try:
            body = await _whole(receive)
        except HTTPException as error:  # it is too large
            await refuse(error.status_code, str(error.detail))(scope, receive, send)
            return
        if body is None:
            return
        try:
            answer = await self._once((actor, key), scope, body)
        except TerraceError as error:
            answer = respond(error)
        if answer is None:
            await self._carry_out((actor, key), scope, _given(body), send)
        else:
            await answer(scope, receive, send)

    async def _once(self, name: Name, scope: Scope, body: bytes) -> Response | None:
        """The answer that was given before; None: the name is ours, and the request is to be carried out."""
        if not re.fullmatch(KEY, name[1]):
            raise UserError("Idempotency-Key is 1 to 200 visible characters", code="invalid-request")
        digest = _digest(scope, body)
        await self._prune()
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (earlier := await self._requests.begin(*name, digest)) is not None:
            if earlier.digest != digest:
                raise ConflictError(
                    "this Idempotency-Key was used for another request",
                    code="key-reused",
                    hint="choose another for each request; keep it only for repetitions",
                )
            if earlier.answer is not None:
                return _replayed(earlier)
            going = self._going.get(name)
            if going is None or asyncio.get_running_loop().time() > deadline:
                return _under_way()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await going.wait()
        return None

    async def _carry_out(self, name: Name, scope: Scope, receive: Receive, send: Send) -> None:
        going = self._going[name] = asyncio.Event()
        taking = _Taking(send)
        try:
            await self._app(scope, receive, taking.send)
        finally:
            await self._settle(name, taking.answer)
            self._going.pop(name, None)
            going.set()
            await taking.flush()

    async def _settle(self, name: Name, answer: Answer | None) -> None:
        try:
            if answer is not None and answer.status < 400:
                await self._requests.finish(*name, answer)
            else:
                await self._requests.release(*name)
        except TerraceError as error:  # it was carried out; that it can be repeated is the lesser thing
            self._telemetry.log("warning", "requests.forgotten", error=error.message)

    async def _prune(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._pruned > PRUNE:
            self._pruned = now
            await self._requests.prune()


class _Taking:
    """Holds an answer back until it is kept. One that comes in pieces is passed on, and not kept."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self.answer: Answer | None = None

    async def send(self, message: Message) -> None:
        """From the app."""
        if message["type"] == "http.response.start":
            self._held.append(message)
        elif not self._held or message.get("more_body"):
            await self.flush()
            await self._send(message)
        else:
            start, body = self._held[0], message.get("body", b"")
            self._held.append(message)
            if len(body) <= LARGEST:
                headers = Headers(raw=start["headers"])
                kept = tuple((one, headers[one]) for one in HEADERS if one in headers)
                self.answer = Answer(start["status"], kept, body)

    async def flush(self) -> None:
        """Passes on what is held."""
        held, self._held = self._held, []
        for message in held:
            await self._send(message)


def _key(scope: Scope) -> str:
    if b"dry_run" in scope["query_string"]:
        return ""
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            return str(value.decode("latin-1"))
    return ""


def _digest(scope: Scope, body: bytes) -> str:
    found = hashlib.sha256()
    match = Headers(scope=scope).get("if-match", "").encode("latin-1")
    for part in (scope["method"].encode(), scope["raw_path"], scope["query_string"], match, body):
        found.update(b"%d:" % len(part) + part)
    return found.hexdigest()


async def _whole(receive: Receive) -> bytes | None:
    """The body; None when they left before all of it was there."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _given(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _replayed(earlier: Earlier) -> Response:
    assert earlier.answer is not None
    headers = dict(earlier.answer.headers) | {"Idempotency-Replayed": "true"}
    return Response(earlier.answer.body, earlier.answer.status, headers)


def _under_way() -> Response:
    answer = refuse(409, "this request is being carried out", code="request-under-way")
    answer.headers["Retry-After"] = "1"
    return answer
