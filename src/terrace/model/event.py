"""What happened, for people and watchers. Events inform; nothing in Terrace decides by them."""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened at `at` (epoch seconds). `number` is given by the store and only rises. `kind`
    is a dotted word: resource.creating resource.ready resource.failing ... stack.settled stack.failed
    stack.rollback ghost.found ghost.reaped group.scaled signal.received
    alarm.told. `path` is that of the resource, ""
    for the stack; `project` the stack's ("": of the installation). `message` is one line, free of secrets."""

    kind: str
    at: float
    stack: str = ""
    path: str = ""
    message: str = ""
    state: str = ""
    generation: int = 0
    number: int = 0
    detail: dict[str, Any] = {}
    project: str = ""


class EventFilter(msgspec.Struct, frozen=True):
    """Which events somebody wants: of one `project` ("": of all), of kinds that begin with `kind`, about what is at or
    below `path` ("": about anything), from `since` (epoch seconds) on."""

    project: str = ""
    kind: str = ""
    path: str = ""
    since: float = 0.0

    def fits(self, event: Event) -> bool:
        """Whether they want this one."""
        return (
            event.kind.startswith(self.kind)
            and self.project in ("", event.project)
            and event.at >= self.since
            and (not self.path or event.path == self.path or event.path.startswith(f"{self.path}/"))
        )


EVERYTHING = EventFilter()
