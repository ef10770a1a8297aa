"""A wish in part, the rest as before."""

from __future__ import annotations

import pytest

from terrace.engine.blend import blend, in_part
from terrace.errors import NotFoundError, UserError
from terrace.model.graph import Blueprint, Edge, Graph, Node, Output
from terrace.model.value import Ref


def value(path: str, item: object = 1, *edges: str) -> Node:
    return Node(path, "Value", {"value": item}, tuple(Edge(edge) for edge in edges))


def values(graph: Graph) -> dict[str, object]:
    return {node.path: node.properties["value"] for node in graph.nodes}


OLD = Graph((value("a"), value("b"), value("gone")))
NEW = Graph((value("a", 2), value("b", 2), value("c", 2)))


def test_only_the_target_changes() -> None:
    assert values(in_part(NEW, OLD, ["a"], [])) == {"a": 2, "b": 1, "gone": 1}
    assert values(in_part(NEW, OLD, ["c"], [])) == {"a": 1, "b": 1, "c": 2, "gone": 1}
    assert values(in_part(NEW, OLD, ["gone"], [])) == {"a": 1, "b": 1}


def test_all_but_the_excluded_changes() -> None:
    assert values(in_part(NEW, OLD, [], ["a"])) == {"a": 1, "b": 2, "c": 2}
    assert values(in_part(NEW, OLD, [], ["c", "gone"])) == {"a": 2, "b": 2, "gone": 1}
    assert values(in_part(NEW, OLD, ["a", "b"], ["b"])) == {"a": 2, "b": 1, "gone": 1}


def test_what_a_target_needs_comes_along() -> None:
    new = Graph((value("base"), value("mid", Ref("base")), value("top", 1, "mid"), value("other")))
    assert set(values(in_part(new, Graph(), ["top"], []))) == {"base", "mid", "top"}
    with pytest.raises(UserError, match="excluded") as error:
        in_part(new, Graph(), [], ["base"])
    assert error.value.code == "excluded"


def test_paths_that_are_not_there() -> None:
    with pytest.raises(NotFoundError):
        in_part(NEW, OLD, ["nothing"], [])
    with pytest.raises(UserError, match="as a whole"):
        in_part(NEW, OLD, [], ["a/0"])
    group = Graph((Node("g", "Group", {"resource_def": {}}),))
    with pytest.raises(UserError, match="made alike"):
        in_part(group, group, ["g/0"], [])


def test_outputs_that_lead_nowhere_are_left_out() -> None:
    new = Graph((value("a", 2), value("c")), outputs={"a": Output(Ref("a")), "c": Output(Ref("c"))})
    old = Graph((value("a"), value("b")), outputs={"b": Output(Ref("b"))})
    assert set(in_part(new, old, ["a"], []).outputs) == {"a", "b"}


def test_two_versions_of_one_nested_template_stand_side_by_side() -> None:
    inner = Blueprint((value("x"),))
    old_box, new_box = Blueprint((Node("y", "Nested", blueprint="inner"),)), Blueprint((value("y", 2),))

    def graph(box: Blueprint) -> Graph:
        shape = {"kind": "Nested", "blueprint": "box", "properties": {}}
        nodes = (
            Node("one", "Nested", blueprint="box"),
            Node("two", "Nested", blueprint="box"),
            Node("many", "Group", {"resource_def": shape}),
        )
        return Graph(nodes, blueprints={"box": box, "inner": inner})

    found = blend(graph(new_box), graph(old_box), lambda path: path == "one")
    nodes = {node.path: node for node in found.nodes}
    assert found.blueprints[nodes["one"].blueprint] == new_box
    before = found.blueprints[nodes["two"].blueprint]
    assert found.blueprints[before.nodes[0].blueprint] == inner
    assert nodes["many"].properties["resource_def"]["blueprint"] == nodes["two"].blueprint
