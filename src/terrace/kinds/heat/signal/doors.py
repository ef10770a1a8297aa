"""Heat's and AWS's names for what waits for signals."""

from __future__ import annotations

from typing import Any, Final

from terrace.kinds.heat.words import REQUIRED_TEXT, entry, renamed
from terrace.kinds.schema import Property, Type, TypeEntry
from terrace.kinds.signal.condition import LONGEST, watching

WAITED: Final = Property(Type.INTEGER, minimum=1)
PERIOD: Final = Property(Type.DURATION, minimum=1, maximum=LONGEST, required=True)
TRANSPORTS = ("CFN_SIGNAL", "TEMP_URL_SIGNAL", "HEAT_SIGNAL", "TOKEN_SIGNAL", "ZAQAR_SIGNAL")

HANDLE: Final[dict[str, Property]] = {
    "signal_transport": Property(
        Type.STRING, allowed=TRANSPORTS, ignored="signals come by HTTP, to a URL with a token of its own"
    ),
}
CONDITION: Final[dict[str, Property]] = {
    "handle": REQUIRED_TEXT,
    "count": WAITED,
    "timeout": PERIOD,
}
AWS_CONDITION: Final[dict[str, Property]] = {
    "Handle": REQUIRED_TEXT,
    "Count": WAITED,
    "Timeout": PERIOD,
}


def _handle(properties: dict[str, Any]) -> dict[str, Any]:
    return {}


def _aws_handle(properties: dict[str, Any]) -> dict[str, Any]:
    return {"form": "url"}


def _condition(properties: dict[str, Any]) -> dict[str, Any]:
    names = ("handle", "count", "timeout")
    return watching(renamed(properties, {name: name for name in names}))


def _aws_condition(properties: dict[str, Any]) -> dict[str, Any]:
    return watching(renamed(properties, {"Handle": "handle", "Count": "count", "Timeout": "timeout"}))


DOORS: Final[tuple[TypeEntry, ...]] = (
    entry(
        "OS::Heat::WaitConditionHandle",
        "WaitConditionHandle",
        HANDLE,
        "token endpoint curl_cli signals",
        _handle,
    ),
    entry("OS::Heat::WaitCondition", "WaitCondition", CONDITION, "data", _condition),
    entry("AWS::CloudFormation::WaitConditionHandle", "WaitConditionHandle", {}, "signals", _aws_handle),
    entry(
        "AWS::CloudFormation::WaitCondition", "WaitCondition", AWS_CONDITION, "", _aws_condition, Data="data"
    ),
)
