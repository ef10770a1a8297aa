"""Where measurements and log lines go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol


class Metric(NamedTuple):
    """Something that is measured: its name as Prometheus knows it, what it is, and the names of its labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


Values = Mapping[tuple[str, ...], float]
"""The values of a gauge by the values of its labels."""


class Telemetry(Protocol):
    """Structured log lines and measurements. Whoever inherits this keeps quiet about what it does not care for."""

    def log(self, level: str, event: str, **fields: Any) -> None:
        """One line: `level` is debug, info, warning or error; `event` a dotted word; fields free of secrets."""

    def count(self, metric: Metric, *labels: str) -> None:
        """One more of a counter; `labels` are the values in the metric's order."""

    def took(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Another entry of a histogram."""

    def gauge(self, metric: Metric, read: Callable[[], Values]) -> None:
        """From now on `read` is asked whenever somebody looks."""

    def measured(self) -> str:
        """All that was measured, in the text format of Prometheus; "" for whoever does not measure."""
        return ""


REQUESTS = Metric(
    "terrace_api_requests_total",
    "counter",
    "Requests that were answered, by method, path of the API and status",
    ("method", "path", "status"),
)
LATENCY = Metric(
    "terrace_api_request_seconds",
    "histogram",
    "Seconds until the first byte of an answer, by method and path of the API",
    ("method", "path"),
)
REFUSED = Metric(
    "terrace_api_refused_total",
    "counter",
    "Requests and connections turned away before they were looked at, by reason",
    ("reason",),
)
CONNECTIONS = Metric("terrace_api_connections", "gauge", "Open connections, by door", ("door",))
STREAMS = Metric("terrace_api_event_streams", "gauge", "Streams of events that are followed")
LAG = Metric(
    "terrace_loop_lag_seconds", "histogram", "How much later than asked for the event loop came around"
)
STEPS = Metric(
    "terrace_steps_total",
    "counter",
    "Steps that came back from a provider, by kind of resource, verb and result (done, pending, refused, failed)",
    ("kind", "verb", "result"),
)
CALLS = Metric(
    "terrace_provider_call_seconds",
    "histogram",
    "Seconds that calls of providers took, by provider and call (apply, observe)",
    ("provider", "call"),
)
CALL_FAILURES = Metric(
    "terrace_provider_call_failures_total",
    "counter",
    "Calls of providers that failed, by provider and call",
    ("provider", "call"),
)
QUEUE = Metric("terrace_queue_depth", "gauge", "Steps that run or wait for their turn", ("provider",))
COMMITS = Metric("terrace_commit_seconds", "histogram", "Seconds that the engine's transactions took")
LEASES = Metric(
    "terrace_lease_changes_total",
    "counter",
    "Leases on stacks that this engine took, lost or gave back",
    ("change",),
)
STACKS = Metric("terrace_stacks", "gauge", "Stacks that this engine works on, by phase", ("phase",))

METRICS = (
    REQUESTS, LATENCY, REFUSED, CONNECTIONS, STREAMS, LAG, STEPS, CALLS, CALL_FAILURES, QUEUE, COMMITS, LEASES, STACKS,
)  # fmt: skip
"""All that is measured."""
