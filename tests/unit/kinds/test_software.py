"""Configurations, what is deployed, flavors and server groups: specs, references, decisions."""

from __future__ import annotations

import email
import json
from typing import Any

import pytest
from msgspec.structs import replace

from terrace.errors import DocumentError
from terrace.kinds import KINDS, complete
from terrace.model.decision import Act, Claim, Settled, Wait
from terrace.model.graph import Graph, Node
from terrace.model.plan import Note, Verdict
from terrace.model.value import UNKNOWN, Ref, Secret
from terrace.ports.kind import Child
from tests.unit.kinds.asking import NOWHERE, UNABLE, decide, spec, there, wanted, wrong

SCRIPT = {"config": "#!/bin/sh\ntrue", "group": "script", "inputs": [], "outputs": []}
KEPT: dict[str, dict[str, Any]] = {
    "uid-1": SCRIPT,
    "structured-1": {"config": {"port": {"get_input": "port"}, "fixed": [1]}, "group": "script"},
    "puppet-1": {"config": "class a {}", "group": "puppet"},
    "flavor-1": {"name": "tiny", "cpu": 1, "memory": 64, "disk": 0, "pids": 9},
    "group-1": {"name": "g", "policies": ["anti-affinity"]},
    "named-1": {"name": "bare", "id": "named-1"},
}


