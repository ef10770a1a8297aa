"""Engines that share one store: who is alive, who holds what, what has changed, what was seen.

An engine that does not say in time that it lives is buried, by whichever other notices; whatever it held is free
from then on. It learns of that the next time it speaks, and begins anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from terrace.model.seen import Ghost, Seen
from terrace.model.stack import Lease

API, ENGINE = "api", "engine"
ROLES = (API, ENGINE)
"""What a server process may be: it answers people, it works on stacks, or both."""


class Member(msgspec.Struct, frozen=True):
    """A process of Terrace on the store. `id` is new at each start, `name` is for people; `version` that of the tables
    which it was written for. `started`, `beat` (when it last spoke) and `expires` in epoch seconds by the store's
    clock; `draining`: it gives its stacks away; `holds`: how many it said it had."""

    id: str
    name: str
    roles: tuple[str, ...]
    version: int = 0
    started: float = 0.0
    beat: float = 0.0
    expires: float = 0.0
    draining: bool = False
    holds: int = 0

    @property
    def works(self) -> bool:
        """Whether it takes stacks."""
        return ENGINE in self.roles and not self.draining


class Beat(msgspec.Struct, frozen=True):
    """What one hears when one speaks: the time by the store's clock, who is alive (oneself as well), how many stacks
    there are and how many of them nobody holds."""

    now: float
    members: tuple[Member, ...]
    stacks: int
    free: int


class Published(msgspec.Struct, frozen=True):
    """How the last listing of a provider went. `number` rises with each; `started` by the store's clock; `asked` and
    `answered` count those who wanted a newer one; `why` it failed ("" when it did not), `since` when. `restored`: the
    ledger says that an older copy of the database was put back. `adopted`: the provider ids that were asked for
    whatever their labels say (not in News)."""

    provider: str
    number: int = 0
    started: float = 0.0
    asked: int = 0
    answered: int = 0
    why: str = ""
    since: float = 0.0
    restored: bool = False
    adopted: tuple[str, ...] = ()


class News(msgspec.Struct, frozen=True):
    """What has changed: the number of the newest event, the stacks of one's own that somebody rang for (with the mark
    to give back once that was heeded), every provider's last listing, and the time by the store's clock."""

    now: float
    event: int
    woken: tuple[tuple[str, int], ...]
    listings: tuple[Published, ...]


class Membership(Protocol):
    """Who is there."""

    async def join(self, member: Member, duration: float) -> None:
        """Enters it, alive for `duration` seconds. What was held under its id before is free."""

    async def beat(self, member: str, duration: float, holds: int) -> Beat | None:
        """It lives for another `duration` seconds; buries those whose time is up. None when it has been buried."""

    async def leave(self, member: str) -> None:
        """It ends: what it holds is free at once."""

    async def members(self) -> list[Member]:
        """All that are alive, by name."""

    async def drain(self, member: str, on: bool) -> bool:
        """Whether it is to give its stacks away; False when there is no such member."""


class Holding(Protocol):
    """Leases that last as long as their holder lives."""

    async def claim(self, member: str, most: int) -> list[Lease]:
        """Takes up to `most` stacks that nobody alive holds, each with a new epoch. None when it was buried itself."""

    async def take(self, member: str, scope: str) -> Lease | None:
        """Takes one scope, or gives the lease that it has already; None when another holds it."""

    async def give(self, leases: Sequence[Lease]) -> None:
        """They are free; those that are no longer the holder's stay as they are."""

    async def whose(self, uid: str) -> str:
        """The id of the stack that has a record of this uid; "" for none."""


class Waking(Protocol):
    """Stacks of which something changed are rung for in the transaction that changes it, if anybody is a member."""

    async def ring(self, stacks: Sequence[str]) -> None:
        """Rings for stacks."""

    async def news(self, member: str) -> News:
        """What has changed."""

    async def heeded(self, marks: Sequence[tuple[str, int]]) -> None:
        """What was rung for up to each mark has been taken in."""

    async def waiting(self, stack: str, mark: int = 0) -> int:
        """The mark up to which somebody rang and was not heard; 0 when all were heard, or all up to `mark`."""


class Listings(Protocol):
    """What the one that lists a provider saw, for the others."""

    async def publish(
        self,
        lease: Lease,
        listing: Published,
        changes: Sequence[tuple[str, Seen | None]],
        ghosts: Sequence[Ghost],
    ) -> bool:
        """A listing: `changes` against the one before, by provider id (None: not there any more). `asked` and `number`
        of `listing` are not looked at: the number is the next one. False when the lease is another's by now."""

    async def sightings(self, provider: str, after: int) -> tuple[Published, list[tuple[str, Seen | None]]]:
        """The last listing, and what changed in those after number `after` (0: all that was there). A reader that is
        far behind starts again with 0: see `KEPT`."""

    async def ask(self, provider: str) -> int:
        """Asks for a newer listing: the number which `answered` must reach."""

    async def ghosts(self, provider: str) -> list[Ghost]:
        """Those of the last listing."""


class Engines(Membership, Holding, Waking, Listings, Protocol):
    """All of it. TransientError: not now."""


KEPT = 100
"""For how many listings it is remembered that something went away."""
