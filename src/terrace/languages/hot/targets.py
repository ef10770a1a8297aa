"""What a resource's type stands for: a kind, a nested template, or a group of either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from terrace.kinds.schema import Property, TypeEntry
from terrace.languages.document import Document, Mark, Tree
from terrace.languages.files import OPERATOR, is_template, resolve
from terrace.languages.hot.environments.registry import Scopes, closed, layered, stands_for
from terrace.languages.hot.functions.absent import ABSENT, WHY
from terrace.languages.hot.job import Asker, Job
from terrace.languages.hot.parameters.parameter import Parameter
from terrace.model.graph import Blueprint

NATIVE = "Terrace::"
IDENTITY = "OS::stack_id"
OF_MEMBERS = ("attributes", "outputs", "outputs_list")
"""Attributes of groups whose next part names one of their members."""


class Nested(msgspec.Struct):
    """A nested template as compiled: `name` is that of its blueprint, `parameters` are as declared, `targets` what its
    resources are. `facade`: it wants to know of the resource around it."""

    file: str
    name: str
    blueprint: Blueprint
    parameters: dict[str, Parameter]
    targets: dict[str, Target | None]
    facade: bool = False


class Nest(Protocol):
    """Compiles nested templates, each once for what holds at its place."""

    def __call__(self, file: str, asker: Asker, scopes: Scopes, path: str) -> Nested | None:
        """The template in `file` as it is for the resource at `path`, where `scopes` hold; None when it cannot be
        used, which was reported."""


class Target:
    """What a resource is. Either `entry` (a kind) or `nested` is there; of a group, `member` is what its
    members are (None when that is not known)."""

    def __init__(
        self,
        type_name: str,
        *,
        entry: TypeEntry | None = None,
        nested: Nested | None = None,
        member: Target | None = None,
    ) -> None:
        self.type_name = type_name
        self.entry = entry
        self.nested = nested
        self.member = member
        self.kind = entry.kind if entry is not None else "Nested"
        self.shape = entry.member if entry is not None else ""
        self.group = bool(self.shape)
        self.chain = self.kind == "ResourceChain"

    def of(self, member: Target | None) -> Target:
        """A group like this one with such members."""
        return Target(self.type_name, entry=self.entry, member=member)

    @property
    def foreign(self) -> bool:
        """Whether it is a type of another system, which may have more to it than Terrace knows."""
        return self.entry is not None and "::" in self.type_name and not self.type_name.startswith(NATIVE)

    def attribute(self, path: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The native path of an attribute; None when there is no such attribute."""
        head = path[0]
        if type(head) is not str:
            return path
        if self.nested is not None:
            return self._output(self.nested, head, path[1:])
        if self.group:
            return self._of_group(head, path[1:])
        return self.entry.attribute(path) if self.entry is not None else path

    def absent(self, name: Any) -> str:
        """Why an attribute that the type has elsewhere has no value here; "" when it is not of that sort."""
        return WHY if self.entry is not None and name in ABSENT.get(self.entry.type, ()) else ""

    def attributes(self) -> list[str]:
        """The names of the attributes that there are for sure."""
        if self.nested is not None:
            return [*self.nested.blueprint.outputs, *(f"resource.{name}" for name in self.nested.targets)]
        member = self.member.attributes() if self.member is not None else []
        return [*(self.entry.attributes if self.entry is not None else ()), *member]

    def ignored(self, tree: dict[str, Tree]) -> dict[str, str]:
        """Which properties under `tree`, however deep and of a group's members too, have no effect, and why."""
        given = tree.get("properties")
        if not isinstance(given, dict) or self.entry is None:
            return {}
        found = dict(_ignored(self.entry.properties, given, ""))
        member = given.get("resource_def")
        if self.member is not None and isinstance(member, dict):
            inside = self.member.ignored(member).items()
            found |= {f"resource_def.properties.{name}": why for name, why in inside}
        return found

    def shown(self) -> list[str]:
        """The names of the attributes that "all attributes" means."""
        if self.group:
            return list(self.entry.attributes) if self.entry is not None else []
        if self.nested is not None:
            return list(self.nested.blueprint.outputs)
        return list(self.entry.attributes) if self.entry is not None else []

    def _output(self, nested: Nested, head: str, rest: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if head in nested.blueprint.outputs or head == IDENTITY:
            return (head, *rest)
        if not head.startswith("resource."):
            return None
        name = head.removeprefix("resource.")
        while name and name not in nested.targets:
            name = name.rpartition(".")[0]
        return _inside(nested.targets[name], "resource." + name, head, rest) if name else None

    def _of_group(self, head: str, rest: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if head.startswith("resource."):
            name = ".".join(head.split(".")[:2])
            return _inside(self.member, name, head, rest)
        own = self.entry.attributes if self.entry is not None else {}
        if head in OF_MEMBERS and head in own:
            native = self.member.attribute(rest) if self.member is not None and rest else rest
            return None if native is None else (head, *native)
        if head in own or self.member is None:
            return (own.get(head, head), *rest)
        return self.member.attribute((head, *rest))


def _ignored(known: dict[str, Property], given: dict[str, Tree], path: str) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        prop = known.get(name)
        if prop is None:
            continue
        if prop.ignored:
            yield path + name, prop.ignored
        elif isinstance(value, dict) and prop.properties:
            yield from _ignored(prop.properties, value, f"{path}{name}.")
        elif isinstance(value, list) and prop.items is not None and prop.items.properties:
            for number, item in enumerate(value):
                if isinstance(item, dict):
                    yield from _ignored(prop.items.properties, item, f"{path}{name}.{number}.")


def _inside(member: Target | None, prefix: str, head: str, rest: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The native form of an attribute of something inside: "resource.NAME.attribute", or the attribute as
    the next part of the path."""
    suffix = head[len(prefix) + 1 :]
    path = (suffix, *rest) if suffix else rest
    if not path or member is None:
        return (head, *rest)
    native = member.attribute(path)
    return None if native is None else (prefix, *native)


class Types:
    """Finds what types stand for in one document, which is at `path` in the stack. `nest` compiles the template in
    a file."""

    def __init__(self, job: Job, document: Document, nest: Nest, path: str) -> None:
        self.job = job
        self.document = document
        self.nest = nest
        self.path = path
        self._found: dict[str, Target | None] = {}

    def find(
        self, name: str, tree: Tree, resource: str, scopes: Scopes, key: str | int = "type"
    ) -> Target | None:
        """What the type that a map (or a list, at `key`) names stands for where `scopes` hold; None when that cannot
        be known, which was reported."""
        if scopes:
            return self._find(name, self.document.value(tree, key), resource, scopes)
        if name not in self._found:
            self._found[name] = self._find(name, self.document.value(tree, key), resource, ())
        elif self._found[name] is None and not self._registered(name):
            self._unknown(name, self.document.value(tree, key))
        return self._found[name]

    def _registered(self, name: str) -> bool:
        return stands_for(name, self._layers(())) is not None or is_template(name)

    def _layers(self, scopes: Scopes) -> Scopes:
        return layered(scopes, self.job.environment.registry, self.job.operator.registry)

    def _find(self, name: str, mark: Mark, resource: str, scopes: Scopes) -> Target | None:
        given, seen = name, [name]
        asker = Asker(self.document, mark)
        path = f"{self.path}/{resource}".lstrip("/")
        layers = self._layers(scopes)
        while (found := stands_for(name, layers)) is not None:
            mapped, target = found
            asker = Asker(mapped.document, mapped.mark)
            if mapped.file:
                if mapped.file == self.document.file:
                    break
                return self._nested(given, mapped.file, asker, scopes, path)
            name = target
            if name in seen:
                chain = " -> ".join([*seen[seen.index(name) :], name])
                message = f"types stand for each other in a circle: {chain}"
                self.job.report.error(asker.document, asker.mark, "circular-types", message)
                return None
            seen.append(name)
        if is_template(name):
            return self._nested(given, resolve(name, self.document.file), asker, scopes, path)
        entry = self.job.kinds.get(name)
        if entry is None:
            self._unknown(name, asker.mark, asker.document)
            return None
        if closed(name, self.job.operator.registry) and not asker.document.file.startswith(OPERATOR):
            message = f'the operator of this server has taken the type "{name}" away'
            self.job.report.error(asker.document, asker.mark, "closed-type", message)
            return None
        return Target(given, entry=entry)

    def _nested(self, given: str, file: str, asker: Asker, scopes: Scopes, path: str) -> Target | None:
        nested = self.nest(file, asker, scopes, path)
        return None if nested is None else Target(given, nested=nested)

    def _unknown(self, name: str, mark: Mark, document: Document | None = None) -> None:
        report = self.job.report
        job = self.job
        known = [*job.kinds, *job.environment.registry.types, *job.operator.registry.types]
        hint = report.guess(name, known, of_family=True)
        message = f'there is no type "{name[:200]}"'
        if self.job.lenient and "::" in name and not name.startswith(NATIVE):
            report.warn(
                document or self.document, mark, "unsupported-type", f"{message} in Terrace yet", hint
            )
        else:
            report.error(document or self.document, mark, "unknown-type", message, hint)
