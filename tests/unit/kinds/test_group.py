"""Groups: members, those that never come back, how they change, what they give."""

from __future__ import annotations

from typing import Any, cast

import pytest

from terrace.errors import SpecError
from terrace.kinds import KINDS
from terrace.kinds.group.members import members
from terrace.model.decision import Expansion, Rollout
from terrace.model.graph import Edge, Held, Keep, Node
from terrace.model.record import Record, State
from terrace.model.value import UNKNOWN, Call, Ref, Secret
from terrace.ports.kind import Child, Composite, Wanted
from tests.unit.kinds.asking import UNABLE

GROUP = cast("Composite", KINDS["Group"])
SHAPE = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "n-%index%"}}


def expand(
    properties: dict[str, Any], there: str = "", memory: dict[str, Any] | None = None, **more: Any
) -> Expansion:
    whole = {"resource_def": SHAPE, **properties}
    node = Node(path="g", kind="Group", properties=whole, **more)
    values = {**whole, "resource_def": UNKNOWN}
    wanted = Wanted(node=node, spec=GROUP.spec(values, node, UNABLE), form={})
    record = Record(path="g", kind="Group", uid="u", memory=memory or {})
    children = {key: Child(key, State.READY, True, 1.0) for key in there.split()}
    return GROUP.expand(wanted, None, record, children, 1.0)


def keys(expansion: Expansion) -> str:
    return " ".join(child.path.rpartition("/")[2] for child in expansion.children)


@pytest.mark.parametrize(
    ("count", "removed", "there", "gone", "left"),
    [
        (1, [], "", [], "0"),
        (0, [], "0 1", [], ""),
        (3, [], "", [], "0 1 2"),
        (2, [], "0 1 2", [], "0 1"),
        (2, ["1"], "0 1 2", [], "0 2"),
        (2, [0, "2"], "0 1 2 3", [], "1 3"),
        (3, ["1"], "0 1 2", [], "0 2 3"),
        (3, ["1"], "", [], "0 1 2"),
        (3, ["7", "web"], "0 1 2", [], "0 1 2"),
        (3, [], "0 2", [[1, 1]], "0 2 3"),
        (2, [], "", [[0, 2], [4, 4]], "3 5"),
        ("2", [], "", [], "0 1"),
    ],
)
def test_members(count: Any, removed: list[Any], there: str, gone: list[Any], left: str) -> None:
    policies = [{"resource_list": removed}]
    found = expand({"count": count, "removal_policies": policies}, there, {"gone": gone})
    assert keys(found) == left


def test_what_was_removed_by_name_never_comes_back() -> None:
    first = expand({"count": 2, "removal_policies": [{"resource_list": ["0", "1"]}]}, "0 1 2")
    assert (keys(first), first.memory["gone"]) == ("2 3", [[0, 1]])
    assert first.attributes["removed_rsrc_list"] == ["0", "1"]
    later = expand({"count": 3}, "2 3", first.memory)
    assert (keys(later), later.memory["gone"]) == ("2 3 4", [[0, 1]])


def test_names_may_come_back_if_that_is_the_mode() -> None:
    mode = {"removal_policies_mode": "update"}
    first = expand({"count": 2, "removal_policies": [{"resource_list": ["0"]}], **mode}, "0 1")
    assert keys(first) == "1 2"
    same = expand({"count": 2, "removal_policies": [{"resource_list": ["0"]}], **mode}, "1 2", first.memory)
    assert keys(same) == "1 2"
    other = expand({"count": 2, "removal_policies": [{"resource_list": ["1"]}], **mode}, "1 2", same.memory)
    assert (keys(other), other.attributes["removed_rsrc_list"]) == ("0 2", ["1"])
    none = expand({"count": 2, **mode}, "0 2", other.memory)
    assert (keys(none), none.attributes["removed_rsrc_list"]) == ("0 1", [])


def test_a_long_life_is_short_to_remember() -> None:
    gone = [str(key) for key in range(5000)]
    found = expand({"count": 1, "removal_policies": [{"resource_list": gone}]}, " ".join(gone))
    assert (keys(found), found.memory["gone"]) == ("5000", [[0, 4999]])


def test_an_unknown_count_is_undecided() -> None:
    found = expand({"count": UNKNOWN})
    assert found.undecided == "how many members is not known yet"
    assert found.children == ()


