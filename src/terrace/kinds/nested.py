"""A template inside a template: a blueprint put in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from terrace.errors import SpecError
from terrace.kinds.rules.choices import chosen
from terrace.kinds.rules.noun import Noun
from terrace.kinds.rules.pieces import held, member_of, named, picked, placed, placed_edges
from terrace.kinds.schema import Schema
from terrace.model.decision import Expansion
from terrace.model.graph import Blueprint, Keep, Node
from terrace.model.record import Record
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

IDENTITY = "OS::stack_id"


class Nested(Noun):
    """A nested template. Its properties are the parameters, its attributes the outputs."""

    name = "Nested"
    provider = "builtin"
    composite = True
    schema: ClassVar[Schema] = Schema(
        properties={},
        attributes={},
        description="A nested template: its parameters are properties, its outputs attributes.",
        open=True,
        any_attribute=True,
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> dict[str, Any]:
        """The parameters as they are: their blueprint's language has checked them."""
        return dict(values)

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """The blueprint's resources and outputs, in their place below this one, without what its conditions leave
        out. While one of these is not known yet nothing is decided."""
        node = wanted.node
        if blueprint is None:
            raise SpecError(f'there is no nested template "{node.blueprint}"')
        blueprint, doubtful = chosen(blueprint, wanted.spec) if blueprint.choices else (blueprint, ())
        attributes = {name: placed(output.value, node.path) for name, output in blueprint.outputs.items()}
        return Expansion(
            children=tuple(instantiate(part, node) for part in blueprint.nodes),
            attributes={"": attributes.get(IDENTITY, node.path), **attributes},
            undecided=_undecided(doubtful),
            doubtful=tuple(instantiate(part, node) for part in doubtful),
        )

    def attribute(self, expansion: Expansion, path: tuple[Any, ...]) -> Any:
        """The output, or the resource's attribute, that a Ref to this one with this path stands for."""
        if not path:
            return expansion.attributes.get("")
        if path[0] in expansion.attributes:
            return picked(expansion.attributes[path[0]], path[1:])
        return member_of(expansion.children, path) if named(path[0]) else None


def _undecided(doubtful: Sequence[Node]) -> str:
    """Which resources may be there or not, in words; "" for none."""
    if not doubtful:
        return ""
    names = ", ".join(f'"{node.path}"' for node in doubtful[:3]) + (" and more" if len(doubtful) > 3 else "")
    return f"whether there is to be {names} is not known yet"


def instantiate(part: Node, composite: Node) -> Node:
    """A blueprint's node in its place below a composite. What is set for the composite holds for what is
    in it."""
    return Node(
        path=f"{composite.path}/{part.path}",
        kind=part.kind,
        properties=placed(part.properties, composite.path),
        edges=placed_edges(part.edges, composite.path, composite.edges),
        keep=part.keep if composite.keep is Keep.DELETE else composite.keep,
        provider=part.provider or composite.provider,
        region=part.region or composite.region,
        blueprint=part.blueprint,
        place=part.place,
        type_name=part.type_name,
        metadata=placed(part.metadata, composite.path),
        description=part.description,
        implied=part.implied,
        external_id=placed(part.external_id, composite.path),
        ignored=part.ignored,
        **held(composite, part.path),
    )
