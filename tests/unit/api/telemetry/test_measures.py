"""What is measured, in the words of Prometheus."""

from __future__ import annotations

from terrace.api.telemetry import measures
from terrace.api.telemetry.measures import Measures
from terrace.ports.telemetry import CALLS, LEASES, METRICS, QUEUE


def test_the_text_is_as_prometheus_reads_it() -> None:
    found = Measures()
    for _ in range(3):
        found.count(LEASES, ("lost",))
    found.gauge(QUEUE, lambda: {('a "b"\\',): 2})
    for seconds in (0.001, 0.03, 99.0):
        found.took(CALLS, seconds, ("local", "apply"))
    lines = found.text().splitlines()
    assert 'terrace_lease_changes_total{change="lost"} 3' in lines
    assert r'terrace_queue_depth{provider="a \"b\"\\"} 2' in lines
    call = 'provider="local",call="apply"'
    assert f'terrace_provider_call_seconds_bucket{{{call},le="0.001"}} 1' in lines
    assert f'terrace_provider_call_seconds_bucket{{{call},le="0.05"}} 2' in lines
    assert f'terrace_provider_call_seconds_bucket{{{call},le="60"}} 2' in lines
    assert f'terrace_provider_call_seconds_bucket{{{call},le="+Inf"}} 3' in lines
    assert f"terrace_provider_call_seconds_count{{{call}}} 3" in lines
    assert f"terrace_provider_call_seconds_sum{{{call}}} 99.031000000000006" in lines
    for metric in METRICS:
        assert f"# TYPE {metric.name} {metric.kind}" in lines
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_memory_is_bounded_whatever_the_labels(monkeypatch) -> None:
    monkeypatch.setattr(measures, "MOST", 10)
    found = Measures()
    for number in range(100):
        found.count(LEASES, (str(number),))
        found.took(CALLS, 1.0, (str(number), "apply"))
    text = found.text()
    assert 'terrace_lease_changes_total{change="other"} 90' in text
    assert 'terrace_provider_call_seconds_count{provider="other",call="other"} 90' in text
    assert text.count("terrace_lease_changes_total{") == 11
