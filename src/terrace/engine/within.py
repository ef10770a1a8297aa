"""Part of a nested template as in a new wish, the rest of it as before: for targets and exclusions below the top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from terrace.engine.stack.state import dependencies
from terrace.errors import NotFoundError, UserError
from terrace.model.graph import Blueprint, Node
from terrace.model.value import Call, Ref, refs

NESTED = "Nested"
GROUPS = frozenset({"Group", "AutoScalingGroup", "ResourceChain"})


class Side(NamedTuple):
    """A nested template in its place: the node, and what it is made of."""

    node: Node
    blueprint: Blueprint


def within(
    at: str,
    sides: tuple[Node | None, Node | None],
    blueprints: Mapping[str, Blueprint],
    asked: Sequence[str],
    *,
    target: bool,
) -> tuple[Node, dict[str, Blueprint]]:
    """The nested template at `at`, of which there is a new and an old one (`sides`), with the paths that are `asked`
    for (below it) as in the new one and all else as in the old one; if they are no `target` but excluded, the other way
    round. Also the blueprints that this takes. UserError where that has no meaning, NotFoundError for a path that
    neither has."""
    new, old = (_side(at, node, blueprints) for node in sides)
    part = _Part(at, *((old, new) if target else (new, old)))
    fresh: dict[str, Blueprint] = {}
    below: dict[str, list[str]] = {}
    for path in asked:
        head, _, rest = path.partition("/")
        below.setdefault(head, []).append(rest)
    for head, rests in below.items():
        mine, theirs = part.nodes.get(head), part.others.get(head)
        if mine is None and theirs is None:
            raise NotFoundError(
                f'there is no resource "{at}/{head}", neither in the template nor in the stack',
                hint="terrace status shows what there is",
            )
        if "" in rests:
            part.take(head)
            continue
        pair = (theirs, mine) if target else (mine, theirs)
        part.nodes[head], more = within(f"{at}/{head}", pair, blueprints, rests, target=target)
        fresh |= more
    part.complete()
    node, blueprint = part.made()
    return node, {**fresh, node.blueprint: blueprint}


def _side(at: str, node: Node | None, blueprints: Mapping[str, Blueprint]) -> Side:
    if node is None:
        raise UserError(
            f'"{at}" is new, or goes: what is inside it does so with it',
            code="not-possible",
            hint=f"name {at} instead",
        )
    if node.kind in GROUPS:
        raise UserError(
            f'"{at}" is a group, whose members are all made alike: one of them cannot change by itself',
            code="not-possible",
            hint=f"name {at} instead; update_policy says how many of them change at a time",
        )
    if node.kind != NESTED:
        raise UserError(
            f'"{at}" changes as a whole: there is nothing inside it',
            code="not-possible",
            hint=f"name {at} instead",
        )
    return Side(node, blueprints[node.blueprint])


class _Part:
    """A nested template that is as `base` says, but for some of its resources, which are as `other` says."""

    def __init__(self, at: str, base: Side, other: Side) -> None:
        self.at = at
        self.base = base
        self.other = other
        self.nodes = {node.path: node for node in base.blueprint.nodes}
        self.others = {node.path: node for node in other.blueprint.nodes}
        self._given: dict[str, Any] = {}
        self._left: set[str] = set()

    def take(self, path: str) -> None:
        """The resource at `path` is as the other side says: also gone, if it is not there."""
        found = self.others.get(path)
        if found is None:
            del self.nodes[path]
            self._left.add(path)
            return
        for name in sorted(
            set(_inputs((found.properties, found.metadata, found.condition, found.external_id)))
        ):
            self._bring(name, found)
        self.nodes[path] = found

    def _bring(self, name: str, node: Node) -> None:
        """What the template is given under a name must be the same on both sides, or be new."""
        mine, theirs = self.base, self.other
        known = {**mine.blueprint.parameters, **mine.node.properties}
        meant = {**theirs.blueprint.parameters, **theirs.node.properties}
        if name not in known and name in meant:
            self._given[name] = meant[name]
        elif known.get(name) != meant.get(name):
            raise UserError(
                f'"{self.at}/{node.path}" changes with "{name}", which all of "{self.at}" is given',
                code="not-possible",
                hint=f"name {self.at} instead",
            )

    def complete(self) -> None:
        """What a resource refers to and is not there comes along from the other side."""
        queue = list(self.nodes.values())
        while queue:
            node = queue.pop()
            for edge in dependencies(node):
                head = edge.node.partition("/")[0]  # "" is above this template
                if not head or head in self.nodes:
                    continue
                if head in self._left:
                    raise UserError(
                        f'"{self.at}/{node.path}" needs "{self.at}/{head}", which would not be there',
                        code="excluded",
                        hint=f"name {self.at}/{node.path} as well",
                    )
                if head in self.others:
                    self.take(head)
                    queue.append(self.nodes[head])

    def made(self) -> Side:
        """The nested template that this comes to."""
        mine, theirs = self.base.blueprint, self.other.blueprint
        parameters = {**theirs.parameters, **mine.parameters}
        outputs = {
            name: output
            for side in (theirs, mine)
            for name, output in side.outputs.items()
            if {path.partition("/")[0] for path in refs(output.value)} <= {"", *self.nodes}
        }
        required = dict.fromkeys((*mine.required, *theirs.required))
        blueprint = replace(
            mine,
            nodes=tuple(self.nodes.values()),
            outputs=outputs,
            parameters=parameters,
            required=tuple(name for name in required if name not in parameters),
            hidden=tuple(dict.fromkeys((*mine.hidden, *theirs.hidden))),
            choices=mine.choices or theirs.choices,
        )
        node = self.base.node
        name = f"{node.blueprint} (in part, {self.at})"
        given = {**self._given, **node.properties}
        return Side(replace(node, properties=given, blueprint=name), blueprint)


def _inputs(value: Any) -> Iterator[str]:
    """The parameters of its template that a value hangs on."""
    if isinstance(value, Call):
        if value.function == "input" and value.args and isinstance(value.args[0], str):
            yield value.args[0]
        yield from _inputs(value.args)
    elif isinstance(value, Ref):
        yield from _inputs(value.path)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _inputs(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inputs(item)
