"""How things look: colours, tables, ages, and documents as JSON or YAML."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terrace.cli.session import Session

COLORS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36", "grey": "90", "bold": "1"}

STATE_COLORS = {
    "ready": "green",
    "settled": "green",
    "suspended": "yellow",
    "creating": "blue",
    "updating": "blue",
    "healing": "yellow",
    "settling": "blue",
    "waiting": "grey",
    "undecided": "grey",
    "unhealthy": "red",
    "failing": "red",
    "unknown": "yellow",
    "departing": "grey",
    "deleting": "grey",
    "gone": "grey",
}

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: object) -> str:
    """`text` without characters that steer a terminal: what guests and providers say is data."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text))


def paint(text: str, color: str, wanted: bool) -> str:
    """`text` in a colour, if `wanted`."""
    return f"\x1b[{COLORS[color]}m{text}\x1b[0m" if wanted and color else text


def state(word: str, width: int, wanted: bool) -> str:
    """A state padded to `width`, in its colour."""
    return paint(f"{word:<{width}}", STATE_COLORS.get(word, ""), wanted)


def span(seconds: float) -> str:
    """A length of time in one short word: 4s, 12m, 3h, 5d."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    for limit, size, unit in ((100, 1, "s"), (6000, 60, "m"), (2 * 86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86400:.0f}d"


def table(rows: Iterable[Sequence[str]], heads: Sequence[str], color: bool = False) -> str:
    """Columns as wide as they need to be; the last one is not padded. A state among the cells gets its
    colour."""
    cells = [list(heads), *([clean(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for number, row in enumerate(cells):
        padded = [f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False)] + [row[-1]]
        shades = [STATE_COLORS.get(cell.strip(), "") if number else "grey" for cell in padded]
        painted = [paint(cell, shade, color) for cell, shade in zip(padded, shades, strict=True)]
        lines.append("  ".join(painted).rstrip())
    return "\n".join(lines)


def emit(
    session: Session, document: Any, text: Callable[[], str], names: Callable[[], Iterable[str]]
) -> None:
    """Writes data to standard output in the form that was asked for."""
    output = session.output
    if output == "json":
        written = json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None)
    elif output == "yaml":
        written = as_yaml(document)
    elif output == "name":
        written = "\n".join(names())
    else:
        written = text()
    if written:
        sys.stdout.write(written.rstrip("\n") + "\n")


def as_yaml(document: Any) -> str:
    """`document` as YAML, keys in their order."""
    import yaml

    return yaml.dump(
        document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False, allow_unicode=True
    )


def value(item: Any) -> str:
    """A value on one line: text as it is, the rest as JSON."""
    return clean(item) if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def plural(count: int, word: str) -> str:
    """`count` with its noun: "1 resource", "3 resources"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
