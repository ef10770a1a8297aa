"""What was done by whom, so that nobody can change it later without being found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

ALLOWED, DENIED, ANCHOR = "allowed", "denied", "anchor"


class Entry(msgspec.Struct, frozen=True):
    """Something that was asked for. `credential`: by which (its id, or "socket"); `source`: from where; `right`: what
    it takes; `subject`: what it is about; `at` epoch seconds."""

    actor: str
    right: str
    outcome: str
    project: str = ""
    subject: str = ""
    credential: str = ""
    source: str = ""
    at: float = 0.0


class Row(msgspec.Struct, frozen=True):
    """An entry as it is kept. `digest` covers it and the digest of the row before."""

    number: int
    entry: Entry
    digest: str


class AuditLog(Protocol):
    """Rows are added at the end. None is ever changed, and the oldest alone can be let go."""

    async def append(self, entries: Sequence[Entry], *, synced: bool = False) -> None:
        """Adds them in their order, committed when it returns."""

    async def page(
        self, *, after: int = 0, limit: int = 1000, project: str | None = None, newest: bool = False
    ) -> list[Row]:
        """Rows numbered above `after`, oldest first, of one project or all (None); or the `newest` ones."""

    async def head(self) -> int:
        """The number of the row that was added last, as counted apart from the rows (0: none)."""

    async def let_go(self, before: float, now: float) -> int:
        """Lets go of rows from before that time, after adding an anchor that keeps their last number and digest; how
        many."""


def chained(before: str, number: int, entry: Entry) -> bytes:
    """What the digest of a row is made of: the digest before it, its number, and all that it says."""
    return msgspec.json.encode((before, number, msgspec.structs.astuple(entry)))
