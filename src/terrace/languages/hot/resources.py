"""Resources of a template -> nodes."""

from __future__ import annotations

from typing import Any

from terrace.engine.expression import without_elided
from terrace.languages.document import Mark, Tree
from terrace.languages.hot.environments.registry import Scopes, entered, everywhere, within
from terrace.languages.hot.expressions import Expressions
from terrace.languages.hot.inputs import FACADE
from terrace.languages.hot.job import Job
from terrace.languages.hot.properties import UPDATE_POLICY, Place, Properties
from terrace.languages.hot.targets import Target, Types
from terrace.languages.hot.template import Template, since
from terrace.languages.shape import Shape, describe
from terrace.model.graph import Edge, Keep, Node
from terrace.model.value import UNKNOWN, Call, Ref, Secret, aside

USUAL = frozenset({"type", "properties", "metadata", "depends_on", "deletion_policy", "description"})
WITH_CONDITIONS = ("condition", "external_id")
KEYS = USUAL | {UPDATE_POLICY, *WITH_CONDITIONS}
POLICIES = {policy.value: policy for policy in Keep}
MEMBER_KEYS = ("type", "properties", "metadata")
INDEX = "%index%"
NOWHERE: dict[str, Tree] = {}


class Resources:
    """Compiles the resources of one template. `targets` says what each is, `needs` what each waits for, and where
    that is said."""

    def __init__(self, expressions: Expressions, types: Types, scopes: Scopes) -> None:
        self.job: Job = expressions.job
        self.template: Template = expressions.template
        self.document = expressions.document
        self.expressions = expressions
        self.types = types
        self.scopes = scopes
        self.shape = Shape(self.document, self.job.report)
        self.properties = Properties(expressions)
        self.targets: dict[str, Target | None] = {}
        self.conditions: dict[str, Any] = {}
        self.needs: dict[str, dict[str, tuple[dict[str, Tree], str]]] = {}

    def find_targets(self) -> None:
        """Finds what every resource is, and whether it is there at all, before any of them is referred to."""
        for name, tree in self.template.resources.items():
            if not isinstance(tree, dict):
                at = self.document.key(self.template.resources, name)
                message = f'resource "{name}" must be a map with a type, not {describe(tree)}'
                self.shape.error(at, "wrong-type", message)
                self.targets[name] = None
                continue
            if not tree.keys() <= USUAL and not self._there(name, tree):
                self.expressions.disabled.add(name)
                continue
            inside = entered(self.scopes, name) if self.scopes else ()
            target = self._target(tree, name, inside, f'resource "{name}"')
            if target is not None and target.group:
                target = target.of(self._member(tree, name, everywhere(inside), target.shape))
            self.targets[name] = target
        self.expressions.targets = self.targets

    def _there(self, name: str, tree: dict[str, Tree]) -> bool:
        """Whether a resource is there as far as its condition says; looks at its unusual keys on the way."""
        self.shape.known(tree, KEYS, f'resource "{name}"')
        for key in WITH_CONDITIONS:
            if key in tree:
                since(self.shape, tree, key, self.template.version)
        if tree.get("condition") is None or self.expressions.conditions is None:
            return True
        condition = self.expressions.conditions.read(tree["condition"], tree, "condition")
        if isinstance(condition, Ref | Call):
            self.conditions[name] = condition
        return condition is not False

    def _target(
        self, tree: dict[str, Tree], resource: str, scopes: Scopes, what: str, *, members: bool = False
    ) -> Target | None:
        name = tree.get("type")
        if isinstance(name, dict) and members and not _refers(name):
            name = self.expressions.argument(name)
            if name is UNKNOWN:
                return None
        if isinstance(name, str):
            return self.types.find(name, tree, resource, scopes)
        if name is None:
            self.shape.error(self.document.start(tree), "missing-key", f"{what} has no type")
        else:
            message = f"the type of {what} must be a text, not {describe(name)}"
            self.shape.error(self.document.value(tree, "type"), "wrong-type", message)
        return None

    def _member(self, tree: dict[str, Tree], name: str, scopes: Scopes, key: str) -> Target | None:
        properties = tree.get("properties")
        shape = properties.get(key) if isinstance(properties, dict) else None
        if not isinstance(shape, dict):
            return None
        return self._target(shape, f"{name}/*", scopes, f'the members of "{name}"', members=True)

    def compile(self) -> tuple[Node, ...]:
        """All resources as nodes."""
        nodes = []
        marks = self.document.marks.get(id(self.template.resources), [])
        disabled = self.expressions.disabled
        for position, (name, tree) in enumerate(self.template.resources.items()):
            if isinstance(tree, dict) and name not in disabled:
                nodes.append(self._node(name, tree, marks[2 * position + 1]))
        return tuple(nodes)

    def _node(self, name: str, tree: dict[str, Tree], mark: Mark) -> Node:
        what = f'resource "{name}"'
        on, target = self.expressions, self.targets[name]
        on.uses, on.possible = {}, {}
        values, given = self._values(tree, what, target.shape if target is not None else "")
        place = Place(what, mark, given, adopted=tree.get("external_id") is not None)
        if UPDATE_POLICY in tree:
            values = values | self.properties.policy(target, tree, what)
        if target is not None and target.group and target.shape in given:
            properties = self._group(target, values, place)
        elif target is not None and target.chain:
            properties = self._chain(target, values, place, name)
        else:
            properties = self.properties.checked(target, values, place)
        provider = self.properties.provider(target, properties, place)
        used, on.possible = set(on.uses), {}
        metadata = self._map(tree, "metadata", what)[0] if "metadata" in tree else {}
        external = on.argument(tree["external_id"]) if "external_id" in tree else ""
        keep = self._keep(tree, what) if "deletion_policy" in tree else Keep.DELETE
        nested = target.nested if target is not None else None
        if nested is not None and nested.facade:
            properties[FACADE] = self._facade(tree, metadata, keep)
        return Node(
            path=name,
            kind=target.kind if target is not None else "",
            properties=properties,
            edges=self._edges(name, tree, used),
            keep=keep,
            provider=provider,
            blueprint=nested.name if nested is not None else "",
            place=self.document.place(mark),
            type_name=target.type_name if target is not None else "",
            metadata=metadata,
            description=self.shape.text(tree, "description", f"the description of {what}"),
            ignored=target.ignored(tree) if target is not None else {},
            external_id="" if external is None or external is UNKNOWN else external,
            condition=self.conditions.get(name, True),
            **(self._held(name) if self.scopes and not self.types.path else {}),
        )

    def _values(self, tree: dict[str, Tree], what: str, shape: str) -> tuple[dict[str, Any], dict[str, Tree]]:
        """The properties of a resource with their functions turned into values, and their tree. A group's `shape` is
        left for `_group`."""
        given = tree.get("properties")
        if isinstance(given, dict) and set(given) == {shape}:
            return {}, given
        if not isinstance(given, dict) or len(given) == 1:
            return self._map(tree, "properties", what)
        on = self.expressions
        values = {key: on.value(item) for key, item in given.items() if key != shape}
        return (without_elided(values) if on.elided else values), given

    def _map(self, tree: dict[str, Tree], key: str, what: str) -> tuple[dict[str, Any], dict[str, Tree]]:
        """A map under a key, or a function that gives one, and its tree as far as it is written out."""
        given = tree.get(key)
        if given is None:
            return {}, NOWHERE
        if not isinstance(given, dict):
            return self.shape.map(tree, key, f"{key} of {what}"), NOWHERE
        value = self.expressions.argument(given)
        if isinstance(value, dict):
            return value, given
        if value is not None and value is not UNKNOWN:
            at = self.document.value(tree, key)
            if isinstance(value, Ref | Call | Secret):
                message = f"{key} of {what} must be a map that is known when the template is read"
                self.shape.error(at, "not-known-yet", message, "write the map out, with functions inside it")
            else:
                self.shape.error(at, "wrong-type", f"{key} of {what} must be a map, not {describe(value)}")
        return {}, NOWHERE

    def _group(self, target: Target, values: dict[str, Any], place: Place) -> dict[str, Any]:
        """A group's properties: what its members are is kept as expressions."""
        on, key = self.expressions, target.shape
        raw = place.given[key]
        if not isinstance(raw, dict):
            return self.properties.checked(target, {**values, key: raw}, place)
        self.shape.known(raw, MEMBER_KEYS, key)
        definition = {name: on.argument(item) for name, item in raw.items() if name in MEMBER_KEYS}
        definition.setdefault("type", "")
        native = self.properties.checked(target, {**values, key: definition}, place)
        own, inside = definition.get("properties"), raw.get("properties")
        numbered = target.entry is not None and "index_var" in target.entry.properties
        shown = Place(
            f"{place.what}, its members",
            place.mark,
            inside if isinstance(inside, dict) else NOWHERE,
            str(native.get("index_var", INDEX)) if numbered else "",
        )
        shape = self._shape(
            target.member, own if isinstance(own, dict) else {}, shown, definition.get("metadata")
        )
        native["resource_def"] = shape
        if numbered:
            native.setdefault("index_var", INDEX)
        return native

    def _shape(
        self, member: Target | None, values: dict[str, Any], place: Place, metadata: Any = None
    ) -> dict[str, Any]:
        """What a member of a group or a chain is."""
        nested = member.nested if member is not None else None
        properties = self.properties.checked(member, values, place)
        if nested is not None and nested.facade:
            properties[FACADE] = self._facade({}, metadata or {}, Keep.DELETE)
        return {
            "kind": member.kind if member is not None else "",
            "type_name": member.type_name if member is not None else "",
            "blueprint": nested.name if nested is not None else "",
            "properties": properties,
            "metadata": metadata or {},
        }

    def _chain(self, target: Target, values: dict[str, Any], place: Place, name: str) -> dict[str, Any]:
        """A chain's properties, with what each of its members is."""
        native = dict(self.properties.checked(target, values, place))
        types, shared = values.get("resources"), values.get("resource_properties") or {}
        inside = place.given.get("resource_properties")
        shown = Place(
            f"{place.what}, its members", place.mark, inside if isinstance(inside, dict) else NOWHERE
        )
        if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
            return native
        scopes = everywhere(entered(self.scopes, name) if self.scopes else ())
        listed = place.given.get("resources")
        found = [
            self.types.find(one, listed, f"{name}/*", scopes, at)
            if isinstance(listed, list)
            else self.types.find(one, place.given, f"{name}/*", scopes, "resources")
            for at, one in enumerate(types)
        ]
        own = shared if isinstance(shared, dict) else {}
        native["members"] = [self._shape(member, own, shown) for member in found]
        return native

    def _facade(self, tree: dict[str, Tree], metadata: Any, keep: Keep) -> dict[str, Any]:
        """What a nested template may know of the resource around it."""
        policy = aside(self.expressions.apart(tree.get(UPDATE_POLICY)))
        return {"metadata": metadata, "deletion_policy": keep.value.capitalize(), UPDATE_POLICY: policy or {}}

    def _held(self, name: str) -> dict[str, Any]:
        """The fields of a node that say what holds and restricts it, and what is in it. Those of what is in nested
        templates follow from that when it is put in its place."""
        scopes = entered(self.scopes, name)
        return {
            "hooks": tuple(dict.fromkeys(hook for scope in scopes for hook in scope.hooks)),
            "restricted": tuple(dict.fromkeys(word for scope in scopes for word in scope.restricted)),
            "held": within(scopes),
        }

    def _edges(self, name: str, tree: dict[str, Tree], used: set[str]) -> tuple[Edge, ...]:
        """What a resource comes after, besides what its properties refer to. All of it is noted for the
        search for circles, but for what hangs on conditions."""
        on = self.expressions
        needs = {other: (call, next(iter(call))) for other, call in on.uses.items()}
        extra = [other for other in (*needs, *on.possible) if other not in used]
        wished = tree.get("depends_on")
        if wished is not None:
            items, container = (wished, wished) if isinstance(wished, list) else ([wished], None)
            for index, other in enumerate(items):
                if isinstance(other, str) and other in self.targets:
                    needs.setdefault(other, (tree, "depends_on"))
                    extra.append(other)
                    continue
                at = self.document.value(tree, "depends_on")
                at = at if container is None else self.document.value(container, index)
                if not isinstance(other, str):
                    message = f"depends_on takes names of resources, not {describe(other)}"
                    self.shape.error(at, "wrong-type", message)
                elif other not in on.disabled:
                    hint = self.job.report.guess(other, self.targets)
                    message = f'there is no resource "{other[:100]}" to depend on'
                    self.shape.error(at, "unknown-resource", message, hint)
        if needs and name not in self.conditions:
            self.needs[name] = needs
        return tuple(Edge(other) for other in dict.fromkeys(extra)) if extra else ()

    def _keep(self, tree: dict[str, Tree], what: str) -> Keep:
        policy = self.expressions.argument(tree["deletion_policy"])
        found = POLICIES.get(policy.lower()) if isinstance(policy, str) else None
        if found is not None:
            return found
        if policy is not None and policy is not UNKNOWN:
            hint = "one of Delete, Retain, Snapshot"
            message = f"{what} has a deletion_policy that there is not"
            self.shape.error(self.document.value(tree, "deletion_policy"), "unknown-policy", message, hint)
        return Keep.DELETE


def _refers(tree: Tree) -> bool:
    """Whether other resources are referred to anywhere in it, which are not known before it is."""
    if isinstance(tree, dict):
        return not tree.keys().isdisjoint(("get_attr", "get_resource")) or any(map(_refers, tree.values()))
    return isinstance(tree, list) and any(map(_refers, tree))
