"""What happened, for people and watchers. Events inform; nothing in Terrace decides by them."""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened at `at` (epoch seconds). `number` is given by the store and only rises. `kind`
    is a dotted word: resource.creating resource.ready resource.failing ... stack.settled stack.failed
    stack.rollback ghost.found ghost.reaped group.scaled signal.received
    alarm.told. `path` is that of the resource, ""
    for the stack. `message` is one line, free of secrets."""

    kind: str
    at: float
    stack: str = ""
    path: str = ""
    message: str = ""
    state: str = ""
    generation: int = 0
    number: int = 0
    detail: dict[str, Any] = {}
