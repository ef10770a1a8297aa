"""The alarms of Heat, by what they measure: Aodh's, those that Ceilometer had under the same words, and AWS's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from terrace.kinds.heat.words import REQUIRED_TEXT, TEXT, given, renamed
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.kinds.signal.alarm import ACTIONS, Alarm, calling

_OWN = Alarm.schema.properties
_LATER = "it says when something is measured, and nothing is measured yet"
_QUEUES = "there are no message queues: what is to be called is named by its URL"
_COMMON: Final = {
    **{name: prop for name, prop in _OWN.items() if name != "rule"},
    **{
        f"{name.removesuffix('actions')}queues": Property(Type.LIST, items=TEXT, ignored=_QUEUES)
        for name in ACTIONS
    },
    "time_constraints": Property(
        Type.LIST,
        items=Property(
            Type.MAP,
            properties={
                "name": REQUIRED_TEXT,
                "start": REQUIRED_TEXT,
                "duration": Property(Type.INTEGER, required=True, minimum=0),
                "timezone": TEXT,
                "description": TEXT,
            },
        ),
        ignored=_LATER,
    ),
}
_WHOLE: Final = Property(Type.INTEGER, minimum=1)
_THAN: Final = Property(Type.STRING, allowed=("le", "ge", "eq", "lt", "gt", "ne"))
_BOUND: Final = Property(Type.NUMBER, required=True)
_QUERY: Final = Property(
    Type.LIST,
    items=Property(
        Type.MAP,
        properties={
            "field": TEXT,
            "type": Property(Type.STRING, allowed=("integer", "float", "string", "boolean", "datetime")),
            "op": _THAN,
            "value": TEXT,
        },
    ),
)
_THRESHOLD: Final = {"comparison_operator": _THAN, "evaluation_periods": _WHOLE, "threshold": _BOUND}
_GNOCCHI: Final = {
    **_THRESHOLD,
    "aggregation_method": Property(
        Type.STRING, allowed=("mean", "sum", "last", "max", "min", "std", "median", "first", "count")
    ),
    "granularity": _WHOLE,
}
_METER: Final = {
    **_THRESHOLD,
    "meter_name": REQUIRED_TEXT,
    "period": _WHOLE,
    "statistic": Property(Type.STRING, allowed=("count", "avg", "sum", "min", "max")),
    "matching_metadata": Property(Type.MAP),
    "query": _QUERY,
}
_COMPOSITE: Final = {
    "composite_rule": Property(
        Type.MAP,
        required=True,
        properties={
            "operator": Property(Type.STRING, required=True, allowed=("or", "and")),
            "rules": Property(Type.LIST, required=True, minimum=2),
        },
    )
}
RULES: Final[dict[str, tuple[str, dict[str, Property]]]] = {
    "Alarm": ("threshold", _METER),
    "GnocchiResourcesAlarm": (
        "gnocchi_resources_threshold",
        {**_GNOCCHI, **dict.fromkeys(("metric", "resource_id", "resource_type"), REQUIRED_TEXT)},
    ),
    "GnocchiAggregationByMetricsAlarm": (
        "gnocchi_aggregation_by_metrics_threshold",
        {**_GNOCCHI, "metrics": Property(Type.LIST, required=True)},
    ),
    "GnocchiAggregationByResourcesAlarm": (
        "gnocchi_aggregation_by_resources_threshold",
        {**_GNOCCHI, **dict.fromkeys(("metric", "query", "resource_type"), REQUIRED_TEXT)},
    ),
    "CompositeAlarm": ("composite", _COMPOSITE),
    "EventAlarm": ("event", {"event_type": TEXT, "query": _QUERY}),
    "LBMemberHealthAlarm": (
        "loadbalancer_member_health",
        dict.fromkeys(("pool", "stack", "autoscaling_group_id"), REQUIRED_TEXT),
    ),
    "PrometheusAlarm": (
        "prometheus",
        {"comparison_operator": _THAN, "query": REQUIRED_TEXT, "threshold": _BOUND},
    ),
}
"""Aodh's types: the type of the rule, and the properties that it consists of."""
_OLD: Final = ("Alarm", *(name for name in RULES if name.startswith("Gnocchi")))

