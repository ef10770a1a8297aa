"""The order in which records are listed, and where a cursor (ports.store.RecordRow) stands in it."""

from __future__ import annotations

import re

from terrace.ports.edge.pages import LAST, Count, place

Point = tuple[str, str, int, str]
START: Point = ("", "", -1, "")

_DIGITS = re.compile("[0-9]+")
_DEEPER, _PAST_DEEPER = "\x01", "\x02"


def position(path: str) -> str:
    """A text that sorts as people expect: "g/2" before "g/10", and what is inside "g" right after "g"."""
    return _DIGITS.sub(lambda found: found.group().zfill(12), path).replace("/", _DEEPER)


def point(path: str, incarnation: int, uid: str) -> Point:
    """Where a record stands in the list; no two records stand at one point."""
    return (position(path), path, incarnation, uid)


def span(under: str) -> tuple[str, str]:
    """The first position at or below path `under` and the first one past it (everything for "")."""
    start = position(under)
    return (start, start + _PAST_DEEPER) if under else ("", LAST)


def inside(under: str) -> tuple[str, str]:
    """The bounds [first, past) of the paths below `under` (everything for "")."""
    return (under + "/", under + "0") if under else ("", LAST)


def after(text: str) -> Point:
    """The point that a cursor stands for, START for ""; UserError when it is not one of ours."""
    return point(*place(text, tuple[str, Count, str])) if text else START
