"""What the command line and an idle server cost, and what reading a template costs."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable

import yaml

from bench import shapes
from bench.row import Row, compared
from bench.server import Server, running
from terrace.kinds import TYPES
from terrace.languages import compile_source
from terrace.model.stack import Source

STARTS = 15
QUIET = 35.0
"""Seconds that an idle server is watched: longer than the time between two listings of a provider."""


def cli() -> list[Row]:
    """`terrace --help`, and `terrace status` of 10,000 resources, beside Python itself."""
    needs = shapes.flat(10_000)
    with running() as server:
        server.up(server.write("flat.yaml", shapes.values(needs)), "flat", needs)
        bare, shown, paged = [], [], []
        for _ in range(STARTS):
            bare.append(_python(server))
            shown.append(server.run("--help"))
            paged.append(server.run("status", "flat"))
    return [
        compared("cli-help", shown, bare, "python -c pass", 5, "at most 5 times"),
        compared("cli-status-10000", paged, bare, "python -c pass", 12, "at most 12 times"),
    ]


def _python(server: Server) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], env=server.environ, check=True)
    return time.perf_counter() - began


def idle() -> list[Row]:
    """A server that holds 1,000 settled resources, of Terrace's own and of a provider."""
    rows = []
    needs = shapes.flat(1000)
    for name, text in (("idle", shapes.values(needs)), ("idle-sim", shapes.volumes(1000))):
        with running() as server:
            server.up(server.write("flat.yaml", text), "flat", needs)
            before = server.cpu()
            time.sleep(QUIET)
            share = (server.cpu() - before) / QUIET * 100
            memory = server.memory("VmRSS")
        note = "the simulated provider's own memory included" if name == "idle-sim" else ""
        rows.append(Row(f"{name}-memory", memory, "MB", limit=100, goal="below 100 MB", note=note))
        rows.append(Row(f"{name}-cpu", share, "%", limit=1, goal="below 1 % of a core"))
    return rows


def reading() -> list[Row]:
    """A template of 10,000 resources with three references each, from text with places to graph, beside bare YAML.
    The garbage collector is off in both: what it costs depends on what else is in memory."""
    text = shapes.references(10_000)
    source = Source("t.yaml", {"t.yaml": text})

    def compiled() -> object:
        return compile_source(source, project="default", stack="s", stack_id="s", kinds=TYPES)

    ours = _timed(compiled)
    peer = _timed(lambda: yaml.load(text, yaml.CSafeLoader))
    return [compared("compile-10000", ours, peer, "CSafeLoader", 1.2, "at most 1.2 times")]


def _timed(work: Callable[[], object], runs: int = 5) -> list[float]:
    """CPU seconds of so many runs, with the garbage collector off."""
    took = []
    for _ in range(runs):
        gc.collect()
        gc.disable()
        try:
            began = time.process_time()
            work()
            took.append(time.process_time() - began)
        finally:
            gc.enable()
    return took
