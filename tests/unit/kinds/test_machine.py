"""Machines: their spec, what they want next, what a change of each property takes, what they hold."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds import KINDS
from terrace.model.decision import Act, Claim, Effect, Refuse, Settled, Wait
from terrace.model.graph import Node
from terrace.model.spec.machine import File, Health, Mount, Nic, Publish
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, Secret
from terrace.ports.driver import Capabilities
from tests.unit.kinds.asking import UNABLE, able, changes, decide, spec, there, wanted, wrong

IMAGE = {"image": "sha256:1"}
MACHINE = KINDS["Machine"]
HEALTH = {"type": "tcp", "port": 80}


# --- the spec
def test_the_least_machine() -> None:
    found = spec("Machine", IMAGE, path="group/0")
    assert (found.name, found.image, found.restart, found.aliases) == (
        "group-0",
        "sha256:1",
        "always",
        ("group-0",),
    )
    assert (found.cpu, found.memory, found.disk, found.pids) == (0, 0, 0, 0)


def test_everything_in_its_type() -> None:
    found = spec(
        "Machine",
        {
            **IMAGE,
            "name": "web",
            "memory": "1G",
            "cpu": "0.5",
            "networks": [
                "n1",
                {"network": "n2", "ip": "10.0.0.9"},
                {"network": "n3", "fixed_ip": "10.1.0.9", "port": "p"},
            ],
            "volumes": [{"volume": "v", "path": "/data", "read_only": "yes"}],
            "environment": {"A": 1, "B": Secret("b")},
            "command": "sh -c 'echo hello'",
            "files": [{"path": "/etc/x", "content": Secret("c"), "mode": "0600"}],
            "user_data": "#!/bin/sh\n",
            "keys": "ssh-ed25519 AAAA me",
            "metadata": {"a": 1, "b": {"c": [1]}},
            "health": {**HEALTH, "interval": "10s"},
            "publish": [80, "8080:80", "127.0.0.2:53:53/udp", {"guest": 1, "host": 2}],
            "aliases": ["db", "web"],
            "log_size": "20M",
        },
        path="server",
    )
    assert (found.memory, found.cpu, found.log_size) == (1024, 0.5, 20)
    assert found.networks == (Nic("n1"), Nic("n2", "10.0.0.9"), Nic("n3", "10.1.0.9", port="p"))
    assert found.volumes == (Mount("v", "/data", True),)
    assert found.environment == {"A": "1", "B": Secret("b")}
    assert found.command == ("sh", "-c", "echo hello")
    assert found.files == (File("/etc/x", Secret("c"), "0600"),)
    assert found.keys == ("ssh-ed25519 AAAA me",)
    assert found.metadata == {"a": "1", "b": '{"c": [1]}'}
    assert found.health == Health("tcp", port=80, interval=10.0)
    assert found.publish == (
        Publish(80),
        Publish(80, 8080),
        Publish(53, 53, "127.0.0.2", "udp"),
        Publish(1, 2),
    )
    assert found.aliases == ("server", "web", "db")


@pytest.mark.parametrize(
    ("properties", "sizes"),
    [
        ({"flavor": "m1.tiny"}, (1, 512, 512)),
        ({"flavor": "m1.tiny", "memory": "64M"}, (1, 64, 512)),
        ({"flavor": "m1.tiny", "cpu": 0}, (0, 512, 512)),
        ({"memory": 64}, (0, 64, 0)),
        ({"flavor": UNKNOWN, "memory": 64}, (UNKNOWN, 64, UNKNOWN)),
    ],
)
def test_sizes_come_from_the_flavor_unless_given(properties: dict[str, Any], sizes: tuple[Any, ...]) -> None:
    found = spec("Machine", {**IMAGE, **properties})
    assert (found.cpu, found.memory, found.pids) == sizes


@pytest.mark.parametrize(
    ("properties", "path", "words"),
    [
        ({"image": None}, ("image",), "is required"),
        ({"flavor": "m1.tniy"}, ("flavor",), 'there is no flavor "m1.tniy"'),
        ({"name": ["a"]}, ("name",), "expects a text"),
        ({"memory": "lots"}, ("memory",), "expects a size"),
        ({"cpu": -1}, ("cpu",), "less than 0"),
        ({"networks": [{"ip": "10.0.0.1"}]}, ("networks", 0, "network"), "a network, or a port, is required"),
        ({"networks": [{"port": "p"}]}, ("networks", 0, "port"), "the network of this port is not known"),
        ({"networks": [{"network": "n", "ip": "10.0.0"}]}, ("networks", 0, "ip"), "not an IP address"),
        ({"networks": "n"}, ("networks",), "expects a list"),
        ({"volumes": [{"volume": "v", "path": "data"}]}, ("volumes", 0, "path"), "not an absolute path"),
        ({"volumes": [{"volume": "v", "path": "/a/../b"}]}, ("volumes", 0, "path"), 'must not hold ".."'),
        ({"files": [{"path": "/a", "mode": 420}]}, ("files", 0, "mode"), "in quotes"),
        ({"environment": {"A": 1.5}}, ("environment", "A"), "expects a text"),
        ({"keys": ["my-key"]}, ("keys", 0), 'there is no key "my-key"'),
        ({"restart": "sometimes"}, ("restart",), "is not one of"),
        ({"health": {"type": "tcp"}}, ("health", "port"), "needs the port"),
        ({"health": {"type": "http"}}, ("health", "port"), "needs the port"),
        ({"health": {"type": "command"}}, ("health", "command"), "needs the command"),
        ({"health": {"type": "icmp"}}, ("health", "type"), "is not one of"),
        ({"publish": ["x:80"]}, ("publish", 0, "host"), "expects a whole number"),
        ({"publish": [70000]}, ("publish", 0, "guest"), "more than 65535"),
        ({"publish": ["80/sctp"]}, ("publish", 0, "protocol"), "is not one of"),
        ({"command": [Secret("x")]}, ("command", 0), "hidden value"),
        ({"metadata": {"a": Secret("x")}}, ("metadata", "a"), "hidden value"),
        ({"colour": "red"}, ("colour",), "no such property"),
    ],
)
def test_mistakes(properties: dict[str, Any], path: tuple[Any, ...], words: str) -> None:
    error = wrong("Machine", {**IMAGE, **properties})
    assert error.path == path
    assert words in error.message


def test_an_unknown_flavor_is_guessed() -> None:
    assert wrong("Machine", {**IMAGE, "flavor": "m1.tniy"}).hint == 'did you mean "m1.tiny"?'
    assert wrong("Machine", {**IMAGE, "flavor": "huge"}).hint.startswith("known: m1.large, ")


def test_nothing_is_published_where_the_provider_does_not_allow_it() -> None:
    closed = Capabilities(kinds=UNABLE.kinds, publish=False)
    assert wrong("Machine", {**IMAGE, "publish": [80]}, closed).code == "not-allowed"


def test_the_name_of_an_image_is_looked_up() -> None:
    assert spec("Machine", {"image": "debian"}).image == "recipe:debian-12"


def test_the_unknown_may_stand_anywhere() -> None:
    table = MACHINE.schema.properties  # type: ignore[attr-defined]
    for name in table:
        found = spec("Machine", {**IMAGE, name: UNKNOWN})
        assert MACHINE.claims(found, UNABLE) == frozenset()
    inside = spec(
        "Machine",
        {
            **IMAGE,
            "networks": [UNKNOWN, {"network": UNKNOWN, "ip": UNKNOWN}],
            "volumes": [UNKNOWN, {"volume": UNKNOWN, "path": "/a"}],
            "publish": [UNKNOWN, {"guest": UNKNOWN, "host": UNKNOWN}],
            "files": [UNKNOWN, {"path": "/a", "content": UNKNOWN}],
            "health": {"type": UNKNOWN},
            "metadata": {"a": UNKNOWN, "b": [UNKNOWN]},
            "keys": [UNKNOWN],
            "command": ["a", UNKNOWN],
        },
    )
    assert inside.networks[1].ip is UNKNOWN
    assert MACHINE.claims(inside, UNABLE) == frozenset()


# --- what it wants next
CHECKED = {**IMAGE, "health": HEALTH}
ON_FAILURE = {**IMAGE, "restart": "on-failure"}
NEVER = {**IMAGE, "restart": "never"}


@pytest.mark.parametrize(
    ("properties", "state", "more", "expected"),
    [
        (IMAGE, "running", {}, Settled("running")),
        (IMAGE, "running", {"healthy": False}, Settled("running", healthy=False)),
        (CHECKED, "running", {}, Settled("running, its health is not known yet", healthy=False)),
        (CHECKED, "running", {"healthy": True}, Settled("running and healthy")),
        (CHECKED, "running", {"healthy": False}, Settled("running, but not healthy", healthy=False)),
        (IMAGE, "paused", {}, Act(Verb.UNPAUSE, "it is paused")),
        (IMAGE, "created", {}, Act(Verb.START, "it has not been started")),
        (IMAGE, "exited", {"exit_code": 0}, Act(Verb.START, "it ended with exit code 0")),
        (IMAGE, "exited", {}, Act(Verb.START, "it ended")),
        (IMAGE, "dead", {"exit_code": 137}, Act(Verb.START, "it ended with exit code 137")),
        (ON_FAILURE, "exited", {"exit_code": 0}, Settled("it ended well")),
        (ON_FAILURE, "exited", {"exit_code": 1}, Act(Verb.START, "it ended with exit code 1")),
        (ON_FAILURE, "exited", {}, Act(Verb.START, "it ended")),
        (NEVER, "exited", {"exit_code": 0}, Settled("it ended well")),
        (
            NEVER,
            "exited",
            {"exit_code": 3},
            Refuse(
                "it ended with exit code 3, and its restart rule is never",
                "terrace logs shows what it wrote last",
            ),
        ),
        (IMAGE, "stopping", {}, Wait("it is stopping")),
    ],
)
def test_decisions(properties: dict[str, Any], state: str, more: dict[str, Any], expected: object) -> None:
    assert decide("Machine", properties, there("Machine", state, **more), applied=properties) == expected


def test_a_replacement_comes_before_a_start() -> None:
    found = decide("Machine", {"image": "b"}, there("Machine", "exited", exit_code=1), applied={"image": "a"})
    assert isinstance(found, Act)
    assert (found.verb, found.change.fields) == (Verb.REPLACE, ("image",))


# --- changes: every property, where the provider can do all it might and where it can do nothing
EACH: list[tuple[str, Any, Any, Effect, Effect]] = [
    ("name", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("image", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("image_name", "a", "b", Effect.NONE, Effect.NONE),
    ("flavor", "m1.tiny", "m1.micro", Effect.UPDATE, Effect.REPLACE),
    ("cpu", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("memory", "1G", "2G", Effect.UPDATE, Effect.REPLACE),
    ("disk", "1G", "2G", Effect.UPDATE, Effect.REPLACE),
    ("pids", 10, 20, Effect.UPDATE, Effect.REPLACE),
    ("networks", ["a"], ["a", "b"], Effect.UPDATE, Effect.REPLACE),
    ("volumes", [], [{"volume": "v", "path": "/v"}], Effect.REPLACE, Effect.REPLACE),
    ("environment", {"A": "1"}, {"A": "2"}, Effect.REPLACE, Effect.REPLACE),
    ("command", ["a"], ["b"], Effect.REPLACE, Effect.REPLACE),
    ("files", [{"path": "/a"}], [{"path": "/a", "content": "x"}], Effect.REPLACE, Effect.REPLACE),
    ("user_data", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("user_data_format", "RAW", "SOFTWARE_CONFIG", Effect.REPLACE, Effect.REPLACE),
    ("keys", [], ["ssh-rsa AAAA"], Effect.REPLACE, Effect.REPLACE),
    ("metadata", {"a": "1"}, {"a": "2"}, Effect.UPDATE, Effect.REPLACE),
    ("health", None, HEALTH, Effect.UPDATE, Effect.UPDATE),
    ("restart", "always", "never", Effect.UPDATE, Effect.UPDATE),
    ("log_size", 10, 20, Effect.UPDATE, Effect.REPLACE),
    ("publish", [80], [81], Effect.REPLACE, Effect.REPLACE),
    ("aliases", [], ["b"], Effect.UPDATE, Effect.REPLACE),
    ("workdir", "/a", "/b", Effect.REPLACE, Effect.REPLACE),
    ("tags", ["a"], ["b"], Effect.UPDATE, Effect.UPDATE),
    ("boot_volume", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("group", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("placement", "affinity", "anti-affinity", Effect.NONE, Effect.NONE),
    ("password", "a", "b", Effect.REPLACE, Effect.REPLACE),
]
WILLING = able(
    "Machine",
    ["cpu", "memory", "disk", "pids", "networks", "metadata", "log_size", "aliases", "image", "name"],
)


@pytest.mark.parametrize(("name", "before", "after", "willing", "unable"), EACH, ids=[one[0] for one in EACH])
def test_changes(name: str, before: Any, after: Any, willing: Effect, unable: Effect) -> None:
    old, new = {**IMAGE, name: before}, {**IMAGE, name: after}
    assert changes("Machine", old, new, WILLING).effect is willing
    assert changes("Machine", old, new, UNABLE).effect is unable
    assert changes("Machine", new, new, UNABLE).effect is Effect.NONE


def test_every_property_has_its_change() -> None:
    table = MACHINE.schema.properties  # type: ignore[attr-defined]
    assert {one[0] for one in EACH} == set(table) - {"security_groups"}
    before, after = ({**IMAGE, "networks": ["a"], "security_groups": groups} for groups in ([], ["g"]))
    assert changes("Machine", before, after).fields == ("networks",)


def test_a_flavor_of_the_same_size_is_no_change() -> None:
    sizes = {
        "cpu": 1,
        "memory": 512,
        "disk": spec("Machine", {**IMAGE, "flavor": "m1.tiny"}).disk,
        "pids": 512,
    }
    assert changes("Machine", {**IMAGE, "flavor": "m1.tiny"}, {**IMAGE, **sizes}).effect is Effect.NONE


def test_a_hidden_value_that_changed_is_a_change() -> None:
    old, new = ({**IMAGE, "environment": {"A": Secret(word)}} for word in ("one", "seventeen"))
    change = changes("Machine", old, new)
    assert change.effect is Effect.REPLACE
    assert "seventeen" not in repr(change)


@pytest.mark.parametrize(
    ("properties", "shown", "drifted"),
    [
        ({"memory": 64}, {"memory": 64}, ()),
        ({"memory": 64}, {"memory": 128}, ("memory",)),
        ({}, {"memory": 128}, ("memory",)),
        ({}, {"memory": 0}, ()),
        ({"cpu": 1}, {"cpu": 1.0}, ()),
        ({"networks": ["a"]}, {"networks": [{"network": "a"}]}, ()),
        ({"networks": ["a"]}, {"networks": [{"network": "a", "ip": "10.0.0.2"}]}, ()),
        ({"networks": ["a"]}, {"networks": []}, ("networks",)),
        ({"networks": ["a"]}, {"networks": [{"network": "a"}, {"network": "b"}]}, ("networks",)),
        ({"networks": ["a"]}, {"networks": [{"network": "id-a", "name": "a"}]}, ()),
        ({"networks": ["a", "b"]}, {"networks": [{"network": "b"}, {"network": "a"}]}, ()),
        ({"networks": []}, {"networks": [{"network": "default"}]}, ()),
        (
            {"networks": [{"network": "a", "ip": "10.0.0.2"}]},
            {"networks": [{"network": "a", "ip": "10.0.0.3"}]},
            ("networks",),
        ),
        ({"environment": {"A": "1"}}, {"environment": {"A": "1", "PATH": "/bin"}}, ()),
        ({"environment": {"A": "1"}}, {"environment": {"PATH": "/bin"}}, ("environment",)),
        ({"environment": {"A": Secret("1")}}, {"environment": {"A": "1"}}, ()),
    ],
)
def test_drift(properties: dict[str, Any], shown: dict[str, Any], drifted: tuple[str, ...]) -> None:
    seen = there("Machine", "running", properties=shown).seen
    whole = {**IMAGE, **properties}
    assert changes("Machine", whole, whole, seen=seen).fields == drifted


# --- what it holds, what it gives
def test_claims() -> None:
    found = spec(
        "Machine",
        {
            **IMAGE,
            "networks": ["free", {"network": "n", "ip": "10.0.0.2"}],
            "publish": [80, "8080:80", "53:53/udp"],
            "volumes": [{"volume": "v", "path": "/v"}, {"volume": "r", "path": "/r", "read_only": True}],
        },
    )
    assert MACHINE.claims(found, UNABLE) == {
        Claim("address", "n", "10.0.0.2"),
        Claim("port", "", "8080/tcp"),
        Claim("port", "", "53/udp"),
        Claim("volume", "", "v"),
    }


def test_what_is_foretold() -> None:
    wish = wanted("Machine", {**IMAGE, "name": "web"})
    assert MACHINE.foretell(wish, ("name",)) == "web"
    assert MACHINE.foretell(wish, ("first_address",)) is UNKNOWN
    assert MACHINE.foretell(wish, ()) is UNKNOWN


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("web", "web"),
        ("group/0", "group-0"),
        ("a_b", "a-b"),
        ("_", "machine"),
        ("x" * 80, "x" * 63),
        ("a.b", "a.b"),
    ],
)
def test_names_made_from_paths_are_fit_for_hosts(path: str, name: str) -> None:
    assert MACHINE.spec(IMAGE, Node(path=path, kind="Machine"), UNABLE).name == name
