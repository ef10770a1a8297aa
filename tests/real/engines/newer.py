"""Terrace of the next version, as far as its database goes: one more migration, which only adds. A program."""

from __future__ import annotations

from terrace.main import cli
from terrace.stores.migrating import Step, steps
from terrace.stores.postgres import migrating

ADDED = [
    "CREATE TABLE added (stack TEXT NOT NULL PRIMARY KEY REFERENCES stacks (id) ON DELETE CASCADE, much BIGINT)",
    "ALTER TABLE records ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'",
    "ALTER TABLE stacks ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'",
    "CREATE INDEX records_by_colour ON records (colour)",
]
UNDONE = [
    "SET LOCAL lock_timeout TO '500ms'",
    "DROP TABLE IF EXISTS added",
    "ALTER TABLE records DROP COLUMN IF EXISTS colour",
    "ALTER TABLE stacks DROP COLUMN IF EXISTS colour",
]

if __name__ == "__main__":
    known = steps()
    migrating.steps = lambda: [*known, Step(known[-1].number + 1, ADDED)]  # type: ignore[attr-defined]
    cli()
