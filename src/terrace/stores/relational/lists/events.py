"""Events as they are asked for: of a stack, of a project or of all, and only those that are wanted."""

from __future__ import annotations

from typing import Any

from terrace.model.event import EventFilter
from terrace.stores import marks
from terrace.stores.queries import SQL

Query = tuple[str, list[Any]]


def query(stack: str, after: int, limit: int, *, newest: bool, only: EventFilter) -> Query:
    """The query for events numbered above `after`, and its values. What is not narrowed asks what it always did."""
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
