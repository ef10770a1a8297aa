"""The SQL of the stores, by name: "records.upsert" is the query named `upsert` in sql/records.sql."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COLUMN = re.compile(r"^    (\w+) (TEXT|BIGINT|BYTEA|DOUBLE PRECISION)\b", re.MULTILINE)
_ADDED = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (TEXT|BIGINT|BYTEA|DOUBLE PRECISION)\b")
_KEY = re.compile(r"^    (\w+) [A-Z ]+ PRIMARY KEY|^    PRIMARY KEY \(([\w, ]+)\)", re.MULTILINE)
_COMPATIBLE = re.compile(r"-- compatible from (\d{4})\n")
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


def migrations() -> list[tuple[int, int, list[str]]]:
    """Every migration, in order: its number, the oldest schema whose servers may go on beside it (0: as before), and
    its statements."""
    found = []
    for file in sorted((_FOLDER / "migrations").glob("*.sql")):
        if name := _MIGRATION.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            said = _COMPATIBLE.match(text)
            found.append((int(name[1]), int(said[1]) if said else 0, _statements(text)))
    return found


@cache
def columns() -> dict[str, dict[str, str]]:
    """Every table of the newest schema: its columns, in order, and their types."""
    found: dict[str, dict[str, str]] = {}
    for *_, statements in migrations():
        for statement in statements:
            word, kind, name = statement.split()[:3]
            if (word, kind) == ("CREATE", "TABLE"):
                found[name] = dict(_COLUMN.findall(statement))
            elif (word, kind) == ("DROP", "TABLE"):
                del found[name]
            elif added := _ADDED.fullmatch(statement.split(" DEFAULT ")[0].split(" NOT NULL")[0]):
                found[added[1]][added[2]] = added[3]
    return found


@cache
def keys() -> dict[str, tuple[str, ...]]:
    """The primary key of every table of the newest schema."""
    found: dict[str, tuple[str, ...]] = {}
    for *_, statements in migrations():
        for statement in statements:
            if statement.startswith("CREATE TABLE") and (key := _KEY.search(statement)):
                found[statement.split()[2]] = tuple((key[1] or key[2]).split(", "))
    return {table: found[table] for table in columns()}


def _statements(text: str) -> list[str]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [part.strip() for part in f"{code}\n".split(";\n") if part.strip()]
