"""The plain way of a kind: one spec, one thing, made when it is missing and mended when it differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from terrace.errors import InvariantError, SpecError
from terrace.kinds.rules.check import read
from terrace.kinds.rules.difference import Rules, compare
from terrace.kinds.schema import Schema
from terrace.model.decision import Act, Change, Claim, Decision, Effect, Settled, Wait
from terrace.model.graph import Node
from terrace.model.plan import Note
from terrace.model.record import Record
from terrace.model.seen import Absent, NotSeen, Seen, Sighting
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Wanted

NOTHING: frozenset[str] = frozenset()


class Plain:
    """What there is to say of most kinds. `foretold` maps attributes to the fields of the spec they follow from."""

    name: str = ""
    foretold: ClassVar[dict[str, str]] = {}

    def translate(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Properties as a template of ours says them (not evaluated), with what follows from them added."""
        return properties

    def resolve(
        self, values: Mapping[str, Any], thing: Callable[[str], Mapping[str, Any] | None]
    ) -> Mapping[str, Any]:
        """`values` with reference ids of what Terrace itself keeps replaced by what is kept."""
        return values

    def directed(self, spec: Any, directives: Mapping[str, Any]) -> Any:
        """`spec` with what is desired besides the template."""
        return spec

    def claims(self, spec: Any, capabilities: Capabilities) -> frozenset[Claim]:
        """What this spec holds exclusively."""
        return frozenset()

    def reference(self, seen: Seen) -> Any:
        """What `get_resource` gives: the reference id."""
        return seen.provider_id

    def notes(self, node: Node, capabilities: Capabilities) -> tuple[Note, ...]:
        """What becomes of the node on a provider, where that is not just what its words say. For plans."""
        said = capabilities.notes.get(self.name, ())
        return tuple(note for note in said if not note.what or given(note.what, node.properties))

    def foretell(self, wanted: Wanted, path: tuple[Any, ...]) -> Any:
        """The attribute at `path` as far as it follows from the spec alone; else UNKNOWN. For plans."""
        field = self.foretold.get(path[0]) if path else None
        value = getattr(wanted.spec, field) if field is not None else UNKNOWN
        return UNKNOWN if value in ("", 0) else inside(value, path[1:])


class Noun(Plain):
    """ports.kind.Kind for a thing that either is there or is not. A noun says what it is in class
    variables and `build`, and overrides what is special about it."""

    provider: str = ""
    shared: bool = False
    composite: bool = False
    schema: ClassVar[Schema]
    rules: ClassVar[Rules]

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec from evaluated properties (which may hold UNKNOWN); SpecError with the path of
        the property."""
        problems: list[SpecError] = []
        plain = dict(values) if self.schema.open else read(self.schema.properties, values, problems)
        if problems:
            raise problems[0]
        return self.build(plain, node, capabilities)

    def build(self, plain: dict[str, Any], node: Node, capabilities: Capabilities) -> Any:
        """The typed spec from properties that were read against the schema. Composites have none: theirs is made by
        `spec`, so that being asked here is a mistake of ours."""
        raise InvariantError(f"{self.name} is not built from a table of properties")

    def decide(
        self, wanted: Wanted, record: Record, sighting: Sighting, capabilities: Capabilities, now: float
    ) -> Decision:
        """What it wants next, given what was applied and what is there."""
        if isinstance(sighting, NotSeen):
            return Wait(sighting.why or "not looked at yet")
        if isinstance(sighting, Absent):
            return self.missing(record)
        seen = sighting.seen
        if not seen.complete:
            return Act(Verb.CREATE, "its creation is not finished")
        stray = self.taken_on(wanted, record, seen)
        if stray is not None:
            return stray
        if wanted.digest and wanted.digest == record.digest and not seen.properties:
            return self.standing(wanted, seen)
        applied = wanted.form if record.applied is None else record.applied
        change = self.changes(wanted, applied, seen, capabilities)
        if change.effect is not Effect.NONE:
            return self.mend(wanted, change)
        return self.standing(wanted, seen)

    def missing(self, record: Record) -> Decision:
        """What to do when there is nothing."""
        return Act(Verb.CREATE, "it vanished" if record.provider_id else "not there yet")

    def taken_on(self, wanted: Wanted, record: Record, seen: Seen) -> Decision | None:
        """What to do with a complete thing that we have no memory of making: it fits, or another takes its
        place."""
        if record.applied is not None:
            return None
        made_from = seen.owner.digest if seen.owner is not None else ""
        if not made_from:
            return Act(Verb.CREATE, "found, but not known how it was made")
        return None if made_from == wanted.digest else Act(Verb.REPLACE, "it was made for an earlier wish")

    def mend(self, wanted: Wanted, change: Change) -> Decision:
        """What to do about a difference."""
        verb = Verb.REPLACE if change.effect is Effect.REPLACE else Verb.UPDATE
        return Act(verb, reason_of(change), change)

    def standing(self, wanted: Wanted, seen: Seen) -> Decision:
        """What to say of a thing that is as wanted."""
        return Settled()

    def changes(
        self, wanted: Wanted, applied: Mapping[str, Any], seen: Seen | None, capabilities: Capabilities
    ) -> Change:
        """The only difference function: none, in place or replace; certain or maybe."""
        return compare(wanted.form, applied, seen, self.rules, capabilities.in_place.get(self.name, NOTHING))


def given(what: str, properties: Mapping[str, Any]) -> bool:
    """Whether a property is given, or has a certain value ("protocol=UDP")."""
    name, certain, value = what.partition("=")
    found = properties.get(name)
    return str(found) == value if certain else found is not None


def many(value: Any) -> Any:
    """A list as a tuple; None as an empty one; UNKNOWN as it is."""
    return value if value is UNKNOWN else tuple(value or ())


def inside(value: Any, path: tuple[Any, ...]) -> Any:
    """The part of `value` that `path` leads to; None where it leads nowhere, UNKNOWN where that is not
    known."""
    for key in path:
        if value is UNKNOWN or key is UNKNOWN:
            return UNKNOWN
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list | tuple) and type(key) is int and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value


def reason_of(change: Change) -> str:
    """In words: which fields differ, and whether the wish or the world has changed."""
    drifted = [one.field for one in change.differences if one.drift]
    wished = [one.field for one in change.differences if not one.drift]
    parts = [f"{', '.join(wished)} changed"] if wished else []
    if drifted:
        parts.append(f"{', '.join(drifted)} drifted")
    return " and ".join(parts)
