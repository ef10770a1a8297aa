"""A secret of the project, read by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.across.stack_output import FOUND
from terrace.kinds.rules.check import read
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Act, Change, Decision, Effect, Settled
from terrace.model.graph import Name, Node, Use
from terrace.model.seen import Seen
from terrace.model.spec.crossing import NamedSecretSpec
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, VAULT, Call
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted


class NamedSecret(Noun):
    """A secret that was set with `terrace secret set`, as it is now."""

    name = "Secret"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "name": Property(
                Type.STRING, "The name of the secret.", required=True, minimum=1, changes=Effect.UPDATE
            ),
        },
        attributes={"value": "The value, hidden.", "version": "Which version of it that is."},
        description=(
            "A secret of the project: `terrace secret set NAME`. It follows when a new version is set, and keeps what"
            " it had when the secret goes. Its reference is the value."
        ),
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"name", "value", "version"}),
        inert=frozenset({"gone"}),
        defaults=defaults_of(NamedSecretSpec),
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> NamedSecretSpec:
        """The typed spec from what is asked for and what was found of it."""
        problems: list[SpecError] = []
        asked = {name: value for name, value in values.items() if name != FOUND}
        plain = read(self.schema.properties, asked, problems)
        if problems:
            raise problems[0]
        found = values.get(FOUND, {"value": {"value": None, "version": 0}, "gone": ""})
        if found is UNKNOWN:
            return NamedSecretSpec(plain["name"], UNKNOWN, UNKNOWN)
        held = found["value"]
        return NamedSecretSpec(plain["name"], held["value"], held["version"], found["gone"])

    def mend(self, wanted: Wanted, change: Change) -> Decision:
        """A new version is taken over in place."""
        return Act(Verb.UPDATE, "secret changed", change)

    def standing(self, wanted: Wanted, seen: Seen) -> Decision:
        """As wanted, also when the secret is gone: then with what it was."""
        gone = wanted.spec.gone
        return Settled(f"{gone}; what was read of it is kept" if gone else "")

    def reference(self, seen: Seen) -> Any:
        """The value itself."""
        return seen.attributes.get("value")

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The value is known as soon as it is found."""
        if not path:
            return wanted.spec.value
        if path[0] == "value":
            return inside(wanted.spec.value, path[1:])
        return wanted.spec.version if path == ("version",) else UNKNOWN


def reading(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with the expression that finds the secret in them."""
    return {**properties, FOUND: Call("export", (VAULT, properties.get("name")))}


def used(node: Node, up: str) -> dict[Use, None]:
    """Which secret is used, where its name is known."""
    name = node.properties.get("name")
    return {Use("" if up else node.path, Name("", VAULT, name)): None} if isinstance(name, str) else {}
