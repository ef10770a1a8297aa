"""Whatever is asked for and whatever happens in between: one thing for each thing wanted, none besides."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from tests.properties.rig import Rig

from terrace.model.graph import Blueprint, Edge, Graph, Keep, Node, Output
from terrace.model.value import Call, Ref

NAMES = ("a", "b", "c", "d", "e")
OUTCOMES = st.sampled_from(("done", "done", "done", "lost", "busy", "refused"))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A network, a volume, and machines that refer to each other backwards."""
    nodes = [
        Node("net", "Network", {"cidr": draw(st.sampled_from(("10.1.0.0/24", "10.2.0.0/24")))}),
        Node("vol", "Volume", {}),
    ]
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    for index, name in enumerate(chosen):
        before = chosen[:index]
        environment = {}
        edges = []
        for other in before:
            link = draw(st.sampled_from(("none", "value", "edge")))
            if link == "value":
                environment[other] = Ref(other, ("first_address",))
            elif link == "edge":
                edges.append(Edge(other))
        properties = {
            "image": draw(st.sampled_from(("one", "two"))),
            "memory": draw(st.sampled_from((64, 128))),
            "environment": environment,
        }
        if draw(st.booleans()):
            properties["networks"] = [{"network": Ref("net")}]
        if index == 0 and draw(st.booleans()):
            properties["volumes"] = [{"volume": Ref("vol"), "path": "/data"}]
        keep = Keep.RETAIN if draw(st.integers(0, 9)) == 0 else Keep.DELETE
        nodes.append(Node(name, "Machine", properties, tuple(edges), keep=keep))
    if chosen and draw(st.booleans()):
        nodes.append(draw(composites(chosen[0])))
    return Graph(tuple(draw(st.permutations(nodes))), blueprints={"pair": PAIR})


PAIR = Blueprint(
    nodes=(
        Node(
            "one",
            "Machine",
            {"image": Call("input", ("image",)), "environment": {"up": Call("input", ("up",))}},
        ),
        Node("two", "Machine", {"image": "one", "environment": {"one": Ref("one", ("first_address",))}}),
    ),
    outputs={"address": Output(Ref("two", ("first_address",)))},
)


@st.composite
def composites(draw: st.DrawFn, upstream: str) -> Node:
    """A group of machines, or of nested pairs, that refer to a machine outside."""
    image = draw(st.sampled_from(("one", "two")))
    outside = Ref(upstream, ("first_address",))
    if draw(st.booleans()):
        shape = {
            "kind": "Machine",
            "properties": {"image": image, "environment": {"n": "%index%", "up": outside}},
        }
    else:
        shape = {"kind": "Nested", "blueprint": "pair", "properties": {"image": image, "up": outside}}
    rolling = draw(st.sampled_from(({}, {"batch": 1}, {"batch": 2, "unavailable": 1})))
    return Node(
        "group", "Group", {"count": draw(st.integers(0, 3)), "resource_def": shape, "rolling": rolling}
    )


def leaves(graph: Graph) -> set[str]:
    """The paths of everything a graph wants, with what is in its composites."""
    found = {node.path for node in graph.nodes}
    for node in graph.nodes:
        if node.kind == "Group":
            members = {f"{node.path}/{number}" for number in range(node.properties["count"])}
            found |= members
            if node.properties["resource_def"]["kind"] == "Nested":
                found |= {f"{member}/{part}" for member in members for part in ("one", "two")}
    return found


class EngineMachine(RuleBasedStateMachine):
    """Apply, edit, kill, drift, roll back, restart; steps land in any order and fail in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.graph = Graph()
        self.past: list[Graph] = []
        self.deleting = False

    @initialize(graph=graphs())
    def begin(self, graph: Graph) -> None:
        self.up(graph)

    @rule(graph=graphs())
    def up(self, graph: Graph) -> None:
        self.past.append(graph)
        self.graph, self.deleting = graph, False
        self.rig.tick()
        self.rig.desire(graph)

    @rule()
    def roll_back(self) -> None:
        self.up(self.past[0])

    @rule()
    def down(self) -> None:
        self.deleting = True
        self.rig.tick()
        self.rig.desire(Graph(), deleting=True)

    @precondition(lambda self: self.rig.flying)
    @rule(index=st.integers(0, 20), outcome=OUTCOMES)
    def land(self, index: int, outcome: str) -> None:
        self.rig.tick()
        self.rig.land(index, outcome)

    @rule()
    def listing(self) -> None:
        self.rig.tick()
        self.rig.listing()

    @rule()
    def silence(self) -> None:
        self.rig.silence()

    @rule()
    def restart(self) -> None:
        self.rig.tick()
        self.rig.restart()

    @rule(seconds=st.sampled_from((1.0, 20.0, 700.0)))
    def wait(self, seconds: float) -> None:
        self.rig.tick(seconds)
        self.rig.turn()

    @precondition(lambda self: self.rig.provider.things)
    @rule(index=st.integers(0, 20), what=st.sampled_from(("remove", "stop", "pause", "drift")))
    def accident(self, index: int, what: str) -> None:
        things = self.rig.provider.things
        name = sorted(things)[index % len(things)]
        seen = things[name]
        if what == "remove" and seen.kind != "Volume":
            del things[name]
        elif seen.kind == "Machine" and what in ("stop", "pause"):
            state = "exited" if what == "stop" else "paused"
            things[name] = replace(seen, state=state, exit_code=1, finished=self.rig.now)
        elif seen.kind == "Machine" and what == "drift":
            things[name] = replace(seen, properties={"memory": 7})

    @invariant()
    def at_most_one(self) -> None:
        assert all(count == 1 or key for key, count in self.rig.provider.made.items())
        owners = [(s.owner.uid, s.owner.incarnation) for s in self.rig.provider.things.values() if s.owner]
        assert len(owners) == len(set(owners)), "two live things for one incarnation"

    @invariant()
    def foreign_is_untouched(self) -> None:
        known = {r.provider_id for r in self.rig.records.values()}
        assert "foreign" not in known
        assert "foreign" not in self.rig.provider.deleted

    def teardown(self) -> None:
        rig = self.rig
        rig.tick()
        rig.listing()
        rig.settle()
        assert rig.settled, rig.why()
        wanted = set() if self.deleting else leaves(self.graph)
        records = list(rig.records.values())
        assert {r.path for r in records} == wanted, rig.why()
        assert len(records) == len(wanted), rig.why()
        for record in records:
            if record.kind in ("Group", "Nested"):
                continue
            assert record.provider_id in rig.provider.things, f"{record.path} is not there\n{rig.why()}"
        left = set(rig.provider.things) - {r.provider_id for r in records}
        kept = {ruling.provider_id for ruling in rig.ledger.values()}
        assert left <= kept, f"{left - kept} is left over\n{rig.why()}"
        if not self.deleting:
            plan = rig.plan(self.graph)
            assert not plan.changes, (
                f"a settled stack has a plan: {[i for i in plan.items if i.what != 'nothing']}"
            )


class TestEngine(EngineMachine.TestCase):  # type: ignore[misc,valid-type]
    """The same histories every time: what fails, fails for everybody."""

    settings = settings(
        max_examples=150,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.soak
@pytest.mark.timeout(3600)
class TestEngineAtLength(EngineMachine.TestCase):  # type: ignore[misc,valid-type]
    """New histories every time, and many of them."""

    settings = settings(
        max_examples=5000, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
