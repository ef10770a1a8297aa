"""Requests that a client may send again without having them carried out again."""

from __future__ import annotations

from typing import Protocol

import msgspec

KEPT = 86400.0
"""Seconds for which an answer is kept."""
CLAIM = 30.0
"""Seconds after which a request that nobody finished may be carried out by another server: the one that had begun it is
gone."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered: status, headers that count, body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Earlier(msgspec.Struct, frozen=True):
    """The same name was used before. `digest` says for what; `answer` None: it is still being carried out."""

    digest: str
    answer: Answer | None


class Requests(Protocol):
    """Names are those that clients choose; each is one's own, by `actor`. TransientError: not now."""

    async def begin(self, actor: str, name: str, digest: str) -> Earlier | None:
        """Takes the name for a request with that digest; None: it is to be carried out, and `finish` or `release` must
        follow."""

    async def finish(self, actor: str, name: str, answer: Answer) -> None:
        """Keeps what was answered."""

    async def release(self, actor: str, name: str) -> None:
        """Nothing came of it: whoever asks again is heard as if for the first time."""

    async def abandon(self) -> None:
        """Releases all that is being carried out. Only for the only server to a store, when it begins."""

    async def prune(self) -> None:
        """Forgets what is older than KEPT."""
