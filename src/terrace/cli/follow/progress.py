"""How far a change is, told by events and by looks at the stack. Pure: it is given what came, and says what
that means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

RESTING = ("ready", "suspended", "gone")
STANDING = ("settled", "suspended")
"""Phases of a stack in which all is as it is wanted."""
TROUBLED = ("failing", "unhealthy", "unknown")


class Outcome(StrEnum):
    """How following ends."""

    SETTLED = "settled"
    FAILED = "failed"
    LATE = "late"
    ROLLED_BACK = "rolled back"
    SUPERSEDED = "superseded"
    GONE = "gone"


class Progress:
    """Follows generation `wanted` of the stack `head`. `states` has the last state and reason of each
    resource that changed."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self.head: Mapping[str, Any] = head
        self.wanted: int = head["generation"]
        self.states: dict[str, tuple[str, str]] = {}
        self.kinds: dict[str, str] = {}
        self.outcome: Outcome | None = None
        self.failed = ""
        self.rolling_back = False
        self.kept = False
        """Whether it is known that nothing is rolled back."""
        self.told = False
        """Whether an event, and not only a look, said how it ended: then nothing that came before it is
        missing."""

    def seed(self, resources: Iterable[Mapping[str, Any]]) -> None:
        """Takes resources as they are listed; what events said of one is newer."""
        for item in resources:
            self.kinds[item["path"]] = item["kind"]
            self.states.setdefault(item["path"], (item["state"], item.get("why", "")))

    def absorb(self, event: Mapping[str, Any]) -> bool:
        """Takes one event; whether it is about this change (and worth a line)."""
        if event.get("stack", self.head["id"]) != self.head["id"]:
            return False
        generation = event.get("generation", 0)
        if generation and generation < self.wanted:
            return False
        if event.get("path"):
            if event.get("state"):
                self.states[event["path"]] = (event["state"], event.get("message", ""))
            return True
        self._absorb_stack(event["kind"], generation, event.get("message", ""))
        self.told = self.outcome is not None
        return True

    def look(self, head: Mapping[str, Any] | None, generation: Mapping[str, Any] | None = None) -> None:
        """Takes the stack as it is now (None: it is gone), and the generation followed if it is known."""
        if head is None or head["id"] != self.head["id"]:
            self.outcome = Outcome.GONE
            return
        self.head = head
        if head.get("settled", 0) >= self.wanted and head["phase"] in STANDING:
            self._settled(head["settled"])
        elif generation is not None and generation.get("failed"):
            self._failed(generation["failed"], rolls_back=generation.get("on_failure") == "rollback")
        elif head["generation"] > self.wanted and not self.rolling_back:
            self.outcome = Outcome.SUPERSEDED

    @property
    def doubtful(self) -> bool:
        """Whether it failed, for all that is known, and there is something that it may be rolled back to."""
        failed = self.outcome in (Outcome.FAILED, Outcome.LATE)
        return failed and not self.kept and bool(self.head.get("settled"))

    def chose(self, on_failure: str) -> None:
        """Takes what is to become of it when it fails: the event that says so may come a moment later."""
        self.kept = on_failure != "rollback"
        if not self.kept:
            self.rolling_back, self.outcome = True, None

    @property
    def unsettled(self) -> list[tuple[str, str, str]]:
        """Path, state and reason of what is not at rest: trouble first."""
        found = [(path, state, why) for path, (state, why) in self.states.items() if state not in RESTING]
        return sorted(found, key=lambda row: (row[1] not in TROUBLED, row[0]))

    @property
    def failing(self) -> list[str]:
        """Paths of what fails."""
        return sorted(path for path, (state, _) in self.states.items() if state in TROUBLED)

    def _absorb_stack(self, kind: str, generation: int, message: str) -> None:
        if kind in ("stack.settled", "stack.suspended"):
            self._settled(generation)
        elif kind == "stack.failed":
            self._failed(message)
        elif kind == "stack.rollback":
            self.rolling_back, self.outcome = True, None
        elif kind == "stack.kept":
            self.kept, self.rolling_back, self.outcome = True, False, Outcome.FAILED
        elif kind == "stack.gone":
            self.outcome = Outcome.GONE
        elif generation > self.wanted and not self.rolling_back:
            self.outcome = Outcome.SUPERSEDED

    def _settled(self, generation: int) -> None:
        if generation == self.wanted:
            self.outcome = Outcome.SETTLED
        elif generation > self.wanted:
            self.outcome = Outcome.ROLLED_BACK if self.failed or self.rolling_back else Outcome.SUPERSEDED

    def _failed(self, message: str, *, rolls_back: bool = False) -> None:
        self.failed = message
        if rolls_back and self.head.get("settled"):
            self.rolling_back = True
        elif not self.rolling_back:
            self.outcome = Outcome.LATE if message.startswith("not settled within") else Outcome.FAILED
