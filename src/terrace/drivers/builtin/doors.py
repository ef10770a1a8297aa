"""Doors that others knock at by HTTP, and what waits for that: their tokens are random, made once and again when that
is asked for."""

from __future__ import annotations

import json
from typing import Any

from terrace.model.spec.signal import ConditionSpec, HandleSpec, LaunchSpec, PolicySpec
from terrace.model.step import Step, Verb
from terrace.model.value import Secret
from terrace.ports.clock import Clock, Entropy

TOKEN_BYTES = 32
REVOKED = -1


def handle(step: Step, entropy: Entropy, place: str) -> dict[str, Any]:
    """The attributes of a door for signals at `place`, with those that were meant for this incarnation of it."""
    spec: HandleSpec = step.spec
    made = door(step, spec.rotation, entropy, place)
    header = f"-H 'X-Auth-Token: {made['token'].reveal()}'"
    json_both_ways = "-H 'Content-Type: application/json' -H 'Accept: application/json'"
    curl = f"curl -i -X POST --retry 10 --retry-connrefused {header} {json_both_ways} {made['endpoint']}"
    came = [(one["at"], name, one) for name, one in spec.signals.items() if one["to"] == step.owner.token]
    return {
        **made,
        "curl_cli": Secret(curl),
        "reference": made["url"] if spec.form == "url" else made["id"],
        "signals": {
            name: {key: one[key] for key in ("status", "reason", "data", "at")}
            for _, name, one in sorted(came, key=lambda entry: entry[:2])
        },
    }


def policy(step: Step, entropy: Entropy, place: str) -> dict[str, Any]:
    """The attributes of a door that changes the size of a group."""
    spec: PolicySpec = step.spec
    made = door(step, spec.rotation, entropy, place)
    return {**made, "alarm_url": made["url"], "signal_url": made["url"]}


def door(step: Step, rotation: int, entropy: Entropy, place: str) -> dict[str, Any]:
    """The attributes of a door as it was, or with a new token when there is none yet or another is wanted."""
    known = step.attributes
    token = known.get("token")
    if step.verb is Verb.CREATE or token is None or known.get("rotation") != rotation:
        token = Secret(entropy.bytes(TOKEN_BYTES).hex() if rotation != REVOKED else "")
    # Where it was once: whoever was told that keeps knocking there, whatever the settings say by now.
    endpoint = known.get("endpoint") or f"{place}/v1/signals/{step.owner.token}"
    return {
        "id": step.owner.token,
        "rotation": rotation,
        "token": token,
        "endpoint": endpoint,
        "url": Secret(f"{endpoint}/{token.reveal()}"),
    }


def condition(step: Step, clock: Clock) -> dict[str, Any]:
    """The attributes of a condition: since when it waits, for how many signals it held already (0: it does not), and
    what the signals said. Once it holds it does so whatever comes later, until it is to wait for another number."""
    spec: ConditionSpec = step.spec
    before = step.attributes if step.verb is not Verb.CREATE else {}
    met = before.get("met") == spec.count or spec.fulfilled
    begins = not before or ("count" in step.fields and not met)
    return {
        "id": step.owner.token,
        "since": clock.now() if begins else before["since"],
        "met": spec.count if met else 0,
        "data": json.dumps({name: one.get("data") for name, one in spec.signals.items()}),
    }


def launch(step: Step) -> dict[str, Any]:
    """The attributes of what machines are started with: what it says."""
    spec: LaunchSpec = step.spec
    return {
        "id": step.owner.token,
        **{field: getattr(spec, field) for field in spec.__struct_fields__},
    }