def resolved(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Properties as the engine hands them to the kind."""
    return dict(KINDS[kind].resolve(properties, KEPT.get))


# --- configurations


def test_cloud_config_is_text_that_a_guest_reads() -> None:
    made = spec("CloudConfig", {"cloud_config": {"runcmd": ["true"]}}).config
    first, _, rest = made.partition("\n")
    assert first == "#cloud-config"
    assert json.loads(rest) == {"runcmd": ["true"]}


def test_what_is_hidden_in_a_part_hides_the_whole() -> None:
    made = spec("CloudConfig", {"cloud_config": {"write_files": [{"content": Secret("s3cret")}]}}).config
    assert isinstance(made, Secret)
    assert "s3cret" in made.reveal()
    mime = spec("MultipartMime", {"parts": [{"config": Secret("#!/bin/sh\n")}]}).config
    assert isinstance(mime, Secret)


def test_what_is_not_known_yet_makes_the_whole_unknown() -> None:
    assert spec("CloudConfig", {"cloud_config": {"a": UNKNOWN}}).config is UNKNOWN
    assert spec("MultipartMime", {"parts": [{"config": UNKNOWN}]}).config is UNKNOWN


def test_several_parts_are_one_message() -> None:
    inner = spec("MultipartMime", {"parts": [{"config": "#!/bin/sh\necho inner"}]}).config
    parts = [
        {"config": "#!/bin/sh\necho ä", "filename": "a.sh"},
        {"config": "#cloud-config\n{}"},
        {"config": "x", "subtype": "x-special"},
        {"config": inner, "type": "multipart"},
    ]
    made = spec("MultipartMime", {"parts": parts}).config
    message = email.message_from_bytes(made.encode())
    found = [one for one in message.walk() if not one.is_multipart()]
    assert [one.get_content_type() for one in found] == [
        "text/x-shellscript",
        "text/cloud-config",
        "text/x-special",
        "text/x-shellscript",
    ]
    assert found[0].get_filename() == "a.sh"
    assert found[0].get_payload(decode=True) == "#!/bin/sh\necho ä".encode()
    assert b"echo inner" in found[3].get_payload(decode=True)  # type: ignore[operator]
    assert made == spec("MultipartMime", {"parts": parts}).config


@pytest.mark.parametrize(
    ("kind", "properties", "path"),
    [
        ("MultipartMime", {"parts": [{"filename": "a"}]}, ("parts", 0, "config")),
        ("MultipartMime", {"parts": [{"config": "a", "filename": 'a"b'}]}, ("parts", 0, "filename")),
        ("MultipartMime", {"parts": [{"config": "a", "subtype": "a b"}]}, ("parts", 0, "subtype")),
        ("SoftwareConfig", {"inputs": [{}]}, ("inputs", 0, "name")),
        ("SoftwareConfig", {"outputs": [{"name": "../x"}]}, ("outputs", 0, "name")),
        ("SoftwareDeployment", {"config": "a"}, ("machine",)),
        ("SoftwareDeployment", {"machine": "m", "config": "a", "actions": ["NAP"]}, ("actions", 0)),
        ("SoftwareDeployment", {"machine": "m", "config": "a", "inputs": {"a=b": 1}}, ("inputs", "a=b")),
        ("ServerGroup", {"policies": ["near"]}, ("policies", 0)),
        ("ServerGroup", {"policies": ["affinity", "anti-affinity"]}, ("policies",)),
    ],
)
def test_mistakes(kind: str, properties: dict[str, Any], path: tuple[Any, ...]) -> None:
    assert wrong(kind, properties).path == path


# --- what refers to them


def test_user_data_that_names_a_configuration_is_its_text() -> None:
    assert resolved("Machine", {"user_data": "uid-1"})["user_data"] == SCRIPT["config"]
    assert resolved("Machine", {"user_data": "#!/bin/sh\n"})["user_data"] == "#!/bin/sh\n"


def test_parts_that_name_a_configuration_hold_its_text() -> None:
    parts = [{"config": "uid-1"}, {"config": "#!/bin/sh\n"}]
    assert [one["config"] for one in resolved("MultipartMime", {"parts": parts})["parts"]] == [
        SCRIPT["config"],
        "#!/bin/sh\n",
    ]


def test_a_flavor_of_the_template_gives_the_sizes() -> None:
    found = spec("Machine", resolved("Machine", {"image": "i", "flavor": "flavor-1", "cpu": 2}))
    assert (found.cpu, found.memory, found.pids, found.flavor) == (2, 64, 9, "")


def test_machines_that_must_stand_apart_claim_the_only_host() -> None:
    one = replace(UNABLE, hosts=1)
    found = spec("Machine", resolved("Machine", {"image": "i", "group": "group-1"}))
    assert found.placement == "anti-affinity"
    assert KINDS["Machine"].claims(found, one) == {Claim("host", "group-1", "the only one")}
    assert KINDS["Machine"].claims(found, UNABLE) == frozenset()


def test_references_are_said_in_full_where_both_ends_are_seen() -> None:
    nodes = (
        Node("boot", "SoftwareConfig", {"config": "#!/bin/sh"}),
        Node("all", "MultipartMime", {"parts": [{"config": Ref("boot")}]}),
        Node("web", "Machine", {"image": Ref("i"), "user_data": Ref("all")}),
    )
    done = {node.path: node for node in complete(Graph(nodes), lambda name: UNABLE).nodes}
    assert done["all"].properties["parts"] == [{"config": Ref("boot", ("config",))}]
    assert done["web"].properties["user_data"] == Ref("all", ("config",))


@pytest.mark.parametrize("policy", ["anti-affinity", "affinity"])
def test_apart_is_refused_where_there_is_one_host(policy: str) -> None:
    machine = {"image": Ref("i"), "group": Ref("g")}
    nodes = (
        Node("g", "ServerGroup", {"policies": [policy]}),
        Node("a", "Machine", machine),
        Node("b", "Machine", machine),
    )
    one = replace(UNABLE, hosts=1)
    if policy == "affinity":
        assert len(complete(Graph(nodes), lambda name: one).nodes) == 3
        return
    with pytest.raises(DocumentError) as caught:
        complete(Graph(nodes), lambda name: one)
    assert "has one" in str(caught.value)
    assert len(complete(Graph(nodes[:2]), lambda name: one).nodes) == 2


# --- deployments


def test_a_deployment_takes_its_configuration_in() -> None:
    kept = {
        **SCRIPT,
        "inputs": [{"name": "a", "default": 1}, {"name": "b", "replace_on_change": True}],
        "outputs": [{"name": "out"}, {"name": "bad", "error_output": True}],
    }
    given = KINDS["SoftwareDeployment"].resolve(
        {
            "machine": "m",
            "config": "uid-1",
            "inputs": {"b": ["x"], "c": True},
            "actions": ["CREATE", "DELETE"],
        },
        {"uid-1": kept}.get,
    )
    found = spec("SoftwareDeployment", dict(given))
    assert found.scripts == {"CREATE": SCRIPT["config"], "DELETE": SCRIPT["config"]}
    assert found.inputs == {"a": "1", "b": '["x"]', "c": "true"}
    assert found.pinned == {"b": '["x"]'}
    assert (found.outputs, found.errors, found.group) == (("out", "bad"), ("bad",), "script")


def test_inputs_stand_in_a_map() -> None:
    given = {"machine": "m", "config": "structured-1", "inputs": {"port": 80}}
    found = spec("SoftwareDeployment", resolved("SoftwareDeployment", given))
    assert json.loads(found.scripts["CREATE"]) == {"port": 80, "fixed": [1]}


def test_a_component_picks_the_script_of_each_action() -> None:
    parts = [
        {"actions": ["CREATE"], "config": "make", "tool": "script"},
        {"actions": ["DELETE"], "config": "clean", "tool": "script"},
    ]
    kept = {"config": {"configs": parts}, "group": "component"}
    actions = ["CREATE", "UPDATE", "DELETE"]
    given = KINDS["SoftwareDeployment"].resolve(
        {"machine": "m", "config": "c-1", "actions": actions}, {"c-1": kept}.get
    )
    found = spec("SoftwareDeployment", dict(given))
    assert (found.group, found.scripts) == ("script", {"CREATE": "make", "DELETE": "clean"})


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"machine": "m", "config": "puppet-1"}, 'scripts only, not "puppet"'),
        ({"machine": "named-1", "config": "uid-1"}, "named-1 is no machine that Terrace made"),
    ],
)
def test_what_only_an_agent_could_run_waits(properties: dict[str, Any], words: str) -> None:
    found = decide("SoftwareDeployment", resolved("SoftwareDeployment", properties), NOWHERE)
    assert isinstance(found, Wait)
    assert found.stuck
    assert "needs the agent" in found.reason
    assert words in found.reason


def test_a_script_is_deployed_and_its_change_is_a_run_of_its_own() -> None:
    before, after = {"machine": "m", "config": "a"}, {"machine": "m", "config": "b"}
    assert isinstance(decide("SoftwareDeployment", before, NOWHERE), Act)
    found = decide("SoftwareDeployment", after, there("SoftwareDeployment"), applied=before)
    assert isinstance(found, Act)
    assert (found.verb, found.change.fields) == ("update", ("scripts",))


def test_a_group_deploys_to_each_machine() -> None:
    kind: Any = KINDS["SoftwareDeploymentGroup"]
    properties = {"servers": {"b": Ref("m1"), "a": Ref("m2")}, "config": Ref("c")}
    node = Node("all", kind.name, properties)
    asked = wanted("Value", {})
    typed = kind.spec({"servers": {"b": "1", "a": "2"}, "config": "c"}, node, UNABLE)
    children: dict[str, Child] = {}
    found = kind.expand(replace(asked, node=node, spec=typed), None, None, children, 0.0)
    assert [child.path for child in found.children] == ["all/a", "all/b"]
    assert found.children[0].properties == {"config": Ref("c"), "machine": Ref("m2")}
    assert kind.attribute(found, ("deploy_stdouts",)) == {
        "a": Ref("all/a", ("deploy_stdout",)),
        "b": Ref("all/b", ("deploy_stdout",)),
    }
    assert kind.attribute(found, ("result", "b")) == Ref("all/b", ("result",))
    unknown = kind.spec({"servers": UNKNOWN, "config": "c"}, node, UNABLE)
    assert kind.expand(replace(asked, node=node, spec=unknown), None, None, children, 0.0).undecided


# --- first boot


@pytest.mark.parametrize(
    ("boot", "lacking", "stuck"),
    [("", "", False), ("running", "why", False), ("waiting", "why", True), ("failed", "why", True)],
)
def test_a_machine_lacks_what_its_user_data_has_not_done(boot: str, lacking: str, stuck: bool) -> None:
    seen = there("Machine", "running", boot=boot, why="why")
    found = decide("Machine", {"image": "i"}, seen, applied={"image": "i"})
    assert isinstance(found, Settled)
    assert (found.ready, found.lacking, found.stuck) == (True, lacking, stuck)


# --- images by address


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:22/",
        "https://images.example.evil/a.tar",
        "https://user@images.example/pub/a.tar",
        "https://images.example/pub/../secret/a.tar",
        "https://images.example/pub/%2e%2e/secret/a.tar",
        "file:///etc/passwd",
        "gopher://images.example/pub/a",
    ],
)
def test_cve_2016_9185_an_address_outside_the_settings_is_refused_alike_and_never_asked(address: str) -> None:
    allowing = replace(UNABLE, image_urls=("https://images.example/pub/",))
    messages = {
        wrong("Image", {"source": one}, capabilities).message
        for one in (address, "http://10.0.0.1/x")
        for capabilities in (UNABLE, allowing)
    }
    assert messages == {"this provider fetches no image from that address"}


def test_an_address_of_the_settings_is_taken() -> None:
    allowing = replace(UNABLE, image_urls=("https://images.example/pub/",))
    address = "https://images.example/pub/a.tar"
    assert spec("Image", {"source": address, "format": "archive"}, capabilities=allowing).source == address


# --- notes


def test_a_provider_says_what_it_makes_of_a_property() -> None:
    note = Note(Verdict.MAPS, "size", "a number")
    saying = replace(UNABLE, notes={"Volume": (note,)})
    assert KINDS["Volume"].notes(Node("v", "Volume", {"size": 1}), saying) == (note,)
    assert KINDS["Volume"].notes(Node("v", "Volume", {}), saying) == ()
