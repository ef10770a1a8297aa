"""Requests that a client may send again without having them carried out again.

What a request writes, and that it was carried out, is written in one transaction: whoever writes what is wanted finds
the claim of the request in `CLAIM` and marks it (`stores.relational.requests.claimed`). So whatever dies, and whenever,
no request is carried out twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import msgspec

KEPT = 86400.0
"""Seconds for which an answer is kept."""
CLAIMED = 30.0
"""Seconds after which a request that nobody finished may be carried out by another server, if nothing was written for
it: the one that had begun it is gone."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered: status, headers that count, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Earlier(msgspec.Struct, frozen=True):
    """The same name was used before. `digest` says for what; `answer` None: it is still being carried out, or it was
    and nobody knows the answer any more (`lost`)."""

    digest: str
    answer: Answer | None
    lost: bool = False


class Claim:
    """That one server carries out one request. `mark` tells its claim from any other; `carrier` is the task that does
    it, None when none does: what others do meanwhile, even if they were begun by it, is no part of that."""

    def __init__(self, actor: str, name: str, mark: str) -> None:
        self.actor = actor
        self.name = name
        self.mark = mark
        self.carrier: object | None = None


CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)
"""Of the request that is being carried out here; None: there is none, or it may not be repeated."""


@contextmanager
def beside() -> Iterator[None]:
    """What is written meanwhile is no part of carrying a request out."""
    before = CLAIM.set(None)
    try:
        yield
    finally:
        CLAIM.reset(before)


class Requests(Protocol):
    """Names are those that clients choose; each is one's own, by `actor`. TransientError: not now."""

    async def begin(self, actor: str, name: str, digest: str) -> Earlier | None:
        """Takes the name for a request with that digest; None: it is to be carried out under `claim`, and `finish` or
        `release` must follow."""

    def claim(self, actor: str, name: str, digest: str) -> Claim:
        """What it is carried out under."""

    async def renew(self, claim: Claim) -> None:
        """It is still being carried out."""

    async def finish(self, claim: Claim, answer: Answer) -> None:
        """Keeps what was answered."""

    async def release(self, claim: Claim, *, refused: bool = False) -> None:
        """It has no answer that is kept. If nothing was written for it (or it was `refused`), whoever asks again is
        heard as if for the first time."""

    async def abandon(self) -> None:
        """Releases all for which nothing was written; nobody knows the answers of the others. Only for the only server
        to a store, when it begins."""

    async def prune(self) -> None:
        """Forgets what is older than KEPT."""
