"""Stacks, their generations, directives and leases: the unit of ownership, planning, rollback and leasing."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.graph import Graph


class Phase(StrEnum):
    """Where a stack stands, in the word that people see."""

    SETTLING = "settling"
    SETTLED = "settled"
    SUSPENDED = "suspended"
    FAILING = "failing"
    DELETING = "deleting"
    GONE = "gone"


class OnFailure(StrEnum):
    """What the owner wants when a generation fails."""

    KEEP = "keep"
    ROLLBACK = "rollback"


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user gave: the template's file name, all files by the name the template uses for them,
    environments (names of files, in order) and parameters (hidden ones as Secret). As kept with a
    generation, files that may hold hidden values are Secret."""

    template: str
    files: dict[str, Any] = {}
    environments: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}


class Generation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One desired state of a stack. Numbers only rise. `why` says where it came from ("up", "rollback to 3",
    "down"). `created` in epoch seconds; `timeout` seconds until it counts as failed. `failed` is why it
    failed ("" if it did not); `settled` when it first settled (0: not yet). `deleting`: nothing is wanted
    any more; with `keeping` the things themselves stay (the stack is abandoned). `restores` is the generation it
    is a rollback to (0: none). `usage` is what it takes of the project's quota (None: it was not counted). `flavors`
    are the names of flavors that it uses, `offer` the version of what the project may use of them as it was checked."""

    number: int
    graph: Graph
    source: Source
    created: float
    who: str = ""
    why: str = "up"
    timeout: float = 3600.0
    on_failure: OnFailure = OnFailure.KEEP
    settled: float = 0.0
    failed: str = ""
    deleting: bool = False
    keeping: bool = False
    restores: int = 0
    parameters: dict[str, Any] = {}
    usage: dict[str, int] | None = None
    flavors: tuple[str, ...] = ()
    offer: int = 0


class Stack(msgspec.Struct, frozen=True, omit_defaults=True):
    """The head of a stack: `generation` is the newest wanted, `settled` the last that settled (0: none),
    `phase` and `why` in words, `total`, `ready` and `failing` count resources."""

    id: str
    project: str
    name: str
    generation: int
    settled: int = 0
    phase: Phase = Phase.SETTLING
    why: str = ""
    since: float = 0.0
    created: float = 0.0
    updated: float = 0.0
    total: int = 0
    ready: int = 0
    failing: int = 0
    description: str = ""
    retries: int = 0
    forget: bool = False


class Directive(msgspec.Struct, frozen=True, omit_defaults=True):
    """One wish beside the template, of a person, a policy or a guest. A rollback keeps it; it goes with its stack.

    `path` is that of the resource it is about, "" for the whole stack. `what` names it, one word and perhaps a
    slash with more ("size", "taint", "signal/1"); there is at most one of a name for each path. `value` is plain
    data that the one who reads it understands, None: as if it had never been said. `who` set it, `why`, and `at`
    (epoch seconds) when.
    """

    stack: str
    path: str
    what: str
    value: Any = None
    who: str = ""
    why: str = ""
    at: float = 0.0


class Lease(msgspec.Struct, frozen=True, gc=False):
    """Who may write, for how long. The epoch only rises; a commit with an old one is refused by the store.
    `scope` is "stack:<id>" or "provider:<name>/<region>". `expires` in epoch seconds by the store's
    clock."""

    scope: str
    holder: str
    epoch: int
    expires: float
