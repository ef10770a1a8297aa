"""What Terrace makes by itself: random strings, values, pauses, and nothing at all."""

from __future__ import annotations

from typing import Any, ClassVar

from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.simple import DelaySpec, NoneSpec, RandomStringSpec, ValueSpec
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

CLASSES = ("lettersdigits", "letters", "lowercase", "uppercase", "digits", "hexdigits", "octdigits")
COUNT = Property(Type.INTEGER, "How many at least.", default=1, minimum=0, maximum=512)


class RandomString(Noun):
    """A random string, made once and kept."""

    name = "RandomString"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "length": Property(Type.INTEGER, "How long it is.", default=32, minimum=1, maximum=512),
            "classes": Property(
                Type.LIST,
                "Classes that its characters are taken from.",
                items=Property(
                    Type.MAP,
                    properties={
                        "class": Property(
                            Type.STRING, "The class.", default="lettersdigits", allowed=CLASSES
                        ),
                        "minimum": COUNT,
                    },
                ),
                minimum=1,
            ),
            "sequences": Property(
                Type.LIST,
                "Characters of your own that it is taken from.",
                items=Property(
                    Type.MAP,
                    properties={
                        "characters": Property(Type.STRING, "The characters.", required=True, minimum=1),
                        "minimum": COUNT,
                    },
                ),
                minimum=1,
            ),
            "salt": Property(Type.STRING, "Change it to have a new string made.", default=""),
        },
        attributes={"value": "The string."},
        description="A random string, made once and kept. Its reference is the string itself.",
    )
    rules: ClassVar[Rules] = Rules(defaults=defaults_of(RandomStringSpec))

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> RandomStringSpec:
        """The typed spec. Without classes and sequences: letters and digits."""
        classes = _pairs(plain.get("classes"), "class")
        sequences = _pairs(plain.get("sequences"), "characters")
        if classes == () and sequences == ():
            classes = (("lettersdigits", 1),)
        return RandomStringSpec(plain["length"], classes, sequences, plain["salt"])

    def reference(self, seen: Seen) -> Any:
        """The string itself."""
        return seen.attributes.get("value")


def _pairs(entries: Any, name: str) -> Any:
    if entries is None:
        return ()
    if entries is UNKNOWN:
        return UNKNOWN
    return tuple(UNKNOWN if entry is UNKNOWN else (entry[name], entry["minimum"]) for entry in entries)


class Value(Noun):
    """A value worked out once and referred to often."""

    name = "Value"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "value": Property(Type.ANY, "The value.", changes=Effect.UPDATE),
            "type": Property(
                Type.STRING,
                "What it must be.",
                default="",
                changes=Effect.UPDATE,
                allowed=("", "string", "number", "comma_delimited_list", "json", "boolean"),
            ),
        },
        attributes={"value": "The value."},
        description="A value worked out once and referred to often.",
    )
    rules: ClassVar[Rules] = Rules(always=frozenset({"value", "type"}), defaults=defaults_of(ValueSpec))

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ValueSpec:
        """The typed spec."""
        return ValueSpec(plain.get("value"), plain["type"])

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The value is known as soon as it is wanted."""
        return inside(wanted.spec.value, path[1:]) if path[:1] == ("value",) else UNKNOWN


class Nothing(Noun):
    """Nothing; it takes any properties, to disable a resource through an environment."""

    name = "None"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={},
        attributes={},
        description="Nothing. It takes any properties, so that an environment can switch a resource off.",
        open=True,
    )
    rules: ClassVar[Rules] = Rules(always=frozenset({"properties"}), defaults=defaults_of(NoneSpec))

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> NoneSpec:
        """The typed spec."""
        return NoneSpec(plain)


ACTIONS = ("CREATE", "UPDATE", "DELETE")


class Delay(Noun):
    """A pause."""

    name = "Delay"
    provider = "builtin"
    schema: ClassVar[Schema] = Schema(
        properties={
            "minimum": Property(Type.DURATION, "How long at least.", default=0.0, changes=Effect.UPDATE),
            "jitter": Property(
                Type.DURATION, "How much longer at most, drawn by lot.", default=0.0, changes=Effect.UPDATE
            ),
            "multiplier": Property(
                Type.NUMBER, "What jitter is multiplied with.", default=1.0, minimum=0, changes=Effect.UPDATE
            ),
            "actions": Property(
                Type.LIST,
                "What it holds up.",
                default=["CREATE"],
                items=Property(Type.STRING, allowed=ACTIONS),
                changes=Effect.UPDATE,
            ),
        },
        attributes={},
        description="A pause between what comes before it and what depends on it.",
    )
    rules: ClassVar[Rules] = Rules(
        always=frozenset({"minimum", "jitter", "multiplier", "actions"}), defaults=defaults_of(DelaySpec)
    )

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> DelaySpec:
        """The typed spec."""
        return DelaySpec(
            minimum=plain["minimum"],
            jitter=plain["jitter"],
            multiplier=plain["multiplier"],
            actions=many(plain["actions"]),
        )
