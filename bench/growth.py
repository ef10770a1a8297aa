"""What more resources cost: time, the server's memory, and the way through a provider."""

from __future__ import annotations

from bench import shapes
from bench.row import Row, compared
from bench.server import running
from bench.speed import RUNS, ups

FEW, MANY = 5, 3
"""Runs of what is quick and of what is not."""


def fresh(count: int, runs: int, *, sim: bool = False) -> tuple[list[float], list[float]]:
    """Seconds of ups of so many resources, each on a server of its own, and its greatest memory in MB."""
    took, memory = [], []
    needs = shapes.flat(count)
    for _ in range(runs):
        with running() as server:
            text = shapes.volumes(count) if sim else shapes.values(needs)
            took.append(server.up(server.write("flat.yaml", text), "flat", needs))
            memory.append(server.memory("VmHWM"))
    return took, memory


def linear() -> list[Row]:
    """1,000, 10,000 and 20,000 flat resources."""
    with running() as server:
        small = ups(server, "flat", shapes.flat(1000), RUNS)
    middle, memory = fresh(10_000, MANY)
    large, _ = fresh(20_000, MANY)
    return [
        compared("flat-10000", middle, small, "own 1,000", 11, "at most 11 times"),
        compared("flat-20000", large, middle, "own 10,000", 2.2, "at most 2.2 times"),
        Row("memory-10000", max(memory), "MB", limit=250, goal="below 250 MB", note="peak", runs=memory),
    ]


def sim() -> list[Row]:
    """The same through a provider: volumes of a simulated one without latency, beside Value."""
    rows = []
    for count, runs in ((1000, FEW), (10_000, MANY)):
        values, _ = fresh(count, runs)
        through, _ = fresh(count, runs, sim=True)
        rows.append(compared(f"sim-{count}", through, values, "own Value", 1.5, "at most 1.5 times"))
    return rows
