"""A condition that holds when enough signals have come."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Decision, Effect, Refuse, Settled, Wait
from terrace.model.graph import Node
from terrace.model.record import Record
from terrace.model.seen import Present, Sighting
from terrace.model.spec.signal import FAILURE, ConditionSpec
from terrace.model.value import Ref, Unknown, holds
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

LONGEST = 43_200.0
LOST = "the handle must be given by get_resource, of a WaitConditionHandle in the same template"


class WaitCondition(Noun):
    """Holds up what depends on it until enough signals have come."""

    name = "WaitCondition"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "handle": Property(Type.STRING, "The WaitConditionHandle.", required=True),
            "count": Property(
                Type.INTEGER, "How many signals it waits for.", default=1, minimum=1, changes=Effect.UPDATE
            ),
            "timeout": Property(
                Type.DURATION,
                "How long it waits.",
                default=3600.0,
                minimum=1,
                maximum=LONGEST,
                changes=Effect.UPDATE,
            ),
            "signals": Property(
                Type.MAP,
                "What came to the handle; Terrace fills it in.",
                items=Property(Type.MAP),
                changes=Effect.UPDATE,
            ),
        },
        attributes={"data": "What the signals said: their data by their id, as a JSON text."},
        description="Is ready when as many signals came to its handle as it waits for. One that reports a "
        "failure fails it, and so does waiting for too long.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"signals", "count", "timeout"}), defaults=defaults_of(ConditionSpec)
    )

    def translate(self, properties: dict[str, Any]) -> dict[str, Any]:
        """With the signals of the handle that is named."""
        return watching(properties)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ConditionSpec:
        """The typed spec."""
        if "signals" not in plain:
            raise SpecError(LOST, ("handle",))
        return ConditionSpec(
            handle=plain["handle"], signals=plain["signals"], count=plain["count"], timeout=plain["timeout"]
        )

    def decide(
        self, wanted: Wanted, record: Record, sighting: Sighting, capabilities: Capabilities, now: float
    ) -> Decision:
        """As of any thing; once it is as wanted, whether enough came."""
        decision = super().decide(wanted, record, sighting, capabilities, now)
        if not isinstance(decision, Settled) or not isinstance(sighting, Present):
            return decision
        spec: ConditionSpec = wanted.spec
        seen = sighting.seen.attributes
        if holds(spec.signals, Unknown) or seen.get("met") == spec.count:
            return decision
        return _judged(spec, float(seen.get("since", now)), wanted.asked, now)


def watching(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties of a condition with what follows from the handle they name: its id, whatever form its reference
    has, and its signals."""
    handle = properties.get("handle")
    if not isinstance(handle, Ref) or handle.path:
        return properties
    return {**properties, "handle": Ref(handle.node, ("id",)), "signals": Ref(handle.node, ("signals",))}


def _judged(spec: ConditionSpec, since: float, asked: float, now: float) -> Decision:
    """What to say of a condition that does not hold yet. Each generation begins to wait anew, and gives whoever
    reported a failure before it was asked for the time to report something better."""
    failed = [
        (name, one)
        for name, one in spec.signals.items()
        if one.get("status") == FAILURE and one.get("at", asked) >= asked
    ]
    if failed:
        name, one = failed[0]
        return Refuse(f"signal {name} reports a failure: {one.get('reason') or 'no reason given'}")
    good = sum(one.get("status") != FAILURE for one in spec.signals.values())
    came = f"{good} of {spec.count} signals came"
    until = max(since, asked) + spec.timeout
    if now >= until:
        return Refuse(
            f"timed out after {spec.timeout:g} s: {came}", hint="see what the guests wrote: terrace logs"
        )
    return Wait(f"waiting for signals: {came}", until)
