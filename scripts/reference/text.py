"""Markdown, and the hand-written tables beside the pages."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code. Change the code, or the .toml file beside this one. -->"


def words(name: str) -> dict[str, Any]:
    """One of the hand-written tables beside the pages."""
    return tomllib.loads((REFERENCE / f"{name}.toml").read_text(encoding="utf-8"))


def page(title: str, *blocks: str) -> str:
    """A page of Markdown."""
    return "\n\n".join([f"# {title}", NOTE, *(block for block in blocks if block)]) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; "" when it has no rows."""
    lines = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    if not lines:
        return ""
    heads = list(heads)
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *lines])


def code(text: object) -> str:
    """Text in backticks; "" stays empty."""
    return f"`{text}`" if str(text) else ""
