"""Resources of a template -> nodes."""

from __future__ import annotations

from typing import Any

from terrace.errors import SpecError
from terrace.kinds.rules.check import read
from terrace.kinds.schema import TypeEntry
from terrace.languages.document import Mark, Tree
from terrace.languages.hot.environment import Given
from terrace.languages.hot.expressions import Expressions
from terrace.languages.hot.inputs import fit
from terrace.languages.hot.job import Job
from terrace.languages.hot.targets import Nested, Target, Types
from terrace.languages.hot.template import NOT_YET, Template
from terrace.languages.shape import Shape, describe
from terrace.model.graph import Edge, Keep, Node
from terrace.model.value import Call, Ref, Secret

KEYS = frozenset(
    {
        "type",
        "properties",
        "metadata",
        "depends_on",
        "deletion_policy",
        "update_policy",
        "description",
        "external_id",
        "condition",
    }
)
LATER = ("external_id", "condition", "update_policy")
POLICIES = {policy.value: policy for policy in Keep}
MEMBER_KEYS = ("type", "properties", "metadata")
INDEX = "%index%"


class Resources:
    """Compiles the resources of one template. `targets` says what each is."""

    def __init__(self, job: Job, template: Template, expressions: Expressions, types: Types) -> None:
        self.job = job
        self.template = template
        self.document = template.document
        self.expressions = expressions
        self.types = types
        self.shape = Shape(template.document, job.report)
        self.targets: dict[str, Target | None] = {}
        self.needs: dict[str, dict[str, tuple[dict[str, Tree], str]]] = {}

    def find_targets(self) -> None:
        """Finds what every resource is, before any of them is referred to."""
        for name, tree in self.template.resources.items():
            at = self.document.key(self.template.resources, name) if not isinstance(tree, dict) else None
            if at is not None:
                message = f'resource "{name}" must be a map with a type, not {describe(tree)}'
                self.shape.error(at, "wrong-type", message)
                self.targets[name] = None
                continue
            target = self._target(tree, f'resource "{name}"')
            if target is not None and target.group:
                target = target.of(self._member(tree, f'the members of "{name}"'))
            self.targets[name] = target
        self.expressions.targets = self.targets

    def _target(self, tree: dict[str, Tree], what: str) -> Target | None:
        name = tree.get("type")
        if isinstance(name, str):
            return self.types.find(name, tree)
        if name is None:
            self.shape.error(self.document.start(tree), "missing-key", f"{what} has no type")
        else:
            message = f"the type of {what} must be a text, not {describe(name)}"
            self.shape.error(self.document.value(tree, "type"), "wrong-type", message)
        return None

    def _member(self, tree: dict[str, Tree], what: str) -> Target | None:
        properties = tree.get("properties")
        shape = properties.get("resource_def") if isinstance(properties, dict) else None
        return self._target(shape, what) if isinstance(shape, dict) else None

    def compile(self) -> tuple[Node, ...]:
        """All resources as nodes."""
        nodes = []
        marks = self.document.marks.get(id(self.template.resources), [])
        for position, (name, tree) in enumerate(self.template.resources.items()):
            if isinstance(tree, dict):
                nodes.append(self._node(name, tree, marks[2 * position + 1]))
        return tuple(nodes)

    def _node(self, name: str, tree: dict[str, Tree], mark: Mark) -> Node:
        what = f'resource "{name}"'
        if not tree.keys() <= KEYS or any(key in tree for key in LATER):
            self._odd_keys(tree, what)
        target = self.targets[name]
        self.expressions.uses = {}
        given = tree.get("properties")
        if given is not None and not isinstance(given, dict):
            given = self.shape.map(tree, "properties", f"properties of {what}")
        given = given or {}
        if target is not None and target.group:
            properties = self._group(target, given, (what, mark))
        else:
            values = {key: self.expressions.value(item) for key, item in given.items()}
            properties = self._checked(target, values, given, (what, mark))
        provider = self._provider(target, properties, given, what)
        used = set(self.expressions.uses)
        metadata = self._metadata(tree, what)
        edges = self._edges(name, tree, used)
        return Node(
            path=name,
            kind=target.kind if target is not None else "",
            properties=properties,
            edges=edges,
            keep=self._keep(tree, what) if "deletion_policy" in tree else Keep.DELETE,
            provider=provider,
            blueprint=target.nested.file if target is not None and target.nested is not None else "",
            place=self.document.place(mark),
            type_name=target.type_name if target is not None else "",
            metadata=metadata,
            description=self.shape.text(tree, "description", f"the description of {what}"),
            ignored=target.ignored(tree) if target is not None else {},
        )

    def _odd_keys(self, tree: dict[str, Tree], what: str) -> None:
        self.shape.known(tree, KEYS, what)
        for key in LATER:
            if key in tree:
                message = f"{key} of a resource cannot be used yet"
                self.shape.error(self.document.key(tree, key), "not-supported-yet", message, NOT_YET)

    def _checked(
        self,
        target: Target | None,
        values: dict[str, Any],
        given: dict[str, Tree],
        what: tuple[str, Mark],
        variable: str = "",
    ) -> dict[str, Any]:
        """`values` in native words; what does not fit their table is reported. Of a group's members those
        of the first are checked: `variable` is what stands for its number."""
        if target is None:
            return values
        if target.nested is not None:
            return self._arguments(target.nested, values, given, what, variable)
        entry = target.entry
        if entry is None:
            return values
        if not entry.open:
            found: list[SpecError] = []
            sample = _numbered(values, variable) if variable else values
            read(entry.properties, sample, found)
            for error in found:
                self._wrong(error, target.type_name, given, what)
            if found:
                return values
        self._warn(entry, given, what[0])
        return entry.translate(values)

    def _warn(self, entry: TypeEntry, given: dict[str, Tree], what: str) -> None:
        """Says which properties have no effect."""
        for name in given:
            known = entry.properties.get(name)
            if known is not None and known.ignored:
                message = f'{what}: property "{name}" has no effect: {known.ignored}'
                self.job.report.warn(
                    self.document, self.document.key(given, name), "ignored-property", message
                )

    def _wrong(
        self, error: SpecError, type_name: str, given: dict[str, Tree], what: tuple[str, Mark]
    ) -> None:
        """Reports what a kind says of a property."""
        path = ".".join(map(str, error.path))
        missing, unknown = error.code == "missing-property", error.code == "unknown-property"
        mark = self.document.deepest(given, error.path, key=unknown)
        if missing and len(error.path) == 1:
            mark = what[1]
        message = f'{what[0]}: property "{path[:200]}" {error.message}'
        if unknown:
            message = f'{what[0]}: there is no property "{path[:200]}" in {type_name}'
        elif missing:
            message = f'{what[0]}: property "{path}" of {type_name} is required'
        self.shape.error(mark, error.code, message, error.hint)

    def _arguments(
        self,
        nested: Nested,
        values: dict[str, Any],
        given: dict[str, Tree],
        what: tuple[str, Mark],
        variable: str,
    ) -> dict[str, Any]:
        """The parameters of a nested template, as far as they are known."""
        result: dict[str, Any] = {}
        for name, value in values.items():
            parameter = nested.parameters.get(name)
            if parameter is None:
                message = f'{what[0]}: there is no parameter "{name[:100]}" in {nested.file}'
                hint = self.job.report.guess(name, nested.parameters)
                self.shape.error(self.document.key(given, name), "unknown-property", message, hint)
            elif value is not None:
                asked = Given(value, self.document, self.document.value(given, name))
                known = not (variable and _mentions(value, variable))
                result[name] = fit(self.job.report, self.template, parameter, asked) if known else value
        for name in nested.blueprint.required:
            if name not in result and values.get(name) is None:
                message = f'{what[0]}: parameter "{name}" of {nested.file} is required'
                self.job.report.error(self.document, what[1], "missing-property", message)
        return result

    def _group(self, target: Target, given: dict[str, Tree], what: tuple[str, Mark]) -> dict[str, Any]:
        """A group's properties: what its members are is kept as expressions."""
        properties = {
            key: self.expressions.value(item) for key, item in given.items() if key != "resource_def"
        }
        raw = given.get("resource_def")
        if not isinstance(raw, dict):
            return self._checked(target, {**properties, "resource_def": raw}, given, what)
        self.shape.known(raw, MEMBER_KEYS, "resource_def")
        definition = {key: self.expressions.value(item) for key, item in raw.items() if key in MEMBER_KEYS}
        definition.setdefault("type", "")
        native = self._checked(target, {**properties, "resource_def": definition}, given, what)
        variable = str(native.get("index_var", INDEX))
        own = definition.get("properties")
        inside = raw.get("properties")
        values = own if isinstance(own, dict) else {}
        shown = inside if isinstance(inside, dict) else {}
        member = target.member
        native["resource_def"] = {
            "kind": member.kind if member is not None else "",
            "type_name": member.type_name if member is not None else "",
            "blueprint": member.nested.file if member is not None and member.nested is not None else "",
            "properties": self._checked(
                member, values, shown, (f"{what[0]}, its members", what[1]), variable
            ),
            "metadata": definition.get("metadata") or {},
        }
        native.setdefault("index_var", INDEX)
        return native

    def _provider(
        self, target: Target | None, properties: dict[str, Any], given: dict[str, Tree], what: str
    ) -> str:
        """The provider that a resource names; it is taken out of the properties."""
        if target is None or target.entry is None or "provider" not in properties:
            return ""
        if "provider" not in target.entry.properties:
            return ""
        provider = properties.pop("provider")
        if isinstance(provider, str):
            return provider
        if isinstance(provider, Ref | Call | Secret):
            message = f"the provider of {what} must be known when the template is read"
            self.shape.error(self.document.value(given, "provider"), "not-known-yet", message)
        return ""

    def _metadata(self, tree: dict[str, Tree], what: str) -> dict[str, Any]:
        metadata = tree.get("metadata")
        if metadata is None:
            return {}
        if not isinstance(metadata, dict):
            return self.shape.map(tree, "metadata", f"metadata of {what}")
        value = self.expressions.value(metadata)
        return value if isinstance(value, dict) else {}

    def _edges(self, name: str, tree: dict[str, Tree], used: set[str]) -> tuple[Edge, ...]:
        """What a resource comes after, besides what its properties refer to. All of it is noted for the
        search for circles."""
        needs = {other: (call, next(iter(call))) for other, call in self.expressions.uses.items()}
        extra = [other for other in needs if other not in used]
        wished = tree.get("depends_on")
        if wished is not None:
            items, container = (wished, wished) if isinstance(wished, list) else ([wished], None)
            for index, other in enumerate(items):
                at = self.document.value(tree, "depends_on")
                at = at if container is None else self.document.value(container, index)
                if not isinstance(other, str):
                    message = f"depends_on takes names of resources, not {describe(other)}"
                    self.shape.error(at, "wrong-type", message)
                elif other not in self.targets:
                    hint = self.job.report.guess(other, self.targets)
                    message = f'there is no resource "{other[:100]}" to depend on'
                    self.shape.error(at, "unknown-resource", message, hint)
                else:
                    needs.setdefault(other, (tree, "depends_on"))
                    extra.append(other)
        if needs:
            self.needs[name] = needs
        return tuple(Edge(other) for other in dict.fromkeys(extra))

    def _keep(self, tree: dict[str, Tree], what: str) -> Keep:
        policy = self.expressions.value(tree["deletion_policy"])
        found = POLICIES.get(policy.lower()) if isinstance(policy, str) else None
        if found is not None:
            return found
        hint = "one of Delete, Retain, Snapshot"
        message = f"{what} has a deletion_policy that there is not"
        self.shape.error(self.document.value(tree, "deletion_policy"), "unknown-policy", message, hint)
        return Keep.DELETE


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
