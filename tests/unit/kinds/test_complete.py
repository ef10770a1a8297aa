"""What a template leaves unsaid."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.errors import DocumentError
from terrace.kinds import KINDS, complete
from terrace.model.catalogue import FLAVORS, IMAGES, Catalogue
from terrace.model.graph import Blueprint, Edge, Graph, Node, Until
from terrace.model.problem import Place
from terrace.model.value import Call, Ref
from terrace.ports.driver import Capabilities

CATALOGUE = Catalogue(dict(FLAVORS), dict(IMAGES))
FULL = Capabilities(kinds=frozenset(KINDS), recorded=frozenset({"Subnet"}), catalogue=CATALOGUE)
BARE = Capabilities(kinds=frozenset({"Machine", "Subnet", "Network"}), catalogue=CATALOGUE)
PROVIDERS = {"": FULL, "lab": FULL, "bare": BARE}


def node(path: str, kind: str, properties: dict[str, Any], **more: Any) -> Node:
    return Node(path=path, kind=kind, properties=properties, **more)


def done(*nodes: Node, **blueprints: Blueprint) -> Graph:
    graph = complete(Graph(nodes=nodes, blueprints=blueprints), PROVIDERS.__getitem__)
    assert complete(graph, PROVIDERS.__getitem__) == graph, "completing twice is completing once"
    return graph


def properties(graph: Graph, path: str) -> dict[str, Any]:
    return next(one.properties for one in graph.nodes if one.path == path)


# --- images
def test_machines_share_an_image() -> None:
    place = Place("t.yaml", 3, 5)
    graph = done(
        node("a", "Machine", {"image": "debian-12"}, place=place),
        node("b", "Machine", {"image": "debian-12"}),
    )
    image, a, b = graph.nodes
    assert (image.path, image.kind, image.properties) == ("image:debian-12", "Image", {"source": "debian-12"})
    assert (image.implied, image.place) == (True, place)
    assert a.properties == b.properties == {"image": Ref("image:debian-12"), "image_name": "debian-12"}


def test_images_of_other_providers_are_others() -> None:
    graph = done(
        node("a", "Machine", {"image": "x:1"}), node("b", "Machine", {"image": "x:1"}, provider="lab")
    )
    assert [one.path for one in graph.nodes if one.implied] == ["image:x:1", "image:x:1@lab"]
    assert graph.nodes[1].provider == "lab"


def test_paths_of_images_are_paths_of_one_part() -> None:
    graph = done(
        node("a", "Machine", {"image": "docker.io/library/nginx:1"}),
        node("b", "Machine", {"image": "docker.io/library+nginx:1"}),
    )
    paths = [one.path for one in graph.nodes if one.implied]
    assert paths == ["image:docker.io~library~nginx:1", "image:docker.io~library~nginx:1~"]


@pytest.mark.parametrize("image", [Ref("mine"), Call("list_join", ("", ["a"])), None])
def test_other_images_are_left_alone(image: Any) -> None:
    graph = done(node("a", "Machine", {"image": image}))
    assert [one.properties for one in graph.nodes] == [{"image": image}]


def test_a_provider_without_images_gets_the_name() -> None:
    graph = done(node("a", "Machine", {"image": "debian-12"}, provider="bare"))
    assert [one.properties for one in graph.nodes] == [{"image": "debian-12"}]


def test_images_inside_groups() -> None:
    shape = {"kind": "Machine", "properties": {"image": "debian-12", "name": "m-%index%"}}
    graph = done(node("g", "Group", {"count": 2, "resource_def": shape}))
    assert [one.path for one in graph.nodes] == ["image:debian-12", "g"]
    inside = properties(graph, "g")["resource_def"]
    assert inside["properties"] == {
        "image": Ref("image:debian-12"),
        "image_name": "debian-12",
        "name": "m-%index%",
    }


def test_images_inside_blueprints_stand_at_the_top() -> None:
    shape = {"kind": "Machine", "properties": {"image": "b:1"}}
    graph = done(
        node("n", "Nested", {}, blueprint="b"),
        b=Blueprint(
            nodes=(node("m", "Machine", {"image": "a:1"}), node("g", "Group", {"resource_def": shape}))
        ),
    )
    assert [one.path for one in graph.nodes] == ["image:a:1", "image:b:1", "n"]
    machine, group = graph.blueprints["b"].nodes
    assert machine.properties["image"] == Ref("/image:a:1")
    assert group.properties["resource_def"]["properties"]["image"] == Ref("/image:b:1")


def test_an_image_given_as_a_parameter_is_followed_up() -> None:
    image = Call("input", ("image",))
    inner = Blueprint(nodes=(node("m", "Machine", {"image": image}),), parameters={"image": "debian-12"})
    middle = Blueprint(
        nodes=(
            node("i", "Nested", {"image": Call("input", ("picture",))}, blueprint="inner"),
            node("j", "Nested", {"image": "c:1"}, blueprint="inner"),
        )
    )
    shape = {"kind": "Nested", "blueprint": "inner", "properties": {"image": "d:1"}}
    graph = done(
        node("one", "Nested", {"picture": "a:1"}, blueprint="middle"),
        node("two", "Nested", {}, blueprint="inner"),
        node("three", "Nested", {"image": Ref("mine")}, blueprint="inner"),
        node("four", "Group", {"resource_def": shape}),
        inner=inner,
        middle=middle,
    )
    [machine] = graph.blueprints["inner"].nodes
    assert machine.properties == {"image": Call("input", ("image@image",)), "image_name": image}
    given, written = graph.blueprints["middle"].nodes
    assert given.properties["image@image"] == Call("input", ("picture@image",))
    assert written.properties == {"image": "c:1", "image@image": Ref("/image:c:1")}
    assert properties(graph, "one") == {"picture": "a:1", "picture@image": Ref("image:a:1")}
    assert properties(graph, "two") == {"image@image": Ref("image:debian-12")}
    assert properties(graph, "three") == {"image": Ref("mine"), "image@image": Ref("mine")}
    four = properties(graph, "four")["resource_def"]["properties"]
    assert four == {"image": "d:1", "image@image": Ref("image:d:1")}


def test_all_that_a_provider_does_not_have_is_said_at_once() -> None:
    place = Place("t.yaml", 7, 3)
    with pytest.raises(DocumentError) as caught:
        done(
            node("a", "Machine", {"image": "debain-12", "flavor": "m1.tniy"}, place=place),
            node("b", "Machine", {"image": "debian-12"}, provider="moon"),
        )
    assert [(one.code, one.line) for one in caught.value.problems] == [
        ("unknown-image", 7),
        ("unknown-flavor", 7),
        ("unknown-provider", 0),
    ]
    assert caught.value.problems[0].message == 'resource "a": there is no image "debain-12"'
    assert 'did you mean "debian-12"?' in caught.value.problems[0].hint


# --- networks
def test_a_port_says_where_it_stands() -> None:
    nics = [
        "n",
        {"port": Ref("p")},
        {"port": Ref("p"), "fixed_ip": "10.0.0.9"},
        {"port": "an id", "network": "n"},
    ]
    graph = done(node("a", "Machine", {"image": Ref("i"), "networks": nics}))
    found = properties(graph, "a")["networks"]
    told = {"network": "network_id", "mac": "mac", "groups": "security_groups"}
    port = {name: Ref("p", (attribute,)) for name, attribute in told.items()} | {"port": Ref("p")}
    assert found[0] == "n"
    assert found[1] == {**port, "ip": Ref("p", ("ip",))}
    assert found[2] == {**port, "fixed_ip": "10.0.0.9"}
    assert found[3] == nics[3]


SUBNET = {"network": Ref("net"), "cidr": "10.0.0.0/24", "gateway": "10.0.0.254"}


@pytest.mark.parametrize(
    ("network", "subnet", "expected"),
    [
        ({}, SUBNET, {"cidr": "10.0.0.0/24", "gateway": "10.0.0.254"}),
        ({"name": "x"}, {**SUBNET, "gateway": None}, {"name": "x", "cidr": "10.0.0.0/24"}),
        ({"cidr": "10.9.0.0/24"}, SUBNET, {"cidr": "10.9.0.0/24"}),
        ({}, {**SUBNET, "cidr": Ref("value", ("value",))}, {}),
        (
            {},
            {**SUBNET, "cidr": Call("input", ("range",)), "gateway": None},
            {"cidr": Call("input", ("range",))},
        ),
        ({}, {**SUBNET, "network": "an id"}, {}),
        ({}, {**SUBNET, "network": Ref("other")}, {}),
    ],
)
def test_a_network_gets_the_range_of_its_subnet(
    network: dict[str, Any], subnet: dict[str, Any], expected: dict[str, Any]
) -> None:
    graph = done(node("net", "Network", network), node("sub", "Subnet", subnet))
    assert properties(graph, "net") == expected
    assert properties(graph, "sub") == subnet


@pytest.mark.parametrize(
    ("cidr", "words"), [("10.1.0.0/24", "one range, 10.0.0.0/24 of a"), ("2001:db8::/64", "IPv4 only")]
)
def test_a_network_of_one_range_takes_no_second_subnet(cidr: str, words: str) -> None:
    nodes = [
        node("net", "Network", {}),
        node("a", "Subnet", SUBNET),
        node("b", "Subnet", {**SUBNET, "cidr": cidr}),
    ]
    with pytest.raises(DocumentError) as caught:
        done(*nodes)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.code == "not-supported"


def test_a_subnet_without_a_gateway_gives_its_network_no_way_out() -> None:
    graph = done(node("net", "Network", {}), node("sub", "Subnet", {**SUBNET, "internal": True}))
    assert properties(graph, "net")["internal"] is True


def test_real_subnets_are_left_alone() -> None:
    graph = done(node("net", "Network", {}, provider="bare"), node("sub", "Subnet", SUBNET, provider="bare"))
    assert properties(graph, "net") == {}


# --- attachments
def test_attachments_are_bound_to_both_ends() -> None:
    ends = {"machine": Ref("m"), "volume": Ref("v")}
    graph = done(node("a", "VolumeAttachment", ends), node("b", "VolumeAttachment", ends, edges=(Edge("m"),)))
    assert graph.nodes[0].edges == (Edge("m", Until.BOUND), Edge("v", Until.BOUND))
    assert graph.nodes[1].edges == (Edge("m"), Edge("v", Until.BOUND))


def test_a_graph_with_nothing_to_add_stays_the_same() -> None:
    nodes = (node("a", "Value", {"value": 1}), node("b", "Value", {"value": Ref("a")}))
    blueprint = Blueprint(nodes=nodes)
    graph = done(*nodes, b=blueprint)
    assert graph.nodes == nodes
    assert graph.blueprints["b"] is blueprint


def test_an_image_that_a_condition_chooses_is_an_image_in_every_branch() -> None:
    big = Call("input", ("big",))
    shape = Blueprint(
        (node("m", "Machine", {"image": Call("if", (big, "debian-12", Call("input", ("other",))))}),),
        required=("other", "big"),
    )
    graph = done(node("n", "Nested", {"big": True, "other": "nginx:1"}, blueprint="shape"), shape=shape)
    assert [one.path for one in graph.nodes if one.implied] == ["image:nginx:1", "image:debian-12"]
    assert properties(graph, "n")["other@image"] == Ref("image:nginx:1")
    machine = graph.blueprints["shape"].nodes[0].properties
    assert machine["image"] == Call("if", (big, Ref("/image:debian-12"), Call("input", ("other@image",))))
    assert machine["image_name"] == shape.nodes[0].properties["image"]


def test_a_port_chooses_from_the_pools_of_its_networks_subnet() -> None:
    pools = [{"start": "10.0.0.5", "end": "10.0.0.9"}]
    graph = Graph(
        (
            Node("net", "Network"),
            Node("range", "Subnet", {"network": Ref("net"), "cidr": "10.0.0.0/24", "pools": pools}),
            Node("port", "Port", {"network": Ref("net")}),
            Node("other", "Port", {"network": "elsewhere"}),
        )
    )
    done = {node.path: node for node in complete(graph, PROVIDERS.__getitem__).nodes}
    assert done["port"].properties["pools"] == pools
    assert "pools" not in done["other"].properties
