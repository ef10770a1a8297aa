"""Properties of a resource checked against what takes them, and in native words."""

from __future__ import annotations

from typing import Any

import msgspec

from terrace.errors import SpecError
from terrace.kinds.rules.check import read, read_value
from terrace.kinds.schema import TypeEntry
from terrace.languages.document import Mark, Tree
from terrace.languages.hot.environments.merging import Given
from terrace.languages.hot.expressions import Expressions
from terrace.languages.hot.inputs import Parts, fit
from terrace.languages.hot.job import Asker
from terrace.languages.hot.targets import Nested, Target
from terrace.model.value import Call, Ref, Secret, aside

UPDATE_POLICY = "update_policy"
REFUSED = "not-supported"
"""What a kind says of a property that it knows and cannot do: the language is right all the same."""


class Place(msgspec.Struct, frozen=True):
    """Whose properties they are, in words and in the document: `given` is their tree. Of a group's members those of
    the first are checked: `variable` is what stands for its number. `adopted`: it is a thing that exists already, of
    which nothing needs to be said."""

    what: str
    mark: Mark
    given: dict[str, Tree]
    variable: str = ""
    adopted: bool = False


class Properties:
    """Checks the properties of one template's resources."""

    def __init__(self, expressions: Expressions) -> None:
        self._on = expressions
        self._job = expressions.job
        self._document = expressions.document

    def checked(self, target: Target | None, values: dict[str, Any], place: Place) -> dict[str, Any]:
        """`values` in native words; what does not fit their table is reported."""
        if target is None:
            return values
        if target.nested is not None:
            return self._arguments(target.nested, values, place)
        entry = target.entry
        if entry is None:
            return values
        if not entry.open:
            found: list[SpecError] = []
            read(entry.properties, _numbered(values, place.variable) if place.variable else values, found)
            if place.adopted:
                found = [error for error in found if error.code != "missing-property"]
            for error in found:
                self._wrong(error, target.type_name, place)
            if found:
                return values
        self._warn(entry, place)
        native = entry.translate(values)
        if entry.pending and self._job.lenient:
            self._await(entry, native, place)
        return native

    def policy(self, target: Target | None, tree: dict[str, Tree], what: str) -> dict[str, Any]:
        """A resource's update_policy, as the property that its type takes it as; {} when it takes none. Nothing comes
        after what it refers to."""
        value = self._on.apart(tree[UPDATE_POLICY])
        if value is None or target is None:
            return {}
        table = target.entry.properties if target.entry is not None else {}
        if UPDATE_POLICY not in table:
            told = target.nested is not None and target.nested.facade
            if value != {} and not told:
                message = f"{what}: update_policy has no effect: {target.type_name} does not update in parts"
                at = self._document.key(tree, UPDATE_POLICY)
                self._job.report.warn(self._document, at, "ignored-property", message)
            return {}
        found: list[SpecError] = []
        read_value(table[UPDATE_POLICY], value, found, (UPDATE_POLICY,))
        place = Place(what, self._document.key(tree, UPDATE_POLICY), tree)
        for error in found:
            self._wrong(error, target.type_name, place)
        return {} if found else {UPDATE_POLICY: aside(value)}

    def provider(self, target: Target | None, properties: dict[str, Any], place: Place) -> str:
        """The provider that a resource names; it is taken out of the properties."""
        if target is None or target.entry is None or "provider" not in properties:
            return ""
        if "provider" not in target.entry.properties:
            return ""
        provider = properties.pop("provider")
        if isinstance(provider, str):
            return provider
        if isinstance(provider, Ref | Call | Secret):
            message = f"the provider of {place.what} must be known when the template is read"
            self._on.fail(self._document.value(place.given, "provider"), "not-known-yet", message)
        return ""

    def _warn(self, entry: TypeEntry, place: Place) -> None:
        """Says which properties have no effect."""
        for name in place.given:
            known = entry.properties.get(name)
            if known is not None and known.ignored:
                message = f'{place.what}: property "{name}" has no effect: {known.ignored}'
                at = self._document.key(place.given, name)
                self._job.report.warn(self._document, at, "ignored-property", message)

    def _await(self, entry: TypeEntry, native: dict[str, Any], place: Place) -> None:
        """Says what nobody heeds yet, where no provider is asked; a plan says it of the provider."""
        for name, why in entry.pending.items():
            if native.get(name) is not None:
                message = f"{place.what}: its {name} is ignored because {why}"
                self._job.report.warn(self._document, place.mark, "ignored-property", message)

    def _wrong(self, error: SpecError, type_name: str, place: Place) -> None:
        """Reports what a kind says of a property."""
        path = ".".join(map(str, error.path))
        missing, unknown = error.code == "missing-property", error.code == "unknown-property"
        mark = self._document.deepest(place.given, error.path, key=unknown)
        if missing and len(error.path) == 1:
            mark = place.mark
        message = f'{place.what}: property "{path[:200]}" {error.message}'
        if unknown:
            message = f'{place.what}: there is no property "{path[:200]}" in {type_name}'
        elif missing:
            message = f'{place.what}: property "{path}" of {type_name} is required'
        elif error.code == REFUSED:
            message = f'{place.what}: property "{path}" is refused: {error.message}'
            if self._job.lenient:
                self._job.report.warn(self._document, mark, error.code, message, error.hint)
                return
        self._on.fail(mark, error.code, message, error.hint)

    def _arguments(self, nested: Nested, values: dict[str, Any], place: Place) -> dict[str, Any]:
        """The parameters of a nested template, as far as they are known."""
        result: dict[str, Any] = {}
        inputs = self._on.inputs
        for name, value in values.items():
            parameter = nested.parameters.get(name)
            if parameter is None:
                message = f'{place.what}: there is no parameter "{name[:100]}" in {nested.file}'
                hint = self._job.report.guess(name, nested.parameters)
                self._on.fail(self._document.key(place.given, name), "unknown-property", message, hint)
            elif value is not None:
                asked = Given(value, self._document, self._document.value(place.given, name))
                kind = inputs.type(value) if isinstance(inputs, Parts) else ""
                later = bool(place.variable) and _mentions(value, place.variable)
                result[name] = fit(self._job, self._on.template, parameter, asked, kind=kind, later=later)
        for name in nested.blueprint.required:
            if name not in result and values.get(name) is None:
                message = f'{place.what}: parameter "{name}" of {nested.file} is required'
                hint = "give it as a property, or for all in parameter_defaults of an environment"
                self._job.lack(Asker(self._document, place.mark), "missing-property", message, hint)
        return result


def _numbered(value: Any, variable: str) -> Any:
    """`value` with a number where the member's number will stand."""
    if isinstance(value, str):
        return value.replace(variable, "0")
    if isinstance(value, dict):
        return {key: _numbered(item, variable) for key, item in value.items()}
    return [_numbered(item, variable) for item in value] if isinstance(value, list) else value


def _mentions(value: Any, text: str) -> bool:
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(_mentions(item, text) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, text) for item in value)