@pytest.mark.parametrize(
    "properties", [{"count": -1}, {"count": "many"}, {"rolling": {"bach": 1}}, {"colour": 1}]
)
def test_mistakes(properties: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        expand(properties)


def test_the_number_stands_in_texts_and_waits_in_expressions() -> None:
    inner = {
        "name": "n-%index%",
        "list": [{"a": "%index%"}, 1],
        "ref": Ref("other"),
        "attribute": Ref("other", ("name",)),
        "call": Call("list_join", ("", ["a", Ref("b")])),
        "%index%": "keys stay",
        "secret": Secret("%index%"),
        "same": ["x"],
    }
    found = expand(
        {"count": 2, "resource_def": {**SHAPE, "properties": inner, "metadata": {"at": "%index%"}}}
    )
    one = found.children[1]
    number = {"%index%": "1"}
    assert one.properties == {
        "name": "n-1",
        "list": [{"a": "1"}, 1],
        "ref": Ref("other"),
        "attribute": Call("index", (Ref("other", ("name",)), number)),
        "call": Call("index", (Call("list_join", ("", ["a", Ref("b")])), number)),
        "%index%": "keys stay",
        "secret": Secret("1"),
        "same": ["x"],
    }
    assert one.metadata == {"at": "1"}
    assert one.properties["same"] is inner["same"]


def test_the_variable_may_have_another_name() -> None:
    inner = {"value": "#i# %index%"}
    found = expand({"count": 1, "index_var": "#i#", "resource_def": {**SHAPE, "properties": inner}})
    assert found.children[0].properties == {"value": "0 %index%"}


def test_hooks_hold_members_by_their_names() -> None:
    held = (
        Held(("1",), ("pre-update",)),
        Held(("*",), (), ("replace",)),
        Held(("[23]",), ("pre-create",), ("replace",)),
        Held(("2", "db"), ("pre-delete",)),
    )
    shape = {"kind": "Value", "properties": {"value": 1}}
    one, two = list(members(Node("g", "Group", {"resource_def": shape}, held=held), (1, 2)))
    assert (one.hooks, one.restricted, one.held) == (("pre-update",), ("replace",), ())
    assert (two.hooks, two.restricted) == (("pre-create",), ("replace",))
    assert two.held == (Held(("db",), ("pre-delete",)),)


def test_members_inherit_from_their_group() -> None:
    edges = (Edge("before"),)
    found = expand({"count": 1}, edges=edges, keep=Keep.RETAIN, provider="lab", region="here")
    [member] = found.children
    assert (member.path, member.kind, member.type_name) == ("g/0", "Value", "Terrace::Value")
    assert (member.edges, member.keep, member.provider, member.region) == (edges, Keep.RETAIN, "lab", "here")


@pytest.mark.parametrize(
    ("rolling", "expected"),
    [
        (None, Rollout()),
        ({"batch": 2}, Rollout(batch=2, making=2)),
        ({"batch": 1, "hold": "10s"}, Rollout(batch=1, hold=10.0, making=1, pause=10.0)),
        ({"unavailable": 1}, Rollout(unavailable=1)),
        ({"in_service": 3}, Rollout(unavailable=1)),
        ({"in_service": 9}, Rollout(unavailable=0)),
        ({"in_service": 1, "unavailable": 2}, Rollout(unavailable=2)),
        ({"batch": UNKNOWN}, Rollout()),
    ],
)
def test_rollouts(rolling: Any, expected: Rollout) -> None:
    assert expand({"count": 4, "rolling": rolling}).rollout == expected


MEMBERS = expand({"count": 2, "removal_policies": [{"resource_list": ["0"]}]}, "0 1 2")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), "g"),
        (("refs",), [Ref("g/1"), Ref("g/2")]),
        (("refs", 0), Ref("g/1")),
        (("refs", 9), None),
        (("refs_map",), {"1": Ref("g/1"), "2": Ref("g/2")}),
        (("refs_map", "2"), Ref("g/2")),
        (("refs_map", 2), Ref("g/2")),
        (("removed_rsrc_list",), ["0"]),
        (("attributes", "name"), {"1": Ref("g/1", ("name",)), "2": Ref("g/2", ("name",))}),
        (("resource.1",), Ref("g/1")),
        (("resource.1", "name"), Ref("g/1", ("name",))),
        (("resource.1.name",), Ref("g/1", ("name",))),
        (("resource.1.addresses", "net", 0), Ref("g/1", ("addresses", "net", 0))),
        (("resource.0",), None),
        (("first_address",), [Ref("g/1", ("first_address",)), Ref("g/2", ("first_address",))]),
        (("addresses", "net"), [Ref("g/1", ("addresses", "net")), Ref("g/2", ("addresses", "net"))]),
    ],
)
def test_attributes(path: tuple[Any, ...], expected: Any) -> None:
    assert GROUP.attribute(MEMBERS, path) == expected
