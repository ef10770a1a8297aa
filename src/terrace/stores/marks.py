"""What is looked for in entries as they lie encoded, so that only what is wanted is read: an event is JSON that begins
with its kind, a record is msgpack."""

from __future__ import annotations

import msgspec

from terrace.model.event import EventFilter

_text = msgspec.json.Encoder()


def of_project(project: str) -> str:
    """Stands in every event of a project."""
    return f'"project":{_text.encode(project).decode()}'


def of_kind(kind: str) -> str:
    """Begins every event whose kind begins so."""
    return f'{{"kind":"{kind}'


def of_path(path: str) -> tuple[str, str]:
    """One of them stands in every event about what is at a path, or below it."""
    at = f'"path":{_text.encode(path).decode()}'
    return at, f"{at[:-1]}/"


def fits(text: str, at: float, only: EventFilter) -> bool:
    """Whether an event as it lies there is wanted, whatever its project."""
    if at < only.since or not text.startswith(of_kind(only.kind)):
        return False
    return not only.path or any(mark in text for mark in of_path(only.path))


def of_record(kind: str) -> bytes:
    """Stands in every record of a kind (and perhaps in others, whose values look like that)."""
    return b"".join(map(msgspec.msgpack.encode, ("kind", kind, "uid")))
