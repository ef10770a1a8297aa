"""What a plan would refuse whatever there is already: said before anything is saved, with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from terrace.engine.expression import evaluate
from terrace.errors import SpecError
from terrace.kinds import KINDS
from terrace.kinds.rules.pieces import with_index
from terrace.model.graph import Graph, Node
from terrace.model.plan import Verdict
from terrace.model.problem import Problem
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

OTHERS = (("flavor",), ("image",))
"""Properties of which others tell more: with the place of the value, and what it may have been meant to be."""
CapabilitiesOf = Callable[[str], Capabilities | None]


def impossible(graph: Graph, capabilities: CapabilitiesOf) -> list[Problem]:
    """A Problem for each resource that cannot be: its provider does not offer such things, or refuses a part of it, or
    its properties do not fit, as far as they are known. Nothing is looked at; what hangs on that is the plan's to say.
    `capabilities` gives those of a provider ("": of the default one), None when there is none, of which others tell."""
    found: dict[Problem, None] = {}
    for node in written(graph):
        kind = KINDS[node.kind]
        able = capabilities(node.provider or kind.provider)
        if able is not None:
            for problem in _of(node, able):
                found[problem] = None
    return list(found)


def _of(node: Node, able: Capabilities) -> Iterator[Problem]:
    kind = KINDS[node.kind]
    if not kind.composite and node.kind not in able.kinds:
        yield _problem(node, f"its provider offers no {node.kind}", "terrace provider list")
        return
    refused = [note for note in kind.notes(node, able) if note.verdict is Verdict.REFUSED]
    for note in refused:
        yield _problem(node, f"{note.what} refused because {note.words}".strip())
    # What may not be there at all, or exists already, need not fit.
    if refused or node.condition is not True or node.external_id:
        return
    try:
        values = evaluate(node.properties, lambda ref: UNKNOWN, lambda args: UNKNOWN)
        kind.spec(kind.resolve(values, lambda reference: None), node, able)
    except SpecError as error:
        if error.path[:1] in OTHERS:
            return
        where = ".".join(map(str, error.path))
        words = f'property "{where}" {error.message}' if where else error.message
        yield _problem(node, words, error.hint, error.code)


def _problem(node: Node, words: str, hint: str = "", code: str = "not-supported") -> Problem:
    place = node.place
    return Problem(
        f'resource "{node.path}": {words}',
        file=place.file,
        line=place.line,
        column=place.column,
        code=code,
        hint=hint,
    )


def written(graph: Graph) -> Iterator[Node]:
    """Every node that a document holds, those of groups, chains and nested templates too."""
    for node in (*graph.nodes, *(inner for print_ in graph.blueprints.values() for inner in print_.nodes)):
        yield node
        for shape in (node.properties.get("resource_def"), *_links(node)):
            if isinstance(shape, dict) and shape.get("kind") in KINDS:
                properties: Any = shape.get("properties")
                if isinstance(properties, dict):
                    numbered = with_index(properties, str(node.properties.get("index_var", "%index%")), "0")
                    yield msgspec.structs.replace(node, kind=shape["kind"], properties=numbered)


def _links(node: Node) -> list[Any]:
    found = node.properties.get("members")
    return found if isinstance(found, list) else []
