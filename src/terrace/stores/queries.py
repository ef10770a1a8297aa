"""The SQL of the stores, by name: "records.upsert" is the query named `upsert` in sql/records.sql."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def _named() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((_FOLDER / "sql").glob("*.sql")):
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            found[f"{file.stem}.{name}"] = text.strip().removesuffix(";")
    return found


SQL = _named()


def many(name: str, count: int) -> str:
    """The query with its `?*` made into `count` places."""
    return SQL[name].replace("?*", ", ".join("?" * count))


def migrations() -> list[tuple[int, list[str]]]:
    """Every migration: its number and its statements, in order."""
    found = []
    for file in sorted((_FOLDER / "migrations").glob("*.sql")):
        if name := _MIGRATION.fullmatch(file.name):
            found.append((int(name[1]), _statements(file.read_text(encoding="utf-8"))))
    return found


def _statements(text: str) -> list[str]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [part.strip() for part in f"{code}\n".split(";\n") if part.strip()]
