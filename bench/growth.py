"""What more resources cost: time, the server's memory, and the way through a provider."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from bench import shapes
from bench.row import Row, compared
from bench.server import running
from bench.speed import RUNS


class Series(NamedTuple):
    """What several runs took: seconds of wall time, CPU seconds of the server, its greatest memory in MB."""

    took: list[float]
    cpu: list[float]
    memory: list[float]


def in_turns(*cases: tuple[int, bool]) -> list[Series]:
    """For each case, so many resources through sim or not, its series. The cases take turns, so that other work
    on the machine meets all of them."""
    found = [Series([], [], []) for _ in cases]
    for _ in range(RUNS):
        for (count, sim), series in zip(cases, found, strict=True):
            _fresh(count, sim, series)
    return found


def _fresh(count: int, sim: bool, series: Series) -> None:
    """One up of flat resources on a server of its own."""
    needs = shapes.flat(count)
    with running() as server:
        template = server.write("flat.yaml", shapes.volumes(count) if sim else shapes.values(needs))
        before = server.cpu()
        series.took.append(server.up(template, "flat", needs))
        series.cpu.append(server.cpu() - before)
        series.memory.append(server.memory("VmHWM"))


def _beside(name: str, ours: Series, peer: Series, beside: str, limit: float) -> Row:
    cpu = statistics.median(ours.cpu) / statistics.median(peer.cpu)
    row = compared(name, ours.took, peer.took, beside, limit, f"at most {limit:g} times")
    return row._replace(note=f"the server's CPU: {cpu:.2f} times")


def linear() -> list[Row]:
    """1,000, 10,000 and 20,000 flat resources."""
    small, middle, large = in_turns((1000, False), (10_000, False), (20_000, False))
    peak = max(middle.memory)
    return [
        _beside("flat-10000", middle, small, "own 1,000", 11),
        _beside("flat-20000", large, middle, "own 10,000", 2.2),
        Row("memory-10000", peak, "MB", limit=250, goal="below 250 MB", note="peak", runs=middle.memory),
    ]


def sim() -> list[Row]:
    """The same through a provider: volumes of a simulated one without latency, beside Value."""
    rows = []
    for count in (1000, 10_000):
        through, values = in_turns((count, True), (count, False))
        rows.append(_beside(f"sim-{count}", through, values, "own Value", 1.5))
    return rows
