"""Part of a new wish, the rest as it was wanted before: targets, exclusions, and what a cancelled change keeps."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from terrace.engine.stack.state import dependencies
from terrace.engine.within import within
from terrace.errors import NotFoundError, UserError
from terrace.model.graph import Blueprint, Graph, Node
from terrace.model.value import refs

Chosen = Callable[[str], bool]


def in_part(new: Graph, old: Graph, targets: Sequence[str], excludes: Sequence[str]) -> Graph:
    """The graph in which only `targets` (all, when none is named) without `excludes` are as in `new`, and all others as
    in `old`. Paths may lead into nested templates. NotFoundError for a path that neither has; UserError for one inside
    a group, and where something needs what is excluded."""
    known = {node.path for graph in (new, old) for node in graph.nodes}
    inside = Inside({}, {})
    for path, into in (
        *((one, inside.targets) for one in targets),
        *((one, inside.excludes) for one in excludes),
    ):
        top, _, rest = path.partition("/")
        _check(path, top, known)
        if path not in known:
            into.setdefault(top, []).append(rest)

    def chosen(path: str) -> bool:
        return path not in excludes and (path in targets or not targets)

    return blend(new, old, chosen, excludes, inside)


class Inside(NamedTuple):
    """Paths inside nested templates, by the path of the nested template."""

    targets: dict[str, list[str]]
    excludes: dict[str, list[str]]


def _check(path: str, top: str, known: set[str]) -> None:
    if path in known or top in known:
        return
    close = difflib.get_close_matches(path, known, 1)
    raise NotFoundError(
        f'there is no resource "{path}", neither in the template nor in the stack',
        hint=f'did you mean "{close[0]}"?' if close else "terrace status shows what there is",
    )


def blend(
    new: Graph, old: Graph, chosen: Chosen, never: Iterable[str] = (), inside: Inside | None = None
) -> Graph:
    """The graph in which the top-level paths that are `chosen` are as in `new` (gone, if they are not in it) and all
    others as in `old`; `inside` some of these they are partly the one, partly the other. What one of these needs and
    nobody chose comes along from `new`; UserError when it is one of `never`."""
    renamed, blueprints = _side_by_side(new.blueprints, old.blueprints)
    before = {node.path: _with_names(node, renamed) for node in old.nodes}
    after = {node.path: node for node in new.nodes}
    nodes: dict[str, Node] = {}
    for path in [*after, *(path for path in before if path not in after)]:
        found = (after if chosen(path) else before).get(path)
        if found is not None:
            nodes[path] = found
    for top, paths, target in _inner(inside, nodes):
        partly = top in inside.targets and not chosen(top) if inside is not None else False
        if top in never or (target is chosen(top) and not (partly and not target)):
            continue  # all of it, or nothing of it, is as they ask for anyway
        sides = (nodes.get(top) if partly and not target else after.get(top), before.get(top))
        nodes[top], fresh = within(top, sides, blueprints, paths, target=target)
        blueprints |= fresh
    _complete(nodes, (after, before), frozenset(never))
    outputs = {
        name: output
        for graph in (old, new)
        for name, output in graph.outputs.items()
        if refs(output.value) <= nodes.keys()
    }
    uses = [use for use in new.uses if not use.path or nodes.get(use.path) is after.get(use.path)]
    uses += [use for use in old.uses if not use.path or nodes.get(use.path) is before.get(use.path)]
    return replace(
        new,
        nodes=tuple(nodes.values()),
        blueprints=blueprints,
        outputs=outputs,
        uses=tuple(dict.fromkeys(uses)),
    )


def _inner(inside: Inside | None, nodes: Mapping[str, Node]) -> Iterator[tuple[str, list[str], bool]]:
    """Nested templates that change in part: their path, the paths inside, and whether those are targets."""
    if inside is None:
        return
    for top, paths in inside.targets.items():
        left = [path for path in paths if path not in inside.excludes.get(top, ())]
        if left:
            yield top, left, True
    for top, paths in inside.excludes.items():
        if top in nodes:
            yield top, paths, False


def _complete(
    nodes: dict[str, Node], sources: tuple[dict[str, Node], dict[str, Node]], never: frozenset[str]
) -> None:
    """Adds what nodes refer to and nobody chose."""
    queue = list(nodes.values())
    while queue:
        node = queue.pop()
        for edge in dependencies(node):
            path = edge.node.lstrip("/").partition("/")[0]
            if path in nodes:
                continue
            if path in never:
                raise UserError(
                    f'"{node.path}" needs "{path}", which is excluded and does not stand yet',
                    code="excluded",
                    hint=f"exclude {node.path} as well",
                )
            found = sources[0].get(path) or sources[1].get(path)
            if found is not None:
                nodes[path] = found
                queue.append(found)


def _side_by_side(
    new: Mapping[str, Blueprint], old: Mapping[str, Blueprint]
) -> tuple[dict[str, str], dict[str, Blueprint]]:
    """Both sets of blueprints in one; old ones that differ from a new one of that name get another name."""
    renamed: dict[str, str] = {}
    for name, blueprint in old.items():
        if name in new and new[name] != blueprint:
            other = f"{name} (before)"
            while other in new or other in old:
                other += "'"
            renamed[name] = other
    if renamed:  # what uses a renamed one is renamed too, or it would be another's
        renamed = {name: renamed.get(name, f"{name} (before)") for name in old}
    moved = {
        renamed.get(name, name): replace(
            blueprint, nodes=tuple(_with_names(node, renamed) for node in blueprint.nodes)
        )
        for name, blueprint in old.items()
    }
    return renamed, {**moved, **new}


def _with_names(node: Node, renamed: Mapping[str, str]) -> Node:
    if not renamed:
        return node
    shape: Any = node.properties.get("resource_def")
    if isinstance(shape, dict) and shape.get("blueprint") in renamed:
        fresh = {**shape, "blueprint": renamed[shape["blueprint"]]}
        node = replace(node, properties={**node.properties, "resource_def": fresh})
    return replace(node, blueprint=renamed[node.blueprint]) if node.blueprint in renamed else node
