"""Nested templates: blueprints put in their place."""

from __future__ import annotations

from typing import Any, cast

import pytest

from terrace.engine.expression import evaluate
from terrace.errors import SpecError
from terrace.kinds import KINDS
from terrace.kinds.rules.pieces import with_index
from terrace.model.decision import Expansion
from terrace.model.graph import Blueprint, Edge, Held, Keep, Node, Output, Until
from terrace.model.record import Record
from terrace.model.value import Call, Ref, Secret
from terrace.ports.kind import Composite, Wanted
from tests.unit.kinds.asking import UNABLE

NESTED = cast("Composite", KINDS["Nested"])
RECORD = Record(path="shop", kind="Nested", uid="u")
BLUEPRINT = Blueprint(
    nodes=(
        Node(path="db", kind="Value", properties={"value": 1}),
        Node(
            path="web",
            kind="Machine",
            properties={
                "image": Ref("/image:debian-12"),
                "environment": {"DB": Ref("db", ("value", Call("input", ("key",))))},
                "name": Call("input", ("names", 0)),
                "command": [Call("list_join", ("-", [Call("input", ("a",)), Ref("db")]))],
                "memory": 64,
            },
            edges=(Edge("db", Until.HEALTHY), Edge("/net")),
            metadata={"of": Ref("db")},
        ),
        Node(path="inner", kind="Nested", blueprint="b.yaml", properties={"x": Call("input", ("a",))}),
        Node(
            path="many",
            kind="Group",
            properties={"resource_def": {"kind": "Value", "properties": {"value": Ref("db", ("value",))}}},
        ),
    ),
    outputs={
        "address": Output(Ref("web", ("first_address",))),
        "pair": Output({"a": [Ref("db", ("value",)), Ref("db")]}),
        "made": Output(Call("list_join", (",", [Call("input", ("a",))]))),
    },
)


def expand(blueprint: Blueprint | None = BLUEPRINT, **more: Any) -> Expansion:
    node = Node(path="shop", kind="Nested", blueprint="a.yaml", **more)
    wanted = Wanted(node=node, spec=NESTED.spec({}, node, UNABLE), form={})
    return NESTED.expand(wanted, blueprint, RECORD, {}, 1.0)


def test_everything_inside_gets_its_full_path() -> None:
    db, web, inner, many = expand().children
    assert (db.path, db.properties) == ("shop/db", {"value": 1})
    assert web.properties == {
        "image": Ref("image:debian-12"),
        "environment": {"DB": Ref("shop/db", ("value", Call("input", ("shop", "key"))))},
        "name": Call("input", ("shop", "names", 0)),
        "command": [Call("list_join", ("-", [Call("input", ("shop", "a")), Ref("shop/db")]))],
        "memory": 64,
    }
    assert web.edges == (Edge("shop/db", Until.HEALTHY), Edge("net"))
    assert web.metadata == {"of": Ref("shop/db")}
    assert (inner.blueprint, inner.properties) == ("b.yaml", {"x": Call("input", ("shop", "a"))})
    assert many.properties["resource_def"]["properties"] == {"value": Ref("shop/db", ("value",))}


def test_what_is_plain_is_shared() -> None:
    assert expand().children[0].properties is BLUEPRINT.nodes[0].properties


def test_prefixes_compose() -> None:
    inner = expand().children[2]
    wanted = Wanted(node=inner, spec={}, form={})
    deep = NESTED.expand(wanted, BLUEPRINT, RECORD, {}, 1.0)
    assert deep.children[1].path == "shop/inner/web"
    assert deep.children[1].properties["name"] == Call("input", ("shop/inner", "names", 0))


def test_what_holds_for_the_whole_holds_for_the_parts() -> None:
    found = expand(edges=(Edge("before"),), keep=Keep.RETAIN, provider="lab").children
    assert found[0].edges == (Edge("before"),)
    assert found[1].edges == (Edge("shop/db", Until.HEALTHY), Edge("net"), Edge("before"))
    assert {(node.keep, node.provider) for node in found} == {(Keep.RETAIN, "lab")}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), "shop"),
        (("address",), Ref("shop/web", ("first_address",))),
        (("pair", "a", 0), Ref("shop/db", ("value",))),
        (("pair", "a", 0, "x"), Ref("shop/db", ("value", "x"))),
        (("pair", "a", 1, "x"), None),
        (("pair", "a", "0"), None),
        (("pair", "b"), None),
        (("made",), Call("list_join", (",", [Call("input", ("shop", "a"))]))),
        (("made", 0), Call("path", (Call("list_join", (",", [Call("input", ("shop", "a"))])), 0))),
        (("resource.web", "name"), Ref("shop/web", ("name",))),
        (("resource.inner.resource.x",), Ref("shop/inner", ("resource", "x"))),
        (("resource.nothing",), None),
        (("nothing",), None),
    ],
)
def test_attributes(path: tuple[Any, ...], expected: Any) -> None:
    assert NESTED.attribute(expand(), path) == expected


def test_an_output_may_give_the_reference() -> None:
    outputs = {"OS::stack_id": Output(Ref("db"))}
    blueprint = Blueprint(nodes=BLUEPRINT.nodes, outputs=outputs)
    assert NESTED.attribute(expand(blueprint), ()) == Ref("shop/db")


def test_names_of_resources_may_hold_dots() -> None:
    found = expand(Blueprint(nodes=(Node(path="a", kind="Value"), Node(path="a.b", kind="Value"))))
    assert NESTED.attribute(found, ("resource.a.b",)) == Ref("shop/a.b")
    assert NESTED.attribute(found, ("resource.a.value",)) == Ref("shop/a", ("value",))


def test_a_blueprint_that_is_missing_is_said() -> None:
    with pytest.raises(SpecError, match=r"a\.yaml"):
        expand(None)


def test_a_members_number_is_put_in_before_the_parameters_type_is_looked_at() -> None:
    given = Call("parameter", ("size", "number", "%index%", [["range", {"max": 5}, ""]], False))
    third = with_index(given, "%index%", "3")
    assert evaluate(third, lambda ref: ref, lambda args: args) == 3
    with pytest.raises(SpecError, match='"size" breaks a constraint: 6 is not at most 5'):
        evaluate(with_index(given, "%index%", "6"), lambda ref: ref, lambda args: args)


def test_what_a_hidden_parameter_is_given_is_not_shown_when_it_does_not_fit() -> None:
    for kind, rules in (("number", []), ("string", [["length", {"max": 2}, ""]])):
        given = Call("parameter", ("pw", kind, Secret("hunter2222"), rules, True))
        with pytest.raises(SpecError) as caught:
            evaluate(given, lambda ref: ref, lambda args: args)
        assert "hunter" not in caught.value.message


def test_what_is_set_for_a_part_goes_with_it() -> None:
    part = Node("db", "Volume", external_id=Call("input", ("id",)))
    held = (Held(("d*",), ("pre-create",), ("replace",)),)
    (child,) = expand(Blueprint((part,)), held=held).children
    assert child.external_id == Call("input", ("shop", "id"))
    assert (child.hooks, child.restricted) == (("pre-create",), ("replace",))
