"""Lists that come in pages: {items: [...], next: cursor or null}."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from terrace.client.transport import Query, Transport

PAGE = 1000


def items(
    transport: Transport, path: str, query: Query | None = None, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Every item of a list (up to `limit` of them), page after page as they are asked for. What is None or "" in the
    query is not asked for."""
    asked = {name: value for name, value in (query or {}).items() if value != ""}
    cursor: str | None = None
    left = PAGE if limit is None else limit
    while left > 0:
        page = transport.get(path, {"limit": min(left, PAGE), **asked, "cursor": cursor})
        yield from islice(page["items"], left)
        left = left if limit is None else left - len(page["items"])
        cursor = page.get("next")
        if not cursor:
            return
