"""metrics.md: what is measured."""

from __future__ import annotations

from scripts.reference.text import code, page, table


def metrics() -> str:
    """Every measurement, with its labels."""
    from terrace.ports.telemetry import METRICS

    rows = [[code(one.name), one.kind, ", ".join(map(code, one.labels)), f"{one.help}."] for one in METRICS]
    return page(
        "Metrics",
        "`/metrics` gives them in the text format of Prometheus; it asks for a credential like the rest of the API. "
        "Times are seconds. See [watch the server](../howto/watch.md).",
        table(["Name", "Kind", "Labels", "What it is"], rows),
    )
