"""Targets and exclusions inside nested templates."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.engine.blend import in_part
from terrace.errors import NotFoundError, UserError
from terrace.model.graph import Blueprint, Edge, Graph, Node, Output
from terrace.model.value import Call, Ref


def value(path: str, item: Any = 1, *edges: str) -> Node:
    return Node(path, "Value", {"value": item}, tuple(Edge(edge) for edge in edges))


def graph(*nodes: Node, given: Any = None, **more: Any) -> Graph:
    """A stack with one nested template "app", twice: by itself, and in another one, "outer"."""
    blueprint = Blueprint(nodes, file="app.yaml", **more)
    outer = Blueprint((Node("app", "Nested", given or {}, blueprint="app"), value("side", len(nodes))))
    return Graph(
        (
            Node("app", "Nested", given or {}, blueprint="app"),
            Node("twin", "Nested", given or {}, blueprint="app"),
            Node("outer", "Nested", blueprint="outer"),
            value("top", len(nodes)),
        ),
        {"app": blueprint, "outer": outer},
    )


def shown(found: Graph, *path: str) -> dict[str, Any]:
    """The values in the nested template at a path."""
    nodes = {node.path: node for node in found.nodes}
    for name in path:
        nodes = {node.path: node for node in found.blueprints[nodes[name].blueprint].nodes}
    return {name: node.properties["value"] for name, node in nodes.items() if node.kind == "Value"}


OLD = graph(value("db"), value("web"), value("gone"))
NEW = graph(value("db", 2), value("web", 2), value("extra", 2), value("more", 2))
BEFORE = {"db": 1, "web": 1, "gone": 1}
AFTER = {"db": 2, "web": 2, "extra": 2, "more": 2}


def test_one_resource_of_one_nested_template_changes() -> None:
    found = in_part(NEW, OLD, ["app/db"], [])
    assert shown(found, "app") == {**BEFORE, "db": 2}
    assert shown(found, "twin") == shown(found, "outer", "app") == BEFORE
    assert shown(found) == {"top": 3}


def test_one_comes_or_goes() -> None:
    assert shown(in_part(NEW, OLD, ["app/extra"], []), "app") == {**BEFORE, "extra": 2}
    assert shown(in_part(NEW, OLD, ["app/gone"], []), "app") == {"db": 1, "web": 1}


def test_all_but_one_changes() -> None:
    found = in_part(NEW, OLD, [], ["app/db", "twin/gone"])
    assert shown(found, "app") == {**AFTER, "db": 1}
    assert shown(found, "twin") == {**AFTER, "gone": 1}
    assert shown(found, "outer", "app") == AFTER


def test_deeper_and_both_at_once() -> None:
    found = in_part(NEW, OLD, ["outer/app/db", "top"], [])
    assert shown(found, "outer", "app") == {**BEFORE, "db": 2}
    assert shown(found, "outer") == {"side": 3}
    assert shown(found) == {"top": 4}
    found = in_part(NEW, OLD, ["outer/app", "app"], ["outer/app/db", "app/web"])
    assert shown(found, "outer", "app") == {**AFTER, "db": 1}
    assert shown(found, "app") == {**AFTER, "web": 1}
    assert shown(in_part(NEW, OLD, ["app/db"], ["app"]), "app") == BEFORE


def test_asking_twice_is_asking_once() -> None:
    once = in_part(NEW, OLD, ["app/db"], [])
    assert shown(in_part(NEW, once, ["app/db"], []), "app") == shown(once, "app")
    assert shown(in_part(NEW, once, ["app/web"], []), "app") == {**BEFORE, "db": 2, "web": 2}
    assert shown(in_part(NEW, once, [], []), "app") == AFTER


def test_what_a_target_needs_comes_along() -> None:
    new = graph(value("base", 2), value("mid", Ref("base")), value("db", 2, "mid"), value("web", 2))
    assert set(shown(in_part(new, OLD, ["app/db"], []), "app")) == {*BEFORE, "base", "mid"}
    with pytest.raises(UserError, match="would not be there"):
        in_part(new, OLD, [], ["app/base"])


def test_what_the_template_is_given_is_given_to_all_of_it() -> None:
    size = Call("input", ("size",))
    old = graph(value("db", size), value("web", size), given={"size": 1})
    new = graph(value("db", [size]), value("web", size), given={"size": 2})
    with pytest.raises(UserError, match='changes with "size"'):
        in_part(new, old, ["app/db"], [])
    with pytest.raises(UserError, match='changes with "size"'):
        in_part(new, old, [], ["app/db"])
    same = graph(value("db", [size]), value("web", 2), given={"size": 1, "word": "new"})
    found = in_part(same, old, ["app/db"], [])
    assert shown(found, "app") == {"db": [size], "web": size}
    assert found.nodes[0].properties == {"size": 1}
    fresh = graph(value("db", Call("input", ("word",))), given={"size": 2, "word": "new"})
    assert in_part(fresh, old, ["app/db"], []).nodes[0].properties == {"size": 1, "word": "new"}


def test_outputs_are_those_of_what_is_there() -> None:
    old = graph(value("db"), outputs={"a": Output(Ref("db")), "b": Output(1)})
    new = graph(value("web"), outputs={"a": Output(Ref("web")), "b": Output(2), "c": Output(Ref("web"))})
    found = in_part(new, old, ["app/web"], [])
    outputs = found.blueprints[found.nodes[0].blueprint].outputs
    assert {name: output.value for name, output in outputs.items()} == {
        "a": Ref("db"),
        "b": 1,
        "c": Ref("web"),
    }


def test_what_has_no_inside_or_is_not_on_both_sides() -> None:
    for path in ("app/nothing", "nothing/db"):
        with pytest.raises(NotFoundError):
            in_part(NEW, OLD, [path], [])
    with pytest.raises(UserError, match="nothing inside"):
        in_part(NEW, OLD, ["app/db/x"], [])
    for new, old in ((NEW, Graph()), (Graph((value("x"),)), OLD)):
        with pytest.raises(UserError, match="is new, or goes"):
            in_part(new, old, ["app/db"], [])
