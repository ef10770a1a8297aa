"""What Terrace makes by itself: random strings, values, pauses, and nothing at all."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.check import read_value
from terrace.kinds.rules.difference import Rules, defaults_of
from terrace.kinds.rules.noun import Noun, inside, many
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect
from terrace.model.graph import Node
from terrace.model.seen import Seen
from terrace.model.spec.simple import DelaySpec, NoneSpec, RandomStringSpec, ValueSpec
from terrace.model.value import UNKNOWN, Secret
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
        length = plain["length"]
        least = [pair[1] for pair in (*_known(classes), *_known(sequences)) if pair[1] is not UNKNOWN]
        if length is not UNKNOWN and sum(least) > length:
            raise SpecError(f"{sum(least)} characters are asked for at least, more than fit", ("length",))
        return RandomStringSpec(length, classes, sequences, plain["salt"])

    def reference(self, seen: Seen) -> Any:
        """The string itself."""
        return seen.attributes.get("value")


def _pairs(entries: Any, name: str) -> Any:
    if entries is None:
        return ()
    if entries is UNKNOWN:
        return UNKNOWN
    return tuple(UNKNOWN if entry is UNKNOWN else (entry[name], entry["minimum"]) for entry in entries)


def _known(pairs: Any) -> list[Any]:
    return [] if pairs is UNKNOWN else [pair for pair in pairs if pair is not UNKNOWN]


def _decoded(value: Any) -> Any:
    """A text as the JSON it holds; anything else, and what is no JSON, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _listed(value: Any) -> Any:
    """A text as the words between its commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# What the value of each type must be, and how a text becomes it.
VALUES = {
    "string": Property(Type.STRING),
    "number": Property(Type.NUMBER),
    "boolean": Property(Type.BOOLEAN),
    "comma_delimited_list": Property(Type.LIST, shorthand=_listed),
    "json": Property(Type.ANY, shorthand=_decoded),
}


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
                allowed=("", *VALUES),
            ),
        },
        attributes={"value": "The value."},
        description="A value worked out once and referred to often.",
    )
    rules: ClassVar[Rules] = Rules(always=frozenset({"value", "type"}), defaults=defaults_of(ValueSpec))

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> ValueSpec:
        """The typed spec."""
        value, kind = plain.get("value"), plain["type"]
        if value is None or kind is UNKNOWN or not kind:
            return ValueSpec(value, kind)
        problems: list[SpecError] = []
        hidden = isinstance(value, Secret)
        fitting = read_value(VALUES[kind], value.reveal() if hidden else value, problems, ("value",))
        if problems:
            raise SpecError(f"the value is no {kind}", ("value",)) if hidden else problems[0]
        return ValueSpec(Secret(fitting) if hidden else fitting, kind)

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
