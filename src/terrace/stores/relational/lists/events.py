"""Events as they are asked for: of a stack, of a project or of all, and only those that are wanted."""

from __future__ import annotations

import asyncio
from typing import Any

from terrace.model.event import EVERYTHING, EventFilter
from terrace.stores import marks
from terrace.stores.queries import SQL
from terrace.stores.relational.database import Database

WINDOW = 20_000
"""Numbers that one query goes through to find some events among others. Whoever asks for something else has their turn
after each: nobody is held up by one who looks for what is not there."""

Query = tuple[str, list[Any]]


async def read(
    database: Database, stack: str, after: int, limit: int, *, newest: bool, only: EventFilter
) -> list[tuple[Any, ...]]:
    """Rows (number, body) of events numbered above `after`, in the order of their numbers, or (`newest`) against it."""
    if only == EVERYTHING:
        return await database.rows(*_query(stack, after, limit, newest=newest, only=only))
    ((first, last),) = await database.rows(SQL["events.bounds"])
    begins = range(max(after, first - 1), last, WINDOW)
    found: list[tuple[Any, ...]] = []
    for begin in reversed(begins) if newest else begins:
        text, values = _query(stack, begin, limit - len(found), newest=newest, only=only)
        text = text.replace(" ORDER BY ", f" AND {SQL['events.until']} ORDER BY ", 1)
        found += await database.rows(text, [*values[:-1], begin + WINDOW, values[-1]])
        if len(found) >= limit:
            break
        await asyncio.sleep(0)
    return found


def _query(stack: str, after: int, limit: int, *, newest: bool, only: EventFilter) -> Query:
    """The query, and its values."""
    name = f"events.{'newest' if newest else 'all'}"
    of: list[Any] = []
    if stack:
        name, of = f"{name}_of_stack", [stack]
    elif only.project:
        name, of = f"{name}_of_project", [only.project, marks.of_project(only.project)]
    text, values = SQL[name], [*of, after]
    for condition, given in _narrowed(only):
        text = text.replace(" ORDER BY ", f" AND {SQL[condition]} ORDER BY ", 1)
        values += given
    return text, [*values, limit]


def _narrowed(only: EventFilter) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    if only.since:
        found.append(("events.since", [only.since]))
    if only.kind:
        begins = marks.of_kind(only.kind)
        found.append(("events.of_kind", [len(begins), begins]))
    if only.path:
        found.append(("events.of_path", list(marks.of_path(only.path))))
    return found
