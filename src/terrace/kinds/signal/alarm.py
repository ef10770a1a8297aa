"""What calls others when something that it watches turns, or when it is told that it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
from msgspec.structs import replace

from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.kinds.signal.handle import DOOR, ROTATE
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.signal import STATES, UNMEASURED, AlarmSpec
from terrace.model.value import UNKNOWN, Ref
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

TOLD: Final = "alarm"
"""The name of the directive in which it is kept what an alarm was told: a Told."""
ACTIONS: Final = {f"{state.replace(' ', '_')}_actions": state for state in STATES}
"""The properties that say whom to call, and in which state."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alarm was last told; the fields are those of an AlarmSpec."""

    state: str
    why: str = ""
    at: float = 0.0
    words: int = 0
    turns: int = 0
    to: str = ""


def told(value: Any) -> Told | None:
    """What an alarm was told from what was stored; None when there is nothing, or it is something else."""
    try:
        return msgspec.convert(value, Told) if value else None
    except msgspec.ValidationError:
        return None


def _calls(state: str) -> Property:
    return Property(
        Type.LIST,
        f"Whom it calls when its state is {state}: ScalingPolicies, WaitConditionHandles, or their URLs.",
        items=Property(Type.STRING, secret=True),
        changes=Effect.UPDATE,
    )


class Alarm(Noun):
    """A state, and whom to call when that turns."""

    name = "Alarm"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "rule": Property(
                Type.MAP,
                "What it watches and when that is alarming; by type, as of OpenStack's alarms.",
                changes=Effect.UPDATE,
            ),
            **{name: _calls(state) for name, state in ACTIONS.items()},
            "repeat_actions": Property(
                Type.BOOLEAN,
                "Whether it also calls when a state is said that it is in already.",
                default=True,
                changes=Effect.UPDATE,
            ),
            "enabled": Property(
                Type.BOOLEAN, "Whether it calls anybody at all.", default=True, changes=Effect.UPDATE
            ),
            "description": Property(Type.STRING, "For people.", default="", changes=Effect.UPDATE),
            "severity": Property(
                Type.STRING,
                "For people.",
                default="low",
                allowed=("low", "moderate", "critical"),
                changes=Effect.UPDATE,
            ),
        },
        attributes={
            **DOOR,
            "alarm_url": 'The URL to send a POST to: {"state": "alarm"}, "ok" or "insufficient data"; without a '
            "body it is alarm. Secret.",
            "signal_url": "The same as alarm_url. Secret.",
            "state": "alarm, ok or insufficient data.",
            "reason": "Why, in the words of whoever said so.",
            "called": "Whom it called when that was last due, and what became of it.",
        },
        description="Calls scaling policies and wait condition handles when its state turns. Its state is what it is "
        "told at its URL.",
        pending={"rule": UNMEASURED},
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset(AlarmSpec.__struct_fields__), defaults=defaults_of(AlarmSpec)
    )

    def translate(self, properties: dict[str, Any]) -> dict[str, Any]:
        """With the URLs of the resources that are to be called."""
        return calling(properties)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> AlarmSpec:
        """The typed spec."""
        calls: dict[str, Any] = {state: many(plain.get(name)) for name, state in ACTIONS.items()}
        return AlarmSpec(
            rule=plain.get("rule", {}),
            actions={state: urls for state, urls in calls.items() if urls != ()},
            repeat=plain["repeat_actions"],
            enabled=plain["enabled"],
            description=plain["description"],
            severity=plain["severity"],
        )

    def directed(self, spec: AlarmSpec, directives: Mapping[str, Any]) -> AlarmSpec:
        """With what it was told, and how often its token was changed."""
        spec = replace(spec, rotation=directives.get(ROTATE, 0))
        said = told(directives.get(TOLD))
        return spec if said is None else replace(spec, **msgspec.structs.asdict(said))

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """Its state is what it was told."""
        known = {"state": wanted.spec.state, "reason": wanted.spec.why}
        return inside(known[path[0]], path[1:]) if path and path[0] in known else UNKNOWN


def calling(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties of an alarm in which resources that are to be called are named by their URLs."""
    found = dict(properties)
    for name in ACTIONS:
        if isinstance(found.get(name), list | tuple):
            found[name] = [_url(one) for one in found[name]]
    return found


def _url(action: Any) -> Any:
    return Ref(action.node, ("url",)) if isinstance(action, Ref) and not action.path else action
