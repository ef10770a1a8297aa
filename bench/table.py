"""The named benchmarks. `ONLY=name` runs one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench import api, containers, engines, growth, nested, postgres, speed, start
from bench.row import Row

Benchmark = Callable[[], list[Row]]

BENCHMARKS: Final[dict[str, Benchmark]] = {
    "flat": speed.flat,
    "layered": speed.layered,
    "linear": growth.linear,
    "sim": growth.sim,
    "nested": nested.nested,
    "cli": start.cli,
    "idle": start.idle,
    "reading": start.reading,
    "api": api.api,
    "api-postgres": api.api_postgres,
    "postgres": postgres.settling,
    "docker": containers.updown,
    "heal": containers.heal,
    "engines": engines.sharing,
}

LONG: Final[dict[str, Benchmark]] = {"flat-5000": speed.flat_5000}
"""Those that only `make bench-full` runs, or `ONLY=`."""
