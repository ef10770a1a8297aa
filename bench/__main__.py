"""`python -m bench [--full] [NAME...]`: measure, print a table, write bench/results.json.

The exit code is 0 whatever the figures are (they inform, they judge nobody) and 1 when what was measured did
not do its work."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

from bench.row import Row, save, table
from bench.server import HERE, BenchError
from bench.table import BENCHMARKS, LONG


def main() -> int:
    """Runs what the command line names."""
    every = BENCHMARKS | LONG
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Terrace beside its peers.")
    parser.add_argument("--full", action="store_true", help="the long measurements too")
    parser.add_argument("only", nargs="*", choices=[*every, []], metavar="NAME", help=", ".join(every))
    options = parser.parse_args()
    chosen = options.only or [*(every if options.full else BENCHMARKS)]
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}", flush=True)
    rows: list[Row] = []
    failed = False
    for name in chosen:
        began = time.monotonic()
        try:
            found = every[name]()
        except BenchError as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            continue
        rows += found
        # The load of the last minute tells a quiet machine from one that did other work as well.
        took, load = time.monotonic() - began, os.getloadavg()[0]
        print(f"\n{table(found)}\n  ({name}: {took:.0f} s, load {load:.1f})", flush=True)
        save(rows, HERE / "results.json")
    if len(chosen) > 1:
        print(f"\n{table(rows)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
