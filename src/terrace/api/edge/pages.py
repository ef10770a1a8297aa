"""Lists in pages: how one is asked for, and how it is answered. There is no other way to list anything."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Query, Response

from terrace.api.documents import answer
from terrace.api.views import Page
from terrace.ports.edge.pages import Count, cursor, place

FIRST, MOST = 1000, 5000
"""Entries of a page when nobody says how many, and at most."""
NAME: type[tuple[str, ...]] = tuple[str]
NUMBER: type[tuple[int, ...]] = tuple[Count]
PAIR: type[tuple[str, str]] = tuple[str, str]
TIMED: type[tuple[float, str]] = tuple[float, str]
"""What lists are ordered by."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most", examples=[100])]
Cursor = Annotated[str, Query(description="`next` of the page before", examples=["WyJ3ZWIiXQ"])]
Prefix = Annotated[
    str,
    Query(max_length=255, pattern=r"^[^\x00]*$", description="Only those whose names begin so", examples=["web"]),
]  # fmt: skip

T = TypeVar("T")
K = TypeVar("K", bound=tuple[Any, ...])


class Asked(NamedTuple):
    """A page as it is asked for: at most `limit` entries, after the place that `cursor` stands for ("": the first)."""

    limit: int
    cursor: str

    @property
    def more(self) -> int:
        """How many are to be read: with one more it is known whether another page follows."""
        return self.limit + 1

    def after(self, form: type[K], first: K) -> K:
        """The place after which the page begins, `first` when it is the first one. UserError."""
        return place(self.cursor, form) if self.cursor else first

    def of(
        self, found: Sequence[T], key: Callable[[T], Sequence[Any]], view: Callable[[T], Any] | None = None
    ) -> Response:
        """The answer from the up to `more` entries that begin this page; `key` is the place of one."""
        shown = found[: self.limit]
        more = cursor(key(shown[-1])) if len(found) > self.limit else None
        return answer(Page(list(shown) if view is None else [view(one) for one in shown], more))

    def cut(
        self,
        found: Iterable[T],
        key: Callable[[T], K],
        form: type[K],
        view: Callable[[T], Any] | None = None,
    ) -> Response:
        """The answer from all entries there are, ordered by `key`: for lists that never grow large."""
        ordered = sorted(found, key=key)
        start = bisect_right(ordered, place(self.cursor, form), key=key) if self.cursor else 0
        return self.of(ordered[start : start + self.more], key, view)


async def _asked(limit: Limit = FIRST, cursor: Cursor = "") -> Asked:
    return Asked(limit, cursor)


Paged = Annotated[Asked, Depends(_asked)]
