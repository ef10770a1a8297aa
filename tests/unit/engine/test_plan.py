"""A plan says what would be done, what forces it, and what it cannot know yet."""

from __future__ import annotations

from tests.properties.rig import Rig

from terrace.model.graph import Edge, Graph, Keep, Node
from terrace.model.plan import Item
from terrace.model.value import Ref


def machine(
    path: str, *, keep: Keep = Keep.DELETE, edges: tuple[Edge, ...] = (), **properties: object
) -> Node:
    """A machine with an image."""
    return Node(path, "Machine", {"image": "one", **properties}, edges, keep=keep)


def settled(*nodes: Node) -> Rig:
    """A rig on which these nodes are settled."""
    rig = Rig()
    rig.desire(Graph(nodes))
    rig.listing()
    rig.settle()
    assert rig.settled, rig.why()
    return rig


def planned(rig: Rig, *nodes: Node) -> dict[str, Item]:
    """The plan of nodes, by path."""
    return {item.path: item for item in rig.plan(Graph(nodes)).items}


def test_a_new_stack_is_created_in_order_with_what_is_not_known_unknown() -> None:
    rig = Rig()
    web = machine("web", environment={"DB": Ref("db", ("first_address",))})
    plan = rig.plan(Graph((web, machine("db"))))
    assert [(item.path, item.what) for item in plan.items] == [("db", "create"), ("web", "create")]


def test_a_settled_stack_has_no_plan() -> None:
    nodes = (machine("a"), machine("b", environment={"A": Ref("a", ("first_address",))}))
    assert not settled(*nodes).plan(Graph(nodes)).changes


def test_update_in_place_and_what_forces_a_replacement() -> None:
    rig = settled(machine("a", memory=64), machine("b"))
    items = planned(rig, machine("a", memory=128), machine("b", command=["sleep"]))
    assert items["a"].what == "update"
    assert [(d.field, d.before, d.after, d.forces) for d in items["a"].differences] == [
        ("memory", 64, 128, False)
    ]
    assert items["b"].what == "replace"
    assert [d.field for d in items["b"].differences if d.forces] == ["command"]


def test_a_dependent_of_what_is_replaced_may_change() -> None:
    follower = machine("b", environment={"A": Ref("a", ("first_address",))})
    items = planned(settled(machine("a"), follower), machine("a", command=["new"]), follower)
    assert items["b"].what == "replace"
    assert not items["b"].certain


def test_what_is_removed_is_deleted_and_what_is_kept_is_said_to_be() -> None:
    rig = settled(machine("a"), machine("b", keep=Keep.RETAIN))
    items = planned(rig)
    assert items["a"].what == "delete"
    assert items["b"].what == "retain"


def test_a_machine_with_a_volume_goes_first() -> None:
    volume = Node("v", "Volume", {})
    mount = [{"volume": Ref("v"), "path": "/d"}]
    rig = settled(volume, machine("a", volumes=mount))
    items = planned(rig, volume, machine("a", volumes=mount, command=["new"]))
    assert items["a"].what == "replace"
    assert items["a"].delete_first


def test_a_count_that_hangs_on_what_is_not_made_yet_is_undecided() -> None:
    group = Node(
        "g",
        "Group",
        {"count": Ref("a", ("first_address",)), "resource_def": {"kind": "Machine", "properties": {}}},
    )
    items = {item.path: item for item in Rig().plan(Graph((machine("a"), group))).items}
    assert items["g"].what == "undecided"
    assert not items["g"].certain


def test_a_chain_of_thousands_is_planned() -> None:
    nodes = [Node("v0", "Value", {"value": 1})]
    nodes += [Node(f"v{i}", "Value", {"value": Ref(f"v{i - 1}", ("value",))}) for i in range(1, 3000)]
    assert len(Rig().plan(Graph(tuple(reversed(nodes)))).items) == 3000


def test_what_is_in_a_composite_that_is_refused_stays() -> None:
    def group(count: int) -> Node:
        return Node(
            "g", "Group", {"count": count, "resource_def": {"kind": "Machine", "properties": {"image": "i"}}}
        )

    items = planned(settled(group(2)), group(-1))
    assert {path: item.what for path, item in items.items()} == {
        "g": "refused",
        "g/0": "nothing",
        "g/1": "nothing",
    }
