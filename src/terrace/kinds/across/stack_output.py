"""An output of another stack, read here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.check import read
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Decision, Effect, Settled
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.crossing import StackOutputSpec
from terrace.model.value import UNKNOWN, Call
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

FOUND = "found"
"""The property that Terrace adds: an expression for what the other stack exports at the moment."""


class StackOutput(Noun):
    """An output of another stack of the same project, as it is now."""

    name = "StackOutput"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "stack": Property(
                Type.STRING, "The name of the other stack.", required=True, minimum=1, changes=Effect.UPDATE
            ),
            "output": Property(
                Type.STRING, "The name of its output.", required=True, minimum=1, changes=Effect.UPDATE
            ),
        },
        attributes={"value": "The value."},
        description=(
            "An output of another stack of the same project. It follows when that changes, waits while there is none,"
            " and keeps what it had when that goes. Its reference is the value itself."
        ),
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"stack", "output", "value"}),
        inert=frozenset({"gone"}),
        defaults=defaults_of(StackOutputSpec),
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> StackOutputSpec:
        """The typed spec from what is asked for and what was found of it."""
        problems: list[SpecError] = []
        asked = {name: value for name, value in values.items() if name != FOUND}
        plain = read(self.schema.properties, asked, problems)
        if problems:
            raise problems[0]
        found = values.get(FOUND, {"value": None, "gone": ""})
        value, gone = (UNKNOWN, "") if found is UNKNOWN else (found["value"], found["gone"])
        return StackOutputSpec(plain["stack"], plain["output"], value, gone)

    def standing(self, wanted: Wanted, seen: Seen) -> Decision:
        """As wanted, also when what it was read from is gone: then with what it had."""
        gone = wanted.spec.gone
        return Settled(f"export gone: {gone}; what was read of it is kept" if gone else "")

    def reference(self, seen: Seen) -> Any:
        """The value itself."""
        return seen.attributes.get("value")

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The value is known as soon as it is found."""
        if not path:
            return wanted.spec.value
        return inside(wanted.spec.value, path[1:]) if path[0] == "value" else UNKNOWN


def reading(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the expression that finds the output in them."""
    return {**properties, FOUND: Call("export", (properties.get("stack"), properties.get("output")))}
