"""Writes docs/reference/*.md from the code. `docs.py` writes them, `docs.py --check` says which are out of date.

What the code cannot say of itself stands in docs/reference/*.toml: what an error means, what a setting is for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.reference.api import api
from scripts.reference.commands import cli
from scripts.reference.errors import errors
from scripts.reference.kinds import kinds
from scripts.reference.lifecycle import lifecycle
from scripts.reference.settings import settings
from scripts.reference.text import REFERENCE

PAGES: dict[str, Callable[[], str]] = {
    "kinds.md": kinds,
    "settings.md": settings,
    "errors.md": errors,
    "cli.md": cli,
    "lifecycle.md": lifecycle,
    "api.md": api,
}


def main(arguments: list[str]) -> int:
    """Writes every page, or with --check only says which are out of date."""
    old = []
    for name, make in PAGES.items():
        path, text = REFERENCE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")
    if old and "--check" in arguments:
        print(f"out of date: {', '.join(old)}; run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
