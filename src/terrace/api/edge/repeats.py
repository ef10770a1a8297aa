"""Requests that are sent again are not carried out again: with the header Idempotency-Key, the second is answered what
the first was. Where a database that went away keeps that from being written down, it is as soon as it is back."""

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
from terrace.ports.edge.requests import CLAIM, CLAIMED, Answer, Claim, Requests
from terrace.ports.telemetry import Telemetry

METHODS = frozenset(("POST", "PUT", "DELETE"))
HEADERS = ("content-type", "etag")
"""What is kept of the headers of an answer."""
LARGEST = 1024 * 1024
"""Bytes of an answer that is kept; one that is longer is not, and the request is carried out again."""
PATIENCE = 60.0
"""Seconds that a repetition waits here for the first to end."""
PRUNE = 600.0
LATE = 5.0
"""The same where the database is away."""
RENEWAL = CLAIMED / 3
"""Seconds after which it is said again that a request is still being carried out."""
PAUSE = 0.25
"""Seconds until it is tried again to write down what became of a request."""
KEY = "^[!-~]{1,200}$"
"""What a key may be."""

Name = tuple[str, str]


class _Going:
    """A request that is being carried out here, or whose end is not written down yet."""

    def __init__(self, claim: Claim, digest: str) -> None:
        self.claim = claim
        self.digest = digest
        self.over = asyncio.Event()


class Repeats:
    """ASGI middleware. Names belong to whoever asks; without a credential there is nothing to repeat. An answer that
    refuses (4xx) is not kept: nothing was done, and the same name may be used again; so it may after one that says that
    something went wrong (5xx), unless something was written all the same."""

    def __init__(self, app: ASGIApp, requests: Requests, telemetry: Telemetry) -> None:
        self._app = app
        self._requests = requests
        self._telemetry = telemetry
        self._going: dict[Name, _Going] = {}
        self._late: dict[Name, Answer | None] = {}
        self._catching_up: asyncio.Task[None] | None = None
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
        while (going := self._going.get(name)) is not None:
            _same(going.digest, digest)
            try:
                async with asyncio.timeout(LATE if name in self._late else PATIENCE):
                    await going.over.wait()
            except TimeoutError:
                return _under_way()
        going = self._going[name] = _Going(self._requests.claim(*name, digest), digest)
        try:
            earlier = await self._requests.begin(*name, digest)
        except BaseException:  # it may have been written down all the same
            await self._end(name, None)
            raise
        if earlier is None:
            return None
        self._over(name)
        _same(earlier.digest, digest)
        if earlier.answer is not None:
            return _replayed(earlier.answer)
        return _lost() if earlier.lost else _under_way()

    async def _carry_out(self, name: Name, scope: Scope, receive: Receive, send: Send) -> None:
        claim, taking = self._going[name].claim, _Taking(send)
        renewing = asyncio.create_task(self._renew(claim))
        claim.carrier, before = asyncio.current_task(), CLAIM.set(claim)
        try:
            await self._app(scope, receive, taking.send)
        finally:
            claim.carrier = None
            renewing.cancel()
            CLAIM.reset(before)
            await self._end(name, taking.answer)
            await taking.flush()

    async def _renew(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            with suppress(TerraceError):
                await self._requests.renew(claim)

    async def _end(self, name: Name, answer: Answer | None) -> None:
        """Writes down what became of a request, or goes on trying to; until then repetitions wait."""
        try:
            await self._settle(name, answer)
        except TerraceError as error:
            self._telemetry.log("warning", "requests.unsettled", error=error.message)
            self._late[name] = answer
            if self._catching_up is None:
                self._catching_up = asyncio.create_task(self._catch_up())
        except BaseException:
            self._over(name)
            raise
        else:
            self._over(name)

    async def _catch_up(self) -> None:
        try:
            while self._late:
                await asyncio.sleep(PAUSE)
                with suppress(TerraceError):
                    for name, answer in list(self._late.items()):
                        await self._settle(name, answer)
                        del self._late[name]
                        self._over(name)
        finally:
            self._catching_up = None

    async def _settle(self, name: Name, answer: Answer | None) -> None:
        claim = self._going[name].claim
        if answer is not None and answer.status < 400:
            await self._requests.finish(claim, answer)
        else:
            await self._requests.release(claim, refused=answer is not None and answer.status < 500)

    def _over(self, name: Name) -> None:
        self._going.pop(name).over.set()

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


def _same(before: str, digest: str) -> None:
    """ConflictError unless both are the same request."""
    if before != digest:
        raise ConflictError(
            "this Idempotency-Key was used for another request",
            code="key-reused",
            hint="choose another for each request; keep it only for repetitions",
        )


def _replayed(answer: Answer) -> Response:
    headers = dict(answer.headers) | {"Idempotency-Replayed": "true"}
    return Response(answer.body, answer.status, headers)


def _lost() -> Response:
    return respond(
        ConflictError(
            "this request was carried out, but the server that did so was lost before its answer was kept",
            code="answer-lost",
            hint="look at what there is; to ask for it once more, choose another Idempotency-Key",
        )
    )


def _under_way() -> Response:
    answer = refuse(409, "this request is being carried out", code="request-under-way")
    answer.headers["Retry-After"] = "1"
    return answer
