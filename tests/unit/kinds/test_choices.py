"""What of a blueprint is wanted, as its conditions say."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.errors import SpecError
from terrace.kinds.rules.choices import chosen
from terrace.model.graph import Blueprint, Edge, Node, Output
from terrace.model.value import UNKNOWN, Call, Ref, Secret

ON = Call("input", ("big",))
OFF = Call("not", (ON,))


def choose(*args: Any) -> Call:
    return Call("if", args)


def blueprint(*nodes: Node, **outputs: Any) -> Blueprint:
    return Blueprint(nodes, {name: Output(value) for name, value in outputs.items()}, choices=True)


def kept(found: Blueprint | str) -> dict[str, Node]:
    assert isinstance(found, Blueprint)
    assert all(node.condition is True for node in found.nodes)
    return {node.path: node for node in found.nodes}


def test_what_a_condition_leaves_out_is_gone_with_the_edges_to_it() -> None:
    print_ = blueprint(
        Node("a", "Value", condition=ON),
        Node("b", "Value", condition=OFF),
        Node("c", "Value", edges=(Edge("a"), Edge("b"))),
    )
    nodes = kept(chosen(print_, {"big": True}))
    assert set(nodes) == {"a", "c"}
    assert nodes["c"].edges == (Edge("a"),)
    assert set(kept(chosen(print_, {"big": Secret(False)}))) == {"b", "c"}


def test_an_if_becomes_what_it_gives_so_that_nothing_waits_for_the_other() -> None:
    print_ = blueprint(
        Node("a", "Value", condition=ON),
        Node("b", "Value", {"value": [choose(ON, Ref("a"), 2), choose(OFF, 3)], "gone": choose(OFF, 1)}),
        Node("c", "Value", {"value": Call("list_join", ("-", [choose(OFF, "x"), "y"]))}),
        out=choose(ON, Ref("a", ("value",)), None),
        nothing=choose(OFF, 1),
    )
    found = chosen(print_, {"big": True})
    nodes = kept(found)
    assert nodes["b"].properties == {"value": [Ref("a")]}
    assert nodes["c"].properties == {"value": Call("list_join", ("-", ["y"]))}
    assert isinstance(found, Blueprint)
    assert {name: output.value for name, output in found.outputs.items()} == {
        "out": Ref("a", ("value",)),
        "nothing": None,
    }
    other = kept(chosen(print_, {"big": False}))
    assert other["b"].properties == {"value": [2, 3], "gone": 1}


def test_what_is_not_known_yet_is_undecided_and_an_if_in_a_property_stays() -> None:
    assert chosen(blueprint(Node("a", "Value", condition=ON)), {"big": UNKNOWN}) == (
        'whether there is to be "a" is not known yet'
    )
    waiting = blueprint(Node("a", "Value", {"value": choose(ON, 1, 2)}))
    assert kept(chosen(waiting, {"big": UNKNOWN}))["a"].properties == {"value": choose(ON, 1, 2)}


def test_a_reference_to_what_is_left_out_is_refused() -> None:
    gone = Node("a", "Value", condition=ON)
    for print_ in (
        blueprint(gone, Node("b", "Value", {"value": Ref("a")})),
        blueprint(gone, Node("b", "Value", metadata={"x": Ref("a")})),
        blueprint(gone, out=Ref("a")),
    ):
        assert isinstance(chosen(print_, {"big": True}), Blueprint)
        with pytest.raises(SpecError, match="its condition leaves out"):
            chosen(print_, {"big": False})


def test_things_that_wait_for_each_other_after_all_are_refused() -> None:
    print_ = blueprint(
        Node("a", "Value", {"value": choose(ON, Ref("b"), 1)}),
        Node("b", "Value", {"value": Ref("a")}),
    )
    assert set(kept(chosen(print_, {"big": False}))) == {"a", "b"}
    with pytest.raises(SpecError, match="a -> b -> a"):
        chosen(print_, {"big": True})


def test_a_condition_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match="true or false"):
        chosen(blueprint(Node("a", "Value", condition=ON)), {"big": "yes"})
