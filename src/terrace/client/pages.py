"""Lists that come in pages: {items: [...], next: cursor or null}."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from terrace.client.transport import Query, Transport

PAGE = 1000


def items(transport: Transport, path: str, query: Query) -> Iterator[dict[str, Any]]:
    """Every item of a list, page after page as they are asked for."""
    cursor: str | None = None
    while True:
        page = transport.get(path, {"limit": PAGE, **query, "cursor": cursor})
        yield from page["items"]
        cursor = page.get("next")
        if not cursor:
            return
