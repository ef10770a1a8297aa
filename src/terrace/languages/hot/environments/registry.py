"""resource_registry: what types stand for, everywhere or for resources of some names, and what holds or restricts
these."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from terrace.languages.document import Document, Mark, Tree
from terrace.languages.files import is_remote, is_template, resolve
from terrace.languages.shape import Shape, describe
from terrace.model.graph import Held

HOOKS = tuple(f"{when}-{what}" for what in ("create", "update", "delete") for when in ("pre", "post"))
RESTRICTED = ("update", "replace")
RESOURCES = "resources"
BASE = "base_url"


class Mapped(msgspec.Struct, frozen=True):
    """What a type stands for: another type, or the file of a template (`file`: by which name it was sent
    along)."""

    target: str
    file: str
    document: Document
    mark: Mark


class Scope:
    """What holds at one place: `types` by name or pattern, `hooks` and `restricted` of the resource itself, and the
    places `inside` by the name, or a pattern for names, of the resource that they are in. `operator`: the operator
    says so, for all stacks; `closed` are then the types, or patterns, that it takes away."""

    def __init__(self, *, operator: bool = False) -> None:
        self.operator = operator
        self.closed: set[str] = set()
        self.types: dict[str, Mapped] = {}
        self.hooks: tuple[str, ...] = ()
        self.restricted: tuple[str, ...] = ()
        self.inside: dict[str, Scope] = {}


Scopes = tuple[Scope, ...]
"""Everything that holds at a place, users' before the operator's, and then the most exact first."""


def entered(scopes: Scopes, name: str) -> Scopes:
    """What holds for the resource `name` where `scopes` hold."""
    found: list[tuple[bool, bool, int, Scope]] = []
    for scope in scopes:
        for pattern, inner in scope.inside.items():
            if pattern == name or fnmatchcase(name, pattern):
                found.append((not scope.operator, pattern == name, len(pattern), inner))
    found.sort(key=lambda one: one[:3], reverse=True)
    return tuple(scope for _, _, _, scope in found)


def layered(scopes: Scopes, user: Scope, operator: Scope) -> Scopes:
    """All that says what types stand for at a place: what users say goes before anything of the operator's, be that
    ever so exact."""
    own = [scope for scope in scopes if not scope.operator]
    return (*own, user, *(scope for scope in scopes if scope.operator), operator)


def closed(type_name: str, operator: Scope) -> bool:
    """Whether the operator has taken a type away."""
    return any(type_name == name or _covers(name, type_name) for name in operator.closed)


def typed(scopes: Scopes) -> bool:
    """Whether types stand for something else inside of where `scopes` hold. What holds and restricts resources there
    is another matter, see `within`."""
    inside = tuple(inner for scope in scopes for inner in scope.inside.values())
    return any(scope.types for scope in inside) or bool(inside and typed(inside))


def within(scopes: Scopes) -> tuple[Held, ...]:
    """What holds and restricts the resources that are somewhere inside of the one where `scopes` hold."""
    found: list[Held] = []
    for scope in scopes:
        for pattern, inner in scope.inside.items():
            if inner.hooks or inner.restricted:
                found.append(Held((pattern,), inner.hooks, inner.restricted))
            found += [Held((pattern, *one.path), one.hooks, one.restricted) for one in within((inner,))]
    return tuple(found)


def everywhere(scopes: Scopes) -> Scopes:
    """What holds for every member of a group, whatever its number."""
    return tuple(scope.inside["*"] for scope in scopes if "*" in scope.inside)


def stands_for(type_name: str, scopes: Iterable[Scope]) -> tuple[Mapped, str] | None:
    """What a type stands for at a place, and under which name; None for itself. The longest pattern wins."""
    for scope in scopes:
        exact = scope.types.get(type_name)
        if exact is not None:
            return exact, exact.target
        patterns = [name for name in scope.types if name.endswith("*") and type_name.startswith(name[:-1])]
        for pattern in sorted(patterns, key=len, reverse=True):
            mapped = scope.types[pattern]
            target = mapped.target
            if target.endswith("*"):
                target = target[:-1] + type_name[len(pattern) - 1 :]
            if target != type_name:
                return mapped, target
    return None


def read_registry(shape: Shape, tree: dict[str, Tree], into: Scope) -> None:
    """Takes the section of one environment into what earlier ones said."""
    base = shape.text(tree, BASE, BASE)
    _Reader(shape, base).scope(tree, into, top=True)


class _Reader:
    def __init__(self, shape: Shape, base: str) -> None:
        self.shape = shape
        self.base = base.rstrip("/")

    def scope(self, tree: dict[str, Tree], into: Scope, *, top: bool) -> None:
        for name, value in tree.items():
            if top and name == BASE:
                continue
            if top and name == RESOURCES:
                for pattern, inner in self.shape.map(
                    tree, RESOURCES, "resources of resource_registry"
                ).items():
                    self.inner(tree[RESOURCES], pattern, inner, into)
            elif not top and name == "hooks":
                into.hooks = self.words(tree, name, HOOKS)
            elif not top and name == "restricted_actions":
                into.restricted = self.words(tree, name, RESTRICTED)
            elif not top and isinstance(value, dict):
                self.inner(tree, name, value, into)
            else:
                self.type(tree, name, value, into, top=top)

    def inner(self, tree: dict[str, Tree], pattern: str, value: Tree, into: Scope) -> None:
        if value is None:
            into.inside.pop(pattern, None)
        elif isinstance(value, dict):
            self.scope(value, into.inside.setdefault(pattern, Scope(operator=into.operator)), top=False)
        else:
            message = f'what holds for the resource "{pattern[:100]}" must be a map, not {describe(value)}'
            self.shape.error(self.shape.document.value(tree, pattern), "wrong-type", message)

    def type(self, tree: dict[str, Tree], name: str, value: Tree, into: Scope, *, top: bool) -> None:
        document = self.shape.document
        if "*" in name[:-1]:
            message = f'"{name[:100]}" stands for no type: only at its end a * means the rest of a name'
            self.shape.report.warn(document, document.key(tree, name), "bad-pattern", message)
        elif value is None:
            gone = [one for one in into.types if one == name or _covers(name, one)]
            for one in gone:
                del into.types[one]
            if top and into.operator:
                into.closed.add(name)
        elif not isinstance(value, str):
            message = f'the type "{name[:100]}" must stand for a type or a file, not {describe(value)}'
            self.shape.error(document.value(tree, name), "wrong-type", message)
        else:
            file = resolve(based(value, self.base), document.file) if is_template(value) else ""
            into.types[name] = Mapped(value, file, document, document.value(tree, name))

    def words(self, tree: dict[str, Tree], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        value = tree[key]
        items: list[Any] = value if isinstance(value, list) else [] if value is None else [value]
        found: list[str] = []
        for position, item in enumerate(items):
            if isinstance(item, str) and item in known:
                found.append(item)
                continue
            document = self.shape.document
            at = document.value(value, position) if isinstance(value, list) else document.value(tree, key)
            said = f'"{item[:100]}"' if isinstance(item, str) else describe(item)
            hint = self.shape.report.guess(said, known) or f"known: {', '.join(known)}"
            self.shape.error(at, "unknown-word", f"{said} is none of {key}", hint)
        return tuple(dict.fromkeys(found))


def based(name: str, base: str) -> str:
    """The name of a file of the registry, where that has a base for names."""
    absolute = is_remote(name) or name.startswith(("/", "file://"))
    return name if absolute or not base else f"{base.rstrip('/')}/{name}"


def _covers(pattern: str, name: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern[:-1])
