"""A resource that fails, waits or needs replacement on demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.kinds.rules.difference import Rules, compare, defaults_of
from terrace.kinds.rules.noun import Noun, inside
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Change, Effect
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.simple import TestResourceSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

SECONDS = Property(Type.DURATION, "Seconds.")


class TestResource(Noun):
    """A resource that fails, waits or needs replacement on demand; its driver does what it says."""

    __test__ = False

    name = "TestResource"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "value": Property(Type.ANY, "Given back as the attribute output.", changes=Effect.UPDATE),
            "fail": Property(
                Type.BOOLEAN, "Whether every step fails for good.", default=False, changes=Effect.UPDATE
            ),
            "transient": Property(
                Type.BOOLEAN, "Whether it fails only for now.", default=False, changes=Effect.UPDATE
            ),
            "replace": Property(Type.ANY, "A new value (but not an empty one) asks for a replacement."),
            "waits": Property(
                Type.MAP,
                "How long each action takes.",
                properties={"create": SECONDS, "update": SECONDS, "delete": SECONDS},
                changes=Effect.UPDATE,
            ),
            "attributes": Property(Type.MAP, "More attributes to give.", changes=Effect.UPDATE),
        },
        attributes={"output": "The value."},
        description="Fails, waits or needs replacement on demand: for trying templates out.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"value", "fail", "transient", "waits", "attributes"}),
        defaults=defaults_of(TestResourceSpec),
    )
    calm: ClassVar[Rules] = Rules(always=rules.always | {"replace"}, defaults=rules.defaults)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> TestResourceSpec:
        """The typed spec."""
        return TestResourceSpec(
            value=plain.get("value"),
            fail=plain["fail"],
            transient=plain["transient"],
            replace=plain.get("replace"),
            waits=plain.get("waits", {}),
            attributes=plain.get("attributes", {}),
        )

    def changes(
        self, wanted: Wanted, applied: Mapping[str, Any], seen: Seen | None, capabilities: Capabilities
    ) -> Change:
        """A new value of `replace` forces a replacement, taking it away does not."""
        asked = wanted.form.get("replace")
        forcing = asked is UNKNOWN or bool(asked)
        return compare(wanted.form, applied, seen, self.rules if forcing else self.calm, frozenset())

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The value, and the attributes asked for."""
        if path[:1] == ("output",):
            return inside(wanted.spec.value, path[1:])
        return inside(wanted.spec.attributes, path) if path and path[0] in wanted.spec.attributes else UNKNOWN
