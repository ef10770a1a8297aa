"""One measured figure: its goal, whether it is met, and how it is printed and saved."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """`ours` and `peer` are medians in `unit`, taken from `runs` and `peer_runs`; no peer: None. `limit` bounds
    the ratio of the two, or `ours` itself where there is nothing to compare with. No `limit`: for information."""

    name: str
    ours: float
    unit: str = "s"
    peer: float | None = None
    beside: str = ""
    limit: float | None = None
    goal: str = ""
    note: str = ""
    runs: Sequence[float] = ()
    peer_runs: Sequence[float] = ()

    @property
    def ratio(self) -> float | None:
        """Ours in terms of the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one, or where the peer is missing."""
        if self.limit is None or (self.peer is None and self.beside):
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.limit

    def saved(self) -> dict[str, Any]:
        """As bench/results.json has it."""
        return {**self._asdict(), "ratio": self.ratio, "met": self.met}


def compared(
    name: str,
    ours: Sequence[float],
    peer: Sequence[float] | None,
    beside: str,
    limit: float | None,
    goal: str,
) -> Row:
    """A row of the medians of two series of seconds; `peer` is None where there is no such peer here."""
    missing = "" if peer else f"no {beside} here: absolute figures only"
    found = statistics.median(peer) if peer else None
    return Row(
        name,
        statistics.median(ours),
        peer=found,
        beside=beside,
        limit=limit,
        goal=goal,
        note=missing,
        runs=tuple(ours),
        peer_runs=tuple(peer or ()),
    )


HEADS = ("NAME", "OURS", "PEER", "RATIO", "GOAL", "MET", "")


def table(rows: Iterable[Row]) -> str:
    """Rows for people."""
    lines = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    peer = "-" if row.peer is None else f"{_figure(row.peer, row.unit)} {row.beside}"
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}" if row.ratio >= 0.5 else f"1/{1 / row.ratio:.1f}"
    met = {True: "yes", False: "NO", None: "-"}[row.met]
    return row.name, _figure(row.ours, row.unit), peer, ratio, row.goal or "-", met, row.note


def _figure(value: float, unit: str) -> str:
    if unit == "s" and value < 0.1:
        return f"{value * 1000:.1f} ms"
    return f"{value:.2f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def save(rows: Iterable[Row], file: Path) -> None:
    """Writes results.json anew."""
    file.write_text(json.dumps([row.saved() for row in rows], indent=1) + "\n", encoding="utf-8")
