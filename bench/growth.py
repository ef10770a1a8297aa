"""What more resources cost: time, the server's memory, and the way through a provider."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from bench import shapes
from bench.row import Row, compared
from bench.server import running
from bench.speed import RUNS

MANY = 3
"""Runs of what takes long."""


class Series(NamedTuple):
    """What several runs took: seconds of wall time, CPU seconds of the server, its greatest memory in MB."""

    took: list[float]
    cpu: list[float]
    memory: list[float]


def fresh(count: int, runs: int, *, sim: bool = False) -> Series:
    """Ups of so many flat resources, each on a server of its own."""
    found = Series([], [], [])
    needs = shapes.flat(count)
    text = shapes.volumes(count) if sim else shapes.values(needs)
    for _ in range(runs):
        with running() as server:
            template = server.write("flat.yaml", text)
            before = server.cpu()
            found.took.append(server.up(template, "flat", needs))
            found.cpu.append(server.cpu() - before)
            found.memory.append(server.memory("VmHWM"))
    return found


def _beside(name: str, ours: Series, peer: Series, beside: str, limit: float) -> Row:
    cpu = statistics.median(ours.cpu) / statistics.median(peer.cpu)
    row = compared(name, ours.took, peer.took, beside, limit, f"at most {limit:g} times")
    return row._replace(note=f"the server's CPU: {cpu:.2f} times")


def linear() -> list[Row]:
    """1,000, 10,000 and 20,000 flat resources."""
    small, middle, large = fresh(1000, RUNS), fresh(10_000, MANY), fresh(20_000, MANY)
    peak = max(middle.memory)
    return [
        _beside("flat-10000", middle, small, "own 1,000", 11),
        _beside("flat-20000", large, middle, "own 10,000", 2.2),
        Row("memory-10000", peak, "MB", limit=250, goal="below 250 MB", note="peak", runs=middle.memory),
    ]


def sim() -> list[Row]:
    """The same through a provider: volumes of a simulated one without latency, beside Value."""
    return [
        _beside(f"sim-{count}", fresh(count, runs, sim=True), fresh(count, runs), "own Value", 1.5)
        for count, runs in ((1000, RUNS), (10_000, MANY))
    ]
