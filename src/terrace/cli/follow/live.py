"""Following on a terminal: one tree, drawn over and over, with counts, the time, and what it waits on."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from terrace.cli.follow.lines import waiting
from terrace.cli.follow.progress import RESTING, TROUBLED, Progress
from terrace.cli.shape import STATE_COLORS, clean, span

FRAME = 0.1
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SIGNS = {
    "ready": "✓",
    "suspended": "‖",
    "failing": "✗",
    "unhealthy": "✗",
    "unknown": "?",
    "waiting": "·",
    "gone": "-",
}
WIDEST = 40
OVERHEAD = 4
"""Lines of the screen that are not resources."""


class LiveTree:
    """Draws at most every FRAME seconds."""

    tick = FRAME

    def __init__(self, progress: Progress, began: float, color: bool) -> None:
        self._progress = progress
        self._began = began
        self._drawn = 0.0
        self._frame = 0
        console = Console(file=sys.stderr, no_color=not color, highlight=False)
        self._height = max(3, console.size.height - OVERHEAD)
        self._live = Live(console=console, auto_refresh=False, transient=False)

    def open(self) -> None:
        """Takes the lower part of the screen."""
        self._live.start()

    def show(self, events: Sequence[dict[str, Any]]) -> None:
        """Draws what has become of it."""
        now = time.monotonic()
        if now - self._drawn >= FRAME:
            self._draw(now)

    def close(self) -> None:
        """Draws the end and leaves it on the screen."""
        if self._live.is_started:
            self._draw(time.monotonic())
            self._live.stop()

    def _draw(self, now: float) -> None:
        self._drawn = now
        self._frame += 1
        self._live.update(Group(*self._rows(now)), refresh=True)

    def _rows(self, now: float) -> list[Text]:
        progress = self._progress
        counts = Counter(word for word, _ in progress.states.values())
        spinner = SPINNER[self._frame % len(SPINNER)] if progress.outcome is None else "•"
        head = Text.assemble(
            f"{spinner} ",
            (progress.head["name"], "bold"),
            f"  generation {progress.wanted}  {span(now - self._began)}  ",
            *((f"{count:,} {word}  ", style(word)) for word, count in counts.most_common()),
        )
        rows = [head, *self._tree()]
        if progress.outcome is None:
            rows.append(
                Text(f"  {waiting(progress)}", style="bright_black", no_wrap=True, overflow="ellipsis")
            )
        return rows

    def _tree(self) -> list[Text]:
        states = self._progress.states
        paths = sorted(states)
        if len(paths) > self._height:  # what moves first; the rest is in the counts
            paths.sort(key=lambda path: (states[path][0] in RESTING, states[path][0] not in TROUBLED, path))
            paths = sorted(paths[: self._height])
        width = min(max((len(path) for path in paths), default=0), WIDEST)
        rows = [self._row(path, set(paths), width) for path in paths]
        hidden = len(states) - len(paths)
        return [*rows, Text(f"    and {hidden:,} more", style="bright_black")] if hidden else rows

    def _row(self, path: str, shown: set[str], width: int) -> Text:
        word, why = self._progress.states[path]
        parent, _, last = path.rpartition("/")
        name = "  " * path.count("/") + last if parent in shown else path
        color = style(word)
        parts = [
            ("  ", ""),
            (SIGNS.get(word, "…"), color),
            (f" {clean(name):<{width}}  ", ""),
            (f"{word:<10}", color),
            (f" {self._progress.kinds.get(path, ''):<10} ", ""),
            ("" if word == "ready" else clean(why).replace("\n", " "), "bright_black"),
        ]
        return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def style(word: str) -> str:
    """How a state is drawn."""
    return STATE_COLORS.get(word, "").replace("grey", "bright_black")
