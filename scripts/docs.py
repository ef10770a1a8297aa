"""Writes docs/reference/*.md from the code; tests/test_docs.py sees that they are up to date.

What the code cannot say of itself stands in docs/reference/*.toml: what an error means, what a setting is for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.reference.api import api
from scripts.reference.commands import cli
from scripts.reference.corpus import corpus
from scripts.reference.errors import errors
from scripts.reference.heat import heat
from scripts.reference.kinds import kinds
from scripts.reference.lifecycle import lifecycle
from scripts.reference.metrics import metrics
from scripts.reference.rights import rights
from scripts.reference.settings import settings
from scripts.reference.text import REFERENCE

PAGES: dict[str, Callable[[], str]] = {
    "kinds.md": kinds,
    "heat.md": heat,
    "settings.md": settings,
    "errors.md": errors,
    "cli.md": cli,
    "lifecycle.md": lifecycle,
    "api.md": api,
    "rights.md": rights,
    "metrics.md": metrics,
}


def main() -> None:
    """Writes every page that is out of date. What is made of the corpus only where that is."""
    for name, make in {"corpus.toml": corpus, **PAGES}.items():
        path, text = REFERENCE / name, make()
        if text and (not path.exists() or path.read_text(encoding="utf-8") != text):
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")


if __name__ == "__main__":
    main()
