"""What a stack takes of its project's quota, and whether it may take more. Counted is what is wanted; what is on its
way out counts until the stack stands as it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from terrace.engine.stack.state import Live, StackState
from terrace.model.spec.machine import MachineSpec
from terrace.model.spec.quota import Amounts, total
from terrace.model.spec.volume import VolumeSpec
from terrace.model.value import Unknown
from terrace.ports.kind import Wanted

COUNTED = frozenset({"Machine", "Volume"})
AGAIN = 15.0
"""Seconds until what was held asks again."""
SIZES = ("cpu", "memory", "disk")


def amounts(spec: Any) -> Amounts:
    """What a spec takes; what is not known yet counts nothing."""
    if isinstance(spec, MachineSpec):
        sizes = {"memory": int(_known(spec.memory)), "disk": int(_known(spec.disk))}
        return {"machines": 1, "cpu": round(_known(spec.cpu) * 1000), **sizes}
    return {"volumes": 1, "storage": int(_known(spec.size))} if isinstance(spec, VolumeSpec) else {}


def _known(size: Any) -> float:
    return 0.0 if isinstance(size, Unknown) else float(size)


def endless(spec: Any) -> tuple[str, ...]:
    """Which resources a spec takes without any bound."""
    if isinstance(spec, MachineSpec):
        return tuple(name for name in SIZES if getattr(spec, name) == 0)
    return ("storage",) if isinstance(spec, VolumeSpec) and spec.size == 0 else ()


def taken(state: StackState) -> Amounts:
    """What the stack takes: whatever is there or being made, as it is wanted or else as it was."""
    return total(_each(state).values())


def held(state: StackState, live: Live, wanted: Wanted, now: float) -> str:
    """Why a life may not be made now, in words; "" when it may."""
    allowance = state.allowance
    if allowance is None or wanted.node.kind not in COUNTED or wanted.node.external_id:
        return ""
    bare = next((name for name in endless(wanted.spec) if name in allowance.limits), "")
    if bare:
        return unbounded(bare)
    allowance.begin(state.turn, lambda: _each(state))
    if allowance.take(live.path, amounts(wanted.spec)):
        return ""
    state.agenda.look_at(now + AGAIN, live.path)
    if not allowance.short:
        return "asking for its part of the project's quota"
    short = "; ".join(str(one) for one in allowance.short)
    return f"the quota of the project is used up ({short}): it comes when some is free"


def grown(state: StackState, live: Live, wanted: Wanted, now: float) -> str:
    """The same of a life that stands and is to take more than it does."""
    record = live.current
    if state.allowance is None or record is None or record.kind not in COUNTED:
        return ""
    before = _applied(record.kind, record.applied or {})
    more = any(amount > before.get(name, 0) for name, amount in amounts(wanted.spec).items())
    return held(state, live, wanted, now) if more else ""


def unbounded(resource: str) -> str:
    """What to say of a thing that would take a limited resource without a bound."""
    return (
        f"the project has a quota of {resource}, so it must say how much it takes (by its flavor, or itself)"
    )


def _each(state: StackState) -> dict[str, Amounts]:
    found = {}
    for path, live in state.lives.items():
        record = live.current
        if record is not None and record.kind in COUNTED and (record.applied is not None or record.intent):
            found[path] = _of(live)
    return found


def _of(live: Live) -> Amounts:
    record = live.current
    if live.node is not None and live.wanted is not None and live.wanted.spec is not None:
        return amounts(live.wanted.spec)
    return _applied(record.kind, record.applied or {}) if record is not None else {}


def _applied(kind: str, form: Mapping[str, Any]) -> Amounts:
    if kind == "Volume":
        return {"volumes": 1, "storage": int(form.get("size", 0))}
    sizes = {name: int(form.get(name, 0)) for name in ("memory", "disk")}
    return {"machines": 1, "cpu": round(float(form.get("cpu", 0)) * 1000), **sizes}
