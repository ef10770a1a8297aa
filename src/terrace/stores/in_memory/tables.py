"""What a store in memory holds, and how to take back what was done to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from terrace.model.catalogue import Offer
from terrace.model.graph import Name
from terrace.model.seen import Ghost, Seen
from terrace.model.spec.quota import Amounts
from terrace.model.stack import Lease, Stack
from terrace.ports.engines import Member, Published
from terrace.ports.secrets import Rotation
from terrace.ports.store import Ruling
from terrace.ports.vault import Version
from terrace.stores import marks
from terrace.stores.order import Point
from terrace.stores.sealing.envelope import DataKey


class Row(NamedTuple):
    """A record, encoded, and where it stands in the list."""

    point: Point
    body: bytes


class Saved(NamedTuple):
    """A generation, encoded in its two parts, with what is asked of it without reading them."""

    light: bytes
    content: bytes
    restores: int
    deleting: bool
    settled: float
    failed: str


class Told(NamedTuple):
    """An event, encoded, with what is asked of it without reading it."""

    stack: str
    at: float
    text: str


class KeptSecret(NamedTuple):
    """A secret of a project: its value, sealed, and its versions, newest first."""

    body: bytes
    versions: tuple[Version, ...]


class Tables:
    """The state, and how to take back what was done to it since the last sync. Values lie encoded, as on a
    disk, so nobody holds a part of them. Leases, what engines say of themselves and of providers, and the number of the
    last event are never taken back."""

    def __init__(self) -> None:
        self.stacks: dict[str, Stack] = {}
        self.generations: dict[str, dict[int, Saved]] = {}
        self.records: dict[str, dict[tuple[str, int], Row]] = {}
        self.directives: dict[str, dict[tuple[str, str], bytes]] = {}
        self.exports: dict[str, dict[str, bytes]] = {}
        self.uses: dict[str, dict[tuple[str, Name], bytes]] = {}
        self.events: dict[int, Told] = {}
        self.secrets: dict[tuple[str, str], KeptSecret] = {}
        self.quotas: dict[tuple[str, str], int] = {}
        self.usage: dict[str, Amounts] = {}
        self.data_keys: dict[str, DataKey] = {}
        self.rotations: dict[str, Rotation] = {}
        self.offers: dict[str, Offer] = {}
        self.rulings: dict[tuple[str, str], Ruling] = {}
        self.leases: dict[str, Lease] = {}
        self.members: dict[str, Member] = {}
        self.wakes: dict[str, tuple[int, int]] = {}
        self.listings: dict[str, Published] = {}
        self.haunting: dict[str, list[Ghost]] = {}
        self.sightings: dict[str, dict[str, tuple[int, Seen | None]]] = {}
        self.last_event = 0
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []

    def put(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Sets an entry (None: takes it out)."""
        self._undo.append((table, key, table.get(key)))
        _set(table, key, value)

    def sync(self) -> None:
        """Everything so far stays."""
        self._undo.clear()

    def mark(self) -> int:
        """A moment to go back to."""
        return len(self._undo)

    def revert(self, mark: int = 0) -> None:
        """Takes back what was done since `mark`, or since the last sync."""
        while len(self._undo) > mark:
            _set(*self._undo.pop())

    def named(self, project: str, name: str) -> Stack | None:
        """The stack of that name."""
        wanted = (project, name)
        return next((s for s in self.stacks.values() if (s.project, s.name) == wanted), None)

    def remove(self, stack: str) -> None:
        """Takes out a stack with all that is its own; events and rulings outlive it."""
        self.put(self.stacks, stack, None)
        self.put(self.generations, stack, None)
        self.put(self.records, stack, None)
        self.put(self.directives, stack, None)
        self.put(self.exports, stack, None)
        self.put(self.uses, stack, None)
        self.put(self.usage, stack, None)
        self.wakes.pop(stack, None)

    def ring(self, stack: str) -> None:
        """Something of a stack has changed: whoever holds it is to look. Nobody rings where nobody listens."""
        if self.members and stack in self.stacks:
            mark, heeded = self.wakes.get(stack, (0, 0))
            self.wakes[stack] = (mark + 1, heeded)

    def ring_readers(self, source: Stack) -> None:
        """Rings for the stacks that read what `source` exports."""
        for stack, uses in self.uses.items():
            if any((name.project, name.stack) == (source.project, source.name) for _, name in uses):
                self.ring(stack)

    def of_project(self, told: Told, project: str) -> bool:
        """Whether an event is of a project: of a stack there, or of one that is gone."""
        stack = self.stacks.get(told.stack)
        return (stack is not None and stack.project == project) or marks.of_project(project) in told.text

    def drop_old_leases(self, now: float) -> None:
        """Takes out expired leases of stacks that are gone."""
        for scope, lease in list(self.leases.items()):
            kind, _, stack = scope.partition(":")
            if kind == "stack" and lease.expires <= now and stack not in self.stacks:
                del self.leases[scope]


def _set(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
