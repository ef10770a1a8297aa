"""Load balancers and what stands on them: what they take, what they hold alone, and what they are called in Heat."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from terrace.drivers.docker.balance.notes import NOTES
from terrace.kinds import KINDS, TYPES, check_properties
from terrace.kinds.net.fill import bound
from terrace.model.decision import Act, Claim, Settled
from terrace.model.graph import Edge, Node, Until
from terrace.model.plan import Verdict
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, Ref
from tests.unit.kinds.asking import UNABLE, decide, spec, there, wrong

FRONT = {"balancer": "b", "protocol": "HTTP", "port": 80}
HTTP = {"listener": "l", "protocol": "HTTP", "algorithm": "ROUND_ROBIN"}
MEMBER = {"pool": "p", "address": "10.0.0.9", "port": 80}
MONITOR = {"pool": "p", "type": "HTTP", "delay": 5, "timeout": 3, "retries": 2}
ON_DOCKER = replace(UNABLE, notes=NOTES)
BREAKING = ("/a\n  bind :9", "/a b", '/a"b', "/a'b", "/a#b", "/a\\b", "/a$b", "/{a}", "", "/a\n", "/a\0b")


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("LoadBalancer", {}, "names no subnet and no network"),
        ("LoadBalancer", {"network": "n", "address": "10.0.0"}, "is not an IP address"),
        (
            "LoadBalancer",
            {"network": "n", "security_groups": [None]},
            "a security group that comes to nothing",
        ),
        ("Listener", {"protocol": "HTTP", "port": 80}, "names no load balancer and no pool"),
        ("Listener", {**FRONT, "protocol": "TERMINATED_HTTPS"}, "is required where the protocol"),
        ("Listener", {**FRONT, "port": 70000}, "more than 65535"),
        ("Listener", {**FRONT, "allowed": ["10.0.0.9"]}, ""),
        ("Listener", {**FRONT, "allowed": ["ten"]}, "is not an address range"),
        ("Pool", {"protocol": "HTTP", "algorithm": "ROUND_ROBIN"}, "names no listener and no load balancer"),
        ("Pool", {**HTTP, "algorithm": "RANDOM"}, "is not one of"),
        (
            "Pool",
            {**HTTP, "persistence": {"type": "APP_COOKIE"}},
            "is required where persistence is by APP_COOKIE",
        ),
        ("Pool", {**HTTP, "persistence": {"type": "SOURCE_IP", "cookie": "A"}}, "means nothing"),
        ("Pool", {**HTTP, "persistence": {"type": "HTTP_COOKIE"}}, ""),
        ("PoolMember", {**MEMBER, "weight": 257}, "more than 256"),
        ("PoolMember", {**MEMBER, "address": "web"}, "is not an IP address"),
        ("HealthMonitor", {**MONITOR, "codes": "2xx"}, "does not match"),
        ("HealthMonitor", {**MONITOR, "codes": "200, 202-204"}, ""),
        ("HealthMonitor", {**MONITOR, "retries": 11}, "more than 10"),
        ("HealthMonitor", {**MONITOR, "method": "GET /"}, "is not one of"),
    ],
)
def test_what_is_taken(kind: str, properties: dict[str, Any], words: str) -> None:
    if words:
        assert words in wrong(kind, properties).message
    else:
        assert spec(kind, properties) is not None


@pytest.mark.parametrize("text", BREAKING)
def test_no_text_that_could_mean_more_to_a_proxy_is_taken(text: str) -> None:
    assert "does not match" in wrong("HealthMonitor", {**MONITOR, "path": text}).message
    cookie = {"type": "APP_COOKIE", "cookie": text}
    assert "does not match" in wrong("Pool", {**HTTP, "persistence": cookie}).message
    heat = {"pool": "p", "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2, "url_path": text}
    assert [one.path for one in check_properties("OS::Octavia::HealthMonitor", heat)] == [("url_path",)]
    keeping = {"type": "APP_COOKIE", "cookie_name": text}
    pool = {
        "listener": "l",
        "protocol": "HTTP",
        "lb_algorithm": "ROUND_ROBIN",
        "session_persistence": keeping,
    }
    wrongs = check_properties("OS::Octavia::Pool", pool)
    assert [one.path for one in wrongs] == [("session_persistence", "cookie_name")]


@pytest.mark.parametrize(
    ("kind", "properties", "held"),
    [
        ("LoadBalancer", {"network": "n"}, set()),
        ("LoadBalancer", {"network": "n", "address": "10.0.0.9"}, {Claim("address", "n", "10.0.0.9")}),
        ("LoadBalancer", {"subnet": UNKNOWN, "address": "10.0.0.9"}, set()),
        ("Listener", FRONT, {Claim("port", "b", "80/tcp")}),
        ("Listener", {**FRONT, "protocol": "UDP"}, {Claim("port", "b", "80/udp")}),
        ("Listener", {**FRONT, "balancer": UNKNOWN}, set()),
        ("Pool", HTTP, {Claim("name", "l", "its default pool")}),
        ("Pool", {**HTTP, "listener": None, "balancer": "b"}, set()),
        ("PoolMember", MEMBER, {Claim("name", "p", "10.0.0.9 80")}),
        ("PoolMember", {**MEMBER, "address": UNKNOWN}, set()),
        ("HealthMonitor", MONITOR, {Claim("name", "p", "its monitor")}),
    ],
)
def test_what_is_held_alone(kind: str, properties: dict[str, Any], held: set[Claim]) -> None:
    assert KINDS[kind].claims(spec(kind, properties), UNABLE) == held


@pytest.mark.parametrize(
    ("kind", "properties", "refused"),
    [
        ("Listener", {**FRONT, "protocol": "UDP"}, ["protocol=UDP"]),
        (
            "Listener",
            {**FRONT, "protocol": "TERMINATED_HTTPS", "certificate": "c"},
            ["protocol=TERMINATED_HTTPS", "certificate"],
        ),
        ("Listener", FRONT, []),
        ("HealthMonitor", {**MONITOR, "delay": 0}, []),
        ("Pool", {**HTTP, "algorithm": "SOURCE_IP_PORT"}, ["algorithm=SOURCE_IP_PORT"]),
        ("Pool", {**HTTP, "protocol": "PROXY"}, []),
        ("HealthMonitor", {**MONITOR, "type": "PING"}, ["type=PING"]),
    ],
)
def test_what_docker_refuses_is_said_before_anything_runs(
    kind: str, properties: dict[str, Any], refused: list[str]
) -> None:
    notes = KINDS[kind].notes(Node("it", kind, properties), ON_DOCKER)
    assert [note.what for note in notes if note.verdict is Verdict.REFUSED] == refused
    assert next(note.what for note in notes if note.verdict is Verdict.MAPS) == ""


def test_a_proxy_that_does_not_run_is_started() -> None:
    network = {"network": "n"}
    for state, verb in (("exited", Verb.START), ("paused", Verb.UNPAUSE), ("created", Verb.START)):
        found = decide("LoadBalancer", network, there("LoadBalancer", state), network)
        assert isinstance(found, Act)
        assert found.verb is verb
    for state in ("running", "available"):
        assert isinstance(decide("LoadBalancer", network, there("LoadBalancer", state), network), Settled)


def test_what_stands_on_a_load_balancer_lives_and_dies_with_it() -> None:
    for kind, name in {
        "Listener": "balancer",
        "Pool": "listener",
        "PoolMember": "pool",
        "HealthMonitor": "pool",
    }.items():
        assert bound(Node("it", kind, {name: Ref("up")})).edges == (Edge("up", Until.BOUND),)


@pytest.mark.parametrize(
    ("type_name", "heat", "native"),
    [
        (
            "LoadBalancer",
            {"vip_subnet": Ref("sub"), "vip_address": "10.0.0.9", "admin_state_up": False, "flavor": "x"},
            {
                "subnet": Ref("sub"),
                "network": Ref("sub", ("network_id",)),
                "address": "10.0.0.9",
                "enabled": False,
            },
        ),
        ("LoadBalancer", {"vip_subnet": "private"}, {"subnet": "private"}),
        (
            "Listener",
            {"loadbalancer": Ref("lb"), "protocol": "HTTP", "protocol_port": 80, "connection_limit": 9},
            {"balancer": Ref("lb"), "protocol": "HTTP", "port": 80, "limit": 9},
        ),
        (
            "Pool",
            {
                "listener": Ref("l"),
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "session_persistence": {"type": "APP_COOKIE", "cookie_name": "A"},
            },
            {
                "listener": Ref("l"),
                "protocol": "HTTP",
                "algorithm": "ROUND_ROBIN",
                "persistence": {"type": "APP_COOKIE", "cookie": "A"},
            },
        ),
        (
            "HealthMonitor",
            {
                "pool": "p",
                "type": "HTTP",
                "delay": 5,
                "timeout": 3,
                "max_retries": 2,
                "expected_codes": "204",
            },
            {"pool": "p", "type": "HTTP", "delay": 5, "timeout": 3, "retries": 2, "codes": "204"},
        ),
    ],
)
def test_octavia_in_our_words(type_name: str, heat: dict[str, Any], native: dict[str, Any]) -> None:
    entry = TYPES[f"OS::Octavia::{type_name}"]
    assert check_properties(entry.type, heat) == []
    assert entry.translate(heat) == native
