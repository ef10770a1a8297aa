"""How the members of a group change: the policies of a template, as a Rollout."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from terrace.kinds.schema import Property, Type
from terrace.model.decision import Effect, Rollout
from terrace.model.value import UNKNOWN

ROLLING = {
    "batch": Property(Type.INTEGER, "How many change at once; 0: all.", minimum=0),
    "unavailable": Property(Type.INTEGER, "How many may be away at once.", minimum=0),
    "in_service": Property(Type.INTEGER, "How many must stay.", minimum=0),
    "hold": Property(Type.DURATION, "How long a changed member must stay healthy before the next batch."),
}
_PERIOD = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def _iso(value: Any) -> Any:
    """PT5M30S as seconds; anything else as it is."""
    match = _PERIOD.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        return value
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


PAUSE = Property(Type.DURATION, "How long it pauses between batches.", default=0.0, shorthand=_iso)
IN_SERVICE = Property(Type.INTEGER, "How many must stay in service meanwhile.", default=0, minimum=0)
BATCH = Property(Type.INTEGER, "How many are done at once.", default=1, minimum=1)
UPDATES = {"min_in_service": IN_SERVICE, "max_batch_size": BATCH, "pause_time": PAUSE}
AWS = {"MinInstancesInService": IN_SERVICE, "MaxBatchSize": BATCH, "PauseTime": PAUSE}
POLICY = {
    "rolling_update": Property(Type.MAP, "How members change.", properties=UPDATES),
    "batch_create": Property(
        Type.MAP, "How members are made.", properties={"max_batch_size": BATCH, "pause_time": PAUSE}
    ),
    "RollingUpdate": Property(Type.MAP, "The same, for an InstanceGroup.", properties=AWS),
    "AutoScalingRollingUpdate": Property(
        Type.MAP, "How members change, in the words of AWS.", properties=AWS
    ),
}
PROPERTIES = {
    "rolling": Property(
        Type.MAP, "How many members change at once.", properties=ROLLING, changes=Effect.UPDATE
    ),
    "update_policy": Property(
        Type.MAP,
        "How members change and are made; a template gives it beside the properties.",
        properties=POLICY,
        changes=Effect.UPDATE,
    ),
}


def updates(table: Any) -> dict[str, Any]:
    """The policy that rolling_update, or AutoScalingRollingUpdate, asks for, in our words."""
    if table is None or table is UNKNOWN:
        return {}
    one = {AWS_WORDS.get(name, name): value for name, value in table.items()}
    return {
        "batch": one.get("max_batch_size", 1),
        "in_service": one.get("min_in_service", 0),
        "hold": one.get("pause_time", 0.0),
        "making": 0,
    }


AWS_WORDS = dict(zip(AWS, UPDATES, strict=True))


def policy(plain: Mapping[str, Any]) -> dict[str, Any]:
    """How members change and are made, from properties that were read: `rolling` in our words, `update_policy` in
    those of templates, which wins."""
    found = dict(plain.get("rolling", UNKNOWN) if plain.get("rolling", UNKNOWN) is not UNKNOWN else {})
    said = plain.get("update_policy", UNKNOWN)
    if said is UNKNOWN:
        return found
    for name in ("rolling_update", "RollingUpdate", "AutoScalingRollingUpdate"):
        found |= updates(said.get(name))
    making = said.get("batch_create")
    if making is not None and making is not UNKNOWN:
        found |= {"making": making.get("max_batch_size", 1), "pause": making.get("pause_time", 0.0)}
    return found


def rollout(rule: Mapping[str, Any], size: int) -> Rollout:
    """The rule for a group of `size` members."""
    rule = {name: value for name, value in rule.items() if value is not UNKNOWN}
    unavailable = rule.get("unavailable")
    if "in_service" in rule:
        spare = max(0, size - rule["in_service"])
        unavailable = spare if unavailable is None else min(spare, unavailable)
    batch, hold = rule.get("batch", 0), rule.get("hold", 0.0)
    return Rollout(
        batch=batch,
        unavailable=unavailable,
        hold=hold,
        making=rule.get("making", batch),
        pause=rule.get("pause", 0.0 if "making" in rule else hold),
    )


def more(rule: Mapping[str, Any], size: int, *, short: bool) -> int:
    """How many members there are besides the `size` wanted while none of those may be away."""
    return max(1, rule.get("batch", 1)) if short and rule.get("in_service", 0) >= size > 0 else 0


__all__ = ["PROPERTIES", "more", "policy", "rollout", "updates"]
