"""A door that changes the size of a group when somebody knocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from terrace.kinds.group.size import CHANGE, EXACT, PERCENT
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun
from terrace.kinds.schema import Property, Schema, Type
from terrace.kinds.signal.handle import DOOR, ROTATE
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.spec.signal import PolicySpec
from terrace.ports.driver import Capabilities

KINDS = (CHANGE, EXACT, PERCENT)


class ScalingPolicy(Noun):
    """A URL that makes a group larger or smaller."""

    name = "ScalingPolicy"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "group": Property(Type.STRING, "The group.", required=True, minimum=1, changes=Effect.UPDATE),
            "adjustment": Property(
                Type.NUMBER,
                "By how many members it grows (below zero: shrinks), how many there are to be, or by how "
                "many percent it grows.",
                required=True,
                changes=Effect.UPDATE,
            ),
            "adjustment_type": Property(
                Type.STRING,
                "What adjustment counts.",
                required=True,
                allowed=KINDS,
                changes=Effect.UPDATE,
            ),
            "min_adjustment_step": Property(
                Type.INTEGER,
                "By how many members percents change the group at least.",
                default=0,
                minimum=0,
                changes=Effect.UPDATE,
            ),
            "cooldown": Property(
                Type.DURATION,
                "How long it does nothing after it changed the size.",
                default=0.0,
                changes=Effect.UPDATE,
            ),
        },
        attributes={
            **DOOR,
            "alarm_url": "The URL to send a POST to: whoever has it can change the size. Secret.",
            "signal_url": "The same as alarm_url. Secret.",
        },
        description="A URL that makes a group larger or smaller when it is sent a POST, within the group's bounds.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset(PolicySpec.__struct_fields__), defaults=defaults_of(PolicySpec)
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> PolicySpec:
        """The typed spec."""
        return PolicySpec(
            group=plain["group"],
            adjustment=plain["adjustment"],
            kind=plain["adjustment_type"],
            least=plain["min_adjustment_step"],
            cooldown=plain["cooldown"],
        )

    def directed(self, spec: PolicySpec, directives: Mapping[str, Any]) -> PolicySpec:
        """With how often its token was changed."""
        return replace(spec, rotation=directives.get(ROTATE, 0))
