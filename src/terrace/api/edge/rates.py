"""How many requests somebody may send: so many a second for each credential, and few guesses at one."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from terrace.api.edge.crowd import source_of
from terrace.api.problems import refuse
from terrace.ports.telemetry import REFUSED, Telemetry

KNOWN = 20_000
"""How many are remembered; of those who were not heard of for longest, nothing is known any more."""
GUESSES = 20.0
"""Wrong credentials that one source may send at once,"""
FORGIVEN = 0.5
"""and how many of them are forgiven each second."""


class Buckets:
    """A bucket of tokens for each name: `size` of them, `rate` more each second."""

    def __init__(
        self, rate: float, size: float, clock: Callable[[], float] = monotonic, known: int = KNOWN
    ) -> None:
        self._rate = rate
        self._size = size
        self._clock = clock
        self._known = known
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, name: bytes, amount: float = 1.0) -> float:
        """0 when `amount` could be taken, else the seconds until it can."""
        now = self._clock()
        left = self._now(name, now)
        if left < amount:
            return (amount - left) / self._rate
        self._left[name] = (left - amount, now)
        self._left.move_to_end(name)
        if len(self._left) > self._known:
            self._left.popitem(last=False)
        return 0.0

    def _now(self, name: bytes, now: float) -> float:
        left, at = self._left.get(name, (self._size, now))
        return min(self._size, left + (now - at) * self._rate)

    def wait(self, name: bytes, amount: float = 1.0) -> float:
        """The seconds until `amount` could be taken; takes nothing."""
        return max(0.0, (amount - self._now(name, self._clock())) / self._rate)


class Rates:
    """ASGI middleware: whoever asks too often is answered 429 before anything is looked at. The owner never is.

    Who guesses credentials is slowed down by the source of the guesses: when there were too many, no more are heard
    from there, but for credentials that were good before. Those go on, also when they share an address."""

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        *,
        rate: float,
        burst: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._asked = Buckets(rate, burst, clock)
        self._guessed = Buckets(FORGIVEN, GUESSES, clock)
        self._good: OrderedDict[bytes, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in ("http", "websocket") or scope.get("terrace.owner", True):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        source = source_of(client[0] if client else "").encode()
        credential = _credential(scope)
        trusted = bool(credential) and credential in self._good
        wait, reason = (0.0, "") if trusted else (self._guessed.wait(source), "guessing")
        if not wait:
            wait, reason = self._asked.take(credential if trusted else source), "rate"
        if wait:
            self._telemetry.count(REFUSED, reason)
            await self._refuse(wait)(scope, receive, send)
            return

        async def seen(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                self._learn(message["status"], source, credential)
            await send(message)

        await self._app(scope, receive, seen)

    def _learn(self, status: int, source: bytes, credential: bytes) -> None:
        if status == 401:
            self._good.pop(credential, None)
            self._guessed.take(source)
        elif credential and status < 400:
            self._good[credential] = None
            self._good.move_to_end(credential)
            if len(self._good) > KNOWN:
                self._good.popitem(last=False)

    def _refuse(self, wait: float) -> ASGIApp:
        answer = refuse(429, "too many requests: ask again later")
        del answer.headers["Connection"]  # another one would cost us more than this one
        answer.headers["Retry-After"] = str(math.ceil(wait))
        return answer


def _credential(scope: Scope) -> bytes:
    """What stands for the credential of a request; b"" without one."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return blake2b(value, digest_size=16).digest()
    return b""
