"""Measurements, and the text in which Prometheus reads them. Plain dictionaries: counting costs less than a
microsecond."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from terrace.ports.telemetry import METRICS, Metric, Values

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: the upper edges of a histogram's buckets."""
MOST = 2000
"""Series that one metric may have; the rest is counted together, so that memory stays bounded."""
OTHER = "other"


class Measures:
    """Counts. Names are those of ports.telemetry; labels come in the order of the metric."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[tuple[str, ...], float]] = {}
        self._spans: dict[str, dict[tuple[str, ...], list[float]]] = {}
        self._gauges: dict[str, Callable[[], Values]] = {}

    def count(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """One more."""
        series = self._counts.get(metric.name)
        if series is None:
            series = self._counts[metric.name] = {}
        if labels in series:
            series[labels] += 1
        else:
            labels = _room(series, labels)
            series[labels] = series.get(labels, 0) + 1

    def took(self, metric: Metric, seconds: float, labels: tuple[str, ...]) -> None:
        """Another entry: how many fell into each bucket, and at the end the sum."""
        series = self._spans.get(metric.name)
        if series is None:
            series = self._spans[metric.name] = {}
        found = series.get(labels)
        if found is None:
            found = series.setdefault(_room(series, labels), [0.0] * (len(BOUNDS) + 2))
        found[bisect_left(BOUNDS, seconds)] += 1
        found[-1] += seconds

    def gauge(self, metric: Metric, read: Callable[[], Values]) -> None:
        """`read` is asked when somebody looks."""
        self._gauges[metric.name] = read

    def text(self) -> str:
        """All of it, in the text format of Prometheus 0.0.4."""
        return "".join(line + "\n" for metric in METRICS for line in self._lines(metric))

    def _lines(self, metric: Metric) -> Iterator[str]:
        yield f"# HELP {metric.name} {metric.help}"
        yield f"# TYPE {metric.name} {metric.kind}"
        if metric.kind == "histogram":
            for labels, found in self._spans.get(metric.name, {}).items():
                yield from _histogram(metric, labels, found)
            return
        read = self._gauges.get(metric.name)
        values: Values = self._counts.get(metric.name, {}) if read is None else read()
        for labels, value in values.items():
            yield f"{metric.name}{_labels(metric.labels, labels)} {value:.17g}"


def _room(series: dict[tuple[str, ...], object] | object, labels: tuple[str, ...]) -> tuple[str, ...]:
    full = isinstance(series, dict) and len(series) >= MOST
    return (OTHER,) * len(labels) if full else labels


def _histogram(metric: Metric, labels: tuple[str, ...], found: list[float]) -> Iterator[str]:
    total = 0.0
    for bound, amount in zip((*BOUNDS, float("inf")), found[:-1], strict=True):
        total += amount
        edge = "+Inf" if bound == float("inf") else f"{bound:g}"
        yield f"{metric.name}_bucket{_labels((*metric.labels, 'le'), (*labels, edge))} {total:.17g}"
    yield f"{metric.name}_sum{_labels(metric.labels, labels)} {found[-1]:.17g}"
    yield f"{metric.name}_count{_labels(metric.labels, labels)} {total:.17g}"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
