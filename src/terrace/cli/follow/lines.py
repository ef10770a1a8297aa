"""Following without a terminal: one line per change, and a sign of life in between."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from terrace.cli.follow.progress import Progress
from terrace.cli.shape import clean, plural, state

HEARTBEAT = 10.0


class Lines:
    """Writes changes to standard error, a whole batch at once."""

    tick = 1.0

    def __init__(self, progress: Progress, began: float, color: bool) -> None:
        self._progress = progress
        self._began = began
        self._color = color
        self._last = time.monotonic()

    def show(self, events: Sequence[dict[str, Any]]) -> None:
        """Writes a line for each event, or a heartbeat when nothing came for a while."""
        now = time.monotonic()
        if events:
            elapsed = f"{now - self._began:7.1f}s  "
            sys.stderr.write("".join(f"{elapsed}{self._line(event)}\n" for event in events))
        elif now - self._last >= HEARTBEAT:
            sys.stderr.write(f"{now - self._began:7.1f}s  {waiting(self._progress)}\n")
        else:
            return
        sys.stderr.flush()
        self._last = now

    def open(self) -> None:
        """Nothing to prepare."""

    def close(self) -> None:
        """Nothing is left open."""

    def _line(self, event: dict[str, Any]) -> str:
        word = event["kind"].partition(".")[2]
        name = event.get("path") or self._progress.head["name"]
        message = clean(event.get("message", "")).replace("\n", " ")
        return f"{name:<16}  {state(word, 9, self._color)}  {message}".rstrip()


def waiting(progress: Progress) -> str:
    """How far it is and what it waits on, on one line."""
    head = progress.head
    counts = f"{head.get('ready', 0):,} of {plural(head.get('total', 0), 'resource')} ready"
    unsettled = progress.unsettled
    why = head.get("why") or ", ".join(f"{path} ({why or word})" for path, word, why in unsettled[:3])
    return f"{counts}; waiting on {clean(why)}" if why else counts