_AWS_THAN: Final = {
    "GreaterThanOrEqualToThreshold": "ge",
    "GreaterThanThreshold": "gt",
    "LessThanThreshold": "lt",
    "LessThanOrEqualToThreshold": "le",
}
_AWS_STATISTICS: Final = {
    "SampleCount": "count",
    "Average": "avg",
    "Sum": "sum",
    "Minimum": "min",
    "Maximum": "max",
}
_AWS_NAMES: Final = {
    "MetricName": "meter_name",
    "Namespace": "namespace",
    "Threshold": "threshold",
    "Period": "period",
    "EvaluationPeriods": "evaluation_periods",
    "Dimensions": "dimensions",
    "Units": "units",
}
_AWS_ACTIONS: Final = {
    "AlarmActions": "alarm_actions",
    "OKActions": "ok_actions",
    "InsufficientDataActions": "insufficient_data_actions",
}
_AWS: Final[dict[str, Property]] = {
    "AlarmDescription": TEXT,
    "ComparisonOperator": Property(Type.STRING, required=True, allowed=tuple(_AWS_THAN)),
    "Dimensions": Property(Type.LIST),
    "EvaluationPeriods": Property(Type.INTEGER, required=True, minimum=1),
    "MetricName": REQUIRED_TEXT,
    "Namespace": TEXT,
    "Period": Property(Type.INTEGER, required=True, minimum=1),
    "Statistic": Property(Type.STRING, required=True, allowed=tuple(_AWS_STATISTICS)),
    "Threshold": _BOUND,
    "Units": TEXT,
    **{name: _OWN[native] for name, native in _AWS_ACTIONS.items()},
}


def _aodh(kind: str, table: dict[str, Property]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The translation of a type whose rule consists of the properties in `table`."""

    def translate(properties: dict[str, Any]) -> dict[str, Any]:
        rule = {name: one for name, one in properties.items() if name in table and one is not None}
        own = {name: one for name, one in properties.items() if name in _OWN and one is not None}
        return calling({**own, "rule": {"type": kind, **rule}})

    return translate


def _cloudwatch(properties: dict[str, Any]) -> dict[str, Any]:
    rule = {"type": "threshold", **renamed(properties, _AWS_NAMES)}
    rule |= given(
        comparison_operator=_native(properties.get("ComparisonOperator"), _AWS_THAN),
        statistic=_native(properties.get("Statistic"), _AWS_STATISTICS),
    )
    own = renamed(properties, {**_AWS_ACTIONS, "AlarmDescription": "description"})
    return calling({**own, "rule": rule})


def _native(word: Any, names: dict[str, str]) -> Any:
    return names.get(word, word) if isinstance(word, str) else word


def _alarm(
    name: str, table: dict[str, Property], translate: Callable[[dict[str, Any]], dict[str, Any]]
) -> TypeEntry:
    doors = {one: one for one in ("alarm_url", "signal_url", "state")}
    words = f"Answers to Heat's {name}."
    pending = Alarm.schema.pending
    return TypeEntry(name, Alarm.name, table, doors, translate, description=words, pending=pending)


ALARMS: Final[tuple[TypeEntry, ...]] = (
    *(
        _alarm(f"OS::{service}::{name}", {**RULES[name][1], **_COMMON}, _aodh(*RULES[name]))
        for service, names in (("Aodh", tuple(RULES)), ("Ceilometer", _OLD), ("Metering", _OLD[:1]))
        for name in names
    ),
    _alarm("AWS::CloudWatch::Alarm", _AWS, _cloudwatch),
    _alarm("OS::Heat::CWLiteAlarm", _AWS, _cloudwatch),
)
