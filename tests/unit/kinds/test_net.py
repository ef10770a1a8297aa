"""Security groups, routers and floating addresses: what is wrong, what does not resolve, what a name means."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.errors import DocumentError
from terrace.kinds import KINDS, complete
from terrace.model.decision import Act, Claim, Effect, Settled
from terrace.model.graph import Blueprint, Edge, Graph, Node, Until
from terrace.model.plan import Note, Verdict
from terrace.model.spec.firewall import Rule
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, Ref
from terrace.ports.driver import Capabilities
from tests.unit.kinds.asking import UNABLE, able, decide, spec, there, wrong

OWN = Capabilities(kinds=frozenset(KINDS), own_network=True)


def rule(**parts: Any) -> Any:
    return spec("SecurityGroup", {"rules": [parts]}).rules[0]


def done(*nodes: Node, **blueprints: Blueprint) -> dict[str, Node]:
    graph = complete(Graph(nodes=nodes, blueprints=blueprints), lambda name: OWN)
    assert complete(graph, lambda name: OWN) == graph
    return {node.path: node for node in graph.nodes}


# --- rules


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, Rule()),
        ({"protocol": "ANY"}, Rule()),
        ({"protocol": "tcp", "from_port": 80}, Rule(protocol="tcp", first=80, last=80)),
        ({"protocol": 6, "to_port": 80}, Rule(protocol="tcp", first=80, last=80)),
        ({"protocol": "udp", "from_port": 1, "to_port": 9}, Rule(protocol="udp", first=1, last=9)),
        ({"protocol": "icmp", "from_port": 8}, Rule(protocol="icmp", first=8)),
        ({"protocol": "icmp", "from_port": 3, "to_port": 0}, Rule(protocol="icmp", first=3, last=0)),
        ({"protocol": "50"}, Rule(protocol="50")),
        ({"cidr": "10.1.2.3/8"}, Rule(prefix="10.0.0.0/8")),
        (
            {"cidr": "::/0", "ethertype": "IPv6", "direction": "egress"},
            Rule("egress", prefix="::/0", ethertype="IPv6"),
        ),
        ({"group": "self"}, Rule(group="self")),
    ],
)
def test_rules(parts: dict[str, Any], expected: Rule) -> None:
    assert rule(**parts) == expected


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"protocol": "tpc"}, "not a protocol"),
        ({"protocol": "256"}, "not a protocol"),
        ({"protocol": "tcp; accept"}, "not a protocol"),
        ({"from_port": 80}, "any protocol has no ports"),
        ({"protocol": "esp", "from_port": 80}, "esp has no ports"),
        ({"protocol": "tcp", "from_port": 81, "to_port": 80}, "from 81 to 80 are none"),
        ({"protocol": "tcp", "from_port": 65536}, "more than 65535"),
        ({"protocol": "icmp", "from_port": 256}, "from 0 to 255"),
        ({"protocol": "icmp", "to_port": 1}, "from 0 to 255"),
        ({"cidr": "10.0.0.0/33"}, "not an address range"),
        ({"cidr": "10.0.0.0/8", "ethertype": "IPv6"}, "not of IPv6"),
        ({"cidr": "10.0.0.0/8", "group": "g"}, "not both"),
        ({"direction": "in"}, "not one of ingress, egress"),
    ],
)
def test_wrong_rules(parts: dict[str, Any], words: str) -> None:
    assert words in wrong("SecurityGroup", {"rules": [parts]}).message
    assert words in wrong("SecurityGroupRule", {"security_group": "g", **parts}).message


@pytest.mark.parametrize("name", ["cidr", "group", "protocol", "from_port"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_ossn_0011_a_rule_that_does_not_resolve_admits_nobody(name: str, nothing: Any) -> None:
    """A group that did not resolve became 0.0.0.0/0 in Heat."""
    error = wrong("SecurityGroup", {"rules": [{}, {name: nothing}]})
    assert error.path == ("rules", 1, name)
    assert error.code == "unresolved-rule"
    assert wrong("SecurityGroupRule", {"security_group": "g", name: nothing}).code == "unresolved-rule"


@pytest.mark.parametrize("groups", [None, "", [None], ["g", ""]])
def test_ossn_0011_a_group_that_does_not_resolve_opens_nothing(groups: Any) -> None:
    for kind, rest in (("Machine", {"image": "i", "networks": ["n"]}), ("Port", {"network": "n"})):
        error = wrong(kind, {**rest, "security_groups": groups})
        assert error.code == "unresolved-group"
        assert error.path == ("security_groups",)


def test_what_is_not_known_yet_stays_unknown() -> None:
    assert rule(protocol="tcp", from_port=UNKNOWN).first is UNKNOWN
    assert spec("SecurityGroup", {"rules": [UNKNOWN]}).rules == (UNKNOWN,)
    assert spec("SecurityGroup", {"rules": UNKNOWN}).rules is UNKNOWN
    assert spec("Port", {"network": "n", "security_groups": UNKNOWN}).groups is UNKNOWN


# --- machines


def test_the_groups_of_a_machine_hold_where_no_port_says_else() -> None:
    networks = ["a", {"network": "b", "port": "p", "groups": ["x"]}, {"network": "c", "port": "q"}]
    found = spec("Machine", {"image": "i", "networks": networks, "security_groups": ["g", "h"]})
    assert [nic.groups for nic in found.networks] == [("g", "h"), ("x",), ()]


def test_groups_need_a_network() -> None:
    assert "need a network" in wrong("Machine", {"image": "i", "security_groups": ["g"]}).message


@pytest.mark.parametrize(
    ("groups", "shown", "effect"),
    [
        (["a", "b"], ["b", "a"], Effect.NONE),
        (["a"], [], Effect.UPDATE),
        ([], ["a"], Effect.UPDATE),
        (["a"], ["broken"], Effect.UPDATE),
    ],
)
def test_groups_that_drifted_are_mended(groups: list[str], shown: list[str], effect: Effect) -> None:
    wish = {"image": "i", "networks": ["n"], "security_groups": groups}
    seen = there("Machine", "running", properties={"networks": [{"network": "n", "groups": shown}]})
    found = decide("Machine", wish, seen, applied=wish, capabilities=able("Machine", ["networks"]))
    assert isinstance(found, Act) is (effect is Effect.UPDATE)
    if isinstance(found, Act):
        assert (found.verb, found.change.fields) == (Verb.UPDATE, ("networks",))


@pytest.mark.parametrize("kind", ["SecurityGroup", "Router", "FloatingIP"])
def test_what_somebody_changed_is_written_anew(kind: str) -> None:
    able_to = able(kind, ["intact"])
    found = decide(kind, {}, there(kind, properties={"intact": False}), applied={}, capabilities=able_to)
    assert isinstance(found, Act)
    assert (found.verb, found.change.fields) == (Verb.UPDATE, ("intact",))
    assert found.change.differences[0].drift
    assert (
        decide(kind, {}, there(kind, properties={"intact": True}), applied={}, capabilities=able_to)
        == Settled()
    )


# --- claims


def test_claims() -> None:
    def claims(kind: str, **properties: Any) -> set[Claim]:
        return set(KINDS[kind].claims(spec(kind, properties), UNABLE))

    assert claims("FloatingIP") == set()
    assert claims("FloatingIP", ip="127.0.1.9") == {Claim("address", "floating", "127.0.1.9")}
    assert claims("FloatingIPAssociation", floating_ip="f", port="p") == {Claim("address", "floating", "f")}
    assert claims("RouterInterface", router="r", network="n") == {Claim("name", "r", "n")}
    assert claims("RouterInterface", router=UNKNOWN, network="n") == set()


def test_an_association_leads_somewhere() -> None:
    assert "names no port and no machine" in wrong("FloatingIPAssociation", {"floating_ip": "f"}).message


# --- names


def test_groups_by_name() -> None:
    nodes = done(
        Node("web", "SecurityGroup", {"name": "the-web", "rules": [{"group": "db"}, {"group": "web"}]}),
        Node("db", "SecurityGroup", {}),
        Node("more", "SecurityGroupRule", {"security_group": "the-web", "group": "self"}),
        Node(
            "m", "Machine", {"image": Ref("i"), "networks": ["n"], "security_groups": ["the-web", Ref("db")]}
        ),
        Node("p", "Port", {"network": "n", "security_groups": ["db"]}),
    )
    assert nodes["m"].properties["security_groups"] == [Ref("web"), Ref("db")]
    assert nodes["p"].properties["security_groups"] == [Ref("db")]
    assert nodes["web"].properties["rules"] == [{"group": Ref("db")}, {"group": "self"}]
    assert nodes["more"].properties == {"security_group": Ref("web"), "group": "self"}
    assert nodes["more"].edges == (Edge("web", Until.BOUND),)


def test_the_default_group_is_one_for_the_stack() -> None:
    machine = {"image": Ref("i"), "security_groups": ["default"]}
    inner = Blueprint(nodes=(Node("m", "Machine", machine),))
    nodes = done(Node("a", "Machine", machine), Node("n", "Nested", {}, blueprint="b"), b=inner)
    group = nodes["security-group:default"]
    assert (group.implied, group.kind) == (True, "SecurityGroup")
    assert group.properties["rules"] == [{"direction": "ingress", "group": "self"}]
    assert nodes["a"].properties["security_groups"] == [Ref("security-group:default")]
    graph = complete(Graph(nodes=(), blueprints={"b": inner}), lambda name: OWN)
    assert graph.blueprints["b"].nodes[0].properties["security_groups"] == [Ref("/security-group:default")]


def test_a_name_that_there_is_not_is_a_mistake_with_its_place() -> None:
    with pytest.raises(DocumentError) as caught:
        done(
            Node("front", "SecurityGroup", {}),
            Node("m", "Machine", {"image": Ref("i"), "security_groups": ["fornt"]}),
        )
    (problem,) = caught.value.problems
    assert 'no security group "fornt"' in problem.message
    assert problem.hint == 'did you mean "front"?'


def test_a_machine_with_groups_gets_a_network_anywhere() -> None:
    bare = Capabilities(kinds=frozenset(KINDS))
    machine = Node("m", "Machine", {"image": Ref("i"), "security_groups": [Ref("g")]})
    graph = complete(Graph(nodes=(machine,)), lambda name: bare)
    assert [node.path for node in graph.nodes] == ["network:stack", "m"]


@pytest.mark.parametrize(
    ("kind", "properties", "ends"),
    [
        ("RouterInterface", {"router": Ref("r"), "network": Ref("s", ("network_id",))}, ["r", "s"]),
        ("RouterGateway", {"router": Ref("r"), "network": "public"}, ["r"]),
        (
            "FloatingIPAssociation",
            {"floating_ip": Ref("f"), "machine": Ref("m"), "target": Ref("m", ("first_address",))},
            ["f", "m"],
        ),
    ],
)
def test_associations_live_and_die_with_their_ends(
    kind: str, properties: dict[str, Any], ends: list[str]
) -> None:
    assert done(Node("it", kind, properties))["it"].edges == tuple(Edge(end, Until.BOUND) for end in ends)


# --- notes


def test_a_provider_says_what_becomes_of_things() -> None:
    whole, part = Note(Verdict.MAPS, "", "a thing"), Note(Verdict.REFUSED, "more", "one only")
    capabilities = Capabilities(kinds=frozenset(KINDS), notes={"Port": (whole, part)})
    node = Node("p", "Port", {"network": "n"})
    assert KINDS["Port"].notes(node, capabilities) == (whole,)
    more = Node("p", "Port", {"network": "n", "more": ["10.0.0.6"]})
    assert KINDS["Port"].notes(more, capabilities) == (whole, part)
    assert KINDS["Router"].notes(node, capabilities) == ()
