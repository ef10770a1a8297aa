"""How often somebody may ask, and how often guess."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.api.edge.rates import Buckets, Rates
from tests.unit.api.rig import Lines


class Time:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Asking:
    """An app behind Rates that knows one credential, and those who ask."""

    def __init__(self, rate: float = 10.0, burst: float = 5.0) -> None:
        self.time = Time()
        self.heard = 0
        self.good = b"Bearer good"
        self._rates = Rates(self._app, Lines(), rate=rate, burst=burst, clock=self.time)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.heard += 1
        good = (b"authorization", self.good) in scope["headers"]
        await send({"type": "http.response.start", "status": 200 if good else 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(self, credential: str = "", host: str = "192.0.2.1", *, owner: bool = False) -> int:
        """The status of an answer."""
        self.headers: dict[str, str] = {}
        headers = [(b"authorization", f"Bearer {credential}".encode())] if credential else []
        scope = {
            "type": "http",
            "headers": headers,
            "client": (host, 1),
            "terrace.owner": owner,
            "method": "GET",
            "path": "/",
        }
        seen: list[Any] = []

        async def send(message: Any) -> None:
            seen.append(message)

        await self._rates(scope, None, send)  # type: ignore[arg-type]
        self.headers = {name.decode(): value.decode() for name, value in seen[0]["headers"]}
        status: int = seen[0]["status"]
        return status


async def test_a_credential_has_a_rate_and_is_told_when_to_come_back() -> None:
    asking = Asking()
    assert await asking.ask("good") == 200  # known from now on
    assert [await asking.ask("good") for _ in range(6)] == [200] * 5 + [429]
    assert asking.headers["retry-after"] == "1"
    asking.time.now += 0.1
    assert [await asking.ask("good") for _ in range(2)] == [200, 429]
    assert await asking.ask("good", owner=True) == 200


async def test_guesses_are_few_and_whoever_shares_the_address_goes_on() -> None:
    asking = Asking(rate=1000.0, burst=100_000.0)
    assert await asking.ask("good") == 200
    for number in range(10_000):
        await asking.ask(f"guess-{number}")
    assert asking.heard < 1 + 25
    assert await asking.ask("good") == 200
    assert await asking.ask("guess", host="192.0.2.2") == 401
    assert await asking.ask("another guess") == 429
    asking.time.now += 3600.0
    assert [await asking.ask("guess") for _ in range(21)] == [401] * 20 + [429]


async def test_a_credential_that_is_good_no_longer_is_a_guess() -> None:
    asking = Asking(rate=1000.0, burst=1000.0)
    assert await asking.ask("good") == 200
    asking.good = b"Bearer another"
    assert [await asking.ask("good") for _ in range(22)] == [401] * 20 + [429] * 2


@pytest.mark.parametrize("known", [1, 10])
def test_what_is_remembered_is_bounded(known: int) -> None:
    time = Time()
    buckets = Buckets(1.0, 1.0, time, known)
    for number in range(100):
        assert buckets.take(b"%d" % number) == 0.0
    assert len(buckets._left) == known
    assert buckets.take(b"99") == 1.0
