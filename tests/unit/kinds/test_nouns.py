"""Volumes, networks, images, keys and what Terrace makes itself: specs, changes, claims, references."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds import KINDS, SCHEMAS
from terrace.kinds.group.policy import KINDS as KINDS_OF_POLICY
from terrace.model.decision import Act, Claim, Effect, Refuse
from terrace.model.seen import Seen
from terrace.model.step import Verb
from terrace.model.value import UNKNOWN, Secret
from tests.unit.kinds.asking import UNABLE, able, changes, decide, spec, there, wanted, wrong
from tests.unit.kinds.balancing import BALANCE

KEY = "ssh-ed25519 AAAAC3Nz me@here"
SUBNET = {"network": "n", "cidr": "10.0.0.0/24"}
DEPLOYED = {"machine": "m", "config": "a"}
STRUCTURED = {"machine": "m", "config": {"a": {"get_input": "x"}}, "inputs": {"x": 1}}

_RULE = {"security_group": "g", "protocol": "tcp", "from_port": 1, "to_port": 9}
_ENDS = {"router": "r", "network": "n"}
_LEAD = {"floating_ip": "f", "port": "p"}
PASSAGE: list[tuple[str, dict[str, Any], str, Any, Any, Effect, Effect]] = [
    ("SecurityGroup", {}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("SecurityGroup", {}, "description", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("SecurityGroup", {}, "rules", [], [{"protocol": "tcp"}], Effect.UPDATE, Effect.REPLACE),
    *(
        ("SecurityGroupRule", _RULE, name, before, after, Effect.REPLACE, Effect.REPLACE)
        for name, before, after in (
            ("security_group", "g", "h"),
            ("direction", "ingress", "egress"),
            ("protocol", "tcp", "udp"),
            ("from_port", 1, 2),
            ("to_port", 9, 8),
            ("cidr", "10.0.0.0/8", "10.1.0.0/16"),
            ("group", "g", "self"),
            ("ethertype", "IPv4", "IPv6"),
        )
    ),
    ("Router", {}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Router", {}, "gateway", None, "public", Effect.UPDATE, Effect.REPLACE),
    ("RouterInterface", _ENDS, "router", "r", "s", Effect.REPLACE, Effect.REPLACE),
    ("RouterInterface", _ENDS, "network", "n", "m", Effect.REPLACE, Effect.REPLACE),
    ("RouterGateway", _ENDS, "router", "r", "s", Effect.REPLACE, Effect.REPLACE),
    ("RouterGateway", _ENDS, "network", "n", "m", Effect.REPLACE, Effect.REPLACE),
    ("FloatingIP", {}, "pool", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("FloatingIP", {}, "ip", None, "127.0.1.9", Effect.REPLACE, Effect.REPLACE),
    ("FloatingIP", {}, "target", None, "10.0.0.9", Effect.UPDATE, Effect.REPLACE),
    ("FloatingIP", {}, "port", None, "p", Effect.UPDATE, Effect.REPLACE),
    ("FloatingIPAssociation", _LEAD, "floating_ip", "f", "g", Effect.REPLACE, Effect.REPLACE),
    ("FloatingIPAssociation", _LEAD, "target", None, "10.0.0.9", Effect.UPDATE, Effect.REPLACE),
    ("FloatingIPAssociation", _LEAD, "port", "p", "q", Effect.UPDATE, Effect.REPLACE),
    ("FloatingIPAssociation", _LEAD, "machine", None, "m", Effect.UPDATE, Effect.REPLACE),
]

FOUND: dict[str, Any] = {"found": {"value": {}, "gone": ""}}

# kind, what stays, property, before, after, effect where the provider can do all, and where it can do nothing
POLICY = {"group": "a", "adjustment": 1, "adjustment_type": "change_in_capacity"}
SET = {"value": {"value": "x", "version": 1}, "gone": ""}
CHANGES: list[tuple[str, dict[str, Any], str, Any, Any, Effect, Effect]] = [
    ("Volume", {}, "size", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("Volume", {}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Volume", {}, "metadata", {}, {"a": "b"}, Effect.UPDATE, Effect.UPDATE),
    ("Volume", {}, "source", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Volume", {}, "shared_with", [], ["b"], Effect.UPDATE, Effect.UPDATE),
    ("VolumeSnapshot", {}, "volume", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("VolumeSnapshot", {"volume": "v"}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("VolumeSnapshot", {"volume": "v"}, "shared_with", [], ["b"], Effect.UPDATE, Effect.UPDATE),
    ("VolumeSnapshot", {"volume": "v"}, "metadata", {}, {"a": "b"}, Effect.UPDATE, Effect.UPDATE),
    ("VolumeAttachment", {"machine": "m"}, "volume", "v", "w", Effect.REPLACE, Effect.REPLACE),
    ("VolumeAttachment", {"volume": "v"}, "machine", "m", "n", Effect.REPLACE, Effect.REPLACE),
    ("VolumeAttachment", {"volume": "v", "machine": "m"}, "path", "/a", "/b", Effect.REPLACE, Effect.REPLACE),
    (
        "VolumeAttachment",
        {"volume": "v", "machine": "m"},
        "read_only",
        False,
        True,
        Effect.REPLACE,
        Effect.REPLACE,
    ),
    ("Network", {}, "name", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Network", {}, "cidr", "10.0.0.0/24", "10.1.0.0/24", Effect.REPLACE, Effect.REPLACE),
    ("Network", {}, "gateway", None, "10.0.0.1", Effect.REPLACE, Effect.REPLACE),
    ("Network", {}, "internal", False, True, Effect.REPLACE, Effect.REPLACE),
    ("Network", {}, "mtu", 0, 1400, Effect.UPDATE, Effect.REPLACE),
    ("Network", {}, "shared_with", [], ["b"], Effect.UPDATE, Effect.UPDATE),
    ("Subnet", {"cidr": "10.0.0.0/24"}, "network", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Subnet", {"network": "n"}, "cidr", "10.0.0.0/24", "10.1.0.0/24", Effect.REPLACE, Effect.REPLACE),
    ("Subnet", SUBNET, "gateway", None, "10.0.0.1", Effect.UPDATE, Effect.REPLACE),
    ("Subnet", SUBNET, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Subnet", SUBNET, "internal", False, True, Effect.REPLACE, Effect.REPLACE),
    ("Subnet", SUBNET, "dns", [], ["10.0.0.2"], Effect.UPDATE, Effect.REPLACE),
    (
        "Subnet",
        SUBNET,
        "pools",
        [],
        [{"start": "10.0.0.5", "end": "10.0.0.9"}],
        Effect.UPDATE,
        Effect.REPLACE,
    ),
    ("Port", {}, "network", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Port", {"network": "n"}, "ip", None, "10.0.0.5", Effect.REPLACE, Effect.REPLACE),
    ("Port", {"network": "n"}, "mac", None, "02:00:00:00:00:01", Effect.REPLACE, Effect.REPLACE),
    ("Port", {"network": "n"}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Port", {"network": "n"}, "more", [], ["10.0.0.6"], Effect.REPLACE, Effect.REPLACE),
    ("Port", {"network": "n"}, "subnets", [], ["s"], Effect.UPDATE, Effect.UPDATE),
    (
        "Port",
        {"network": "n"},
        "pools",
        [],
        [{"start": "10.0.0.5", "end": "10.0.0.9"}],
        Effect.UPDATE,
        Effect.UPDATE,
    ),
    ("Port", {"network": "n"}, "security_groups", [], ["g"], Effect.UPDATE, Effect.UPDATE),
    *PASSAGE,
    *BALANCE,
    ("KeyPair", {}, "name", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("KeyPair", {}, "public_key", None, KEY, Effect.REPLACE, Effect.REPLACE),
    ("Image", {}, "source", "a:1", "a:2", Effect.REPLACE, Effect.REPLACE),
    ("Image", {"source": "a:1"}, "pull", "missing", "always", Effect.UPDATE, Effect.UPDATE),
    ("Image", {"source": "a:1"}, "certificates", True, False, Effect.REPLACE, Effect.REPLACE),
    ("Image", {"source": "a:1"}, "format", "", "archive", Effect.REPLACE, Effect.REPLACE),
    ("RandomString", {}, "length", 32, 8, Effect.REPLACE, Effect.REPLACE),
    ("RandomString", {}, "classes", None, [{"class": "digits"}], Effect.REPLACE, Effect.REPLACE),
    ("RandomString", {}, "sequences", None, [{"characters": "%$"}], Effect.REPLACE, Effect.REPLACE),
    ("RandomString", {}, "salt", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Value", {}, "value", 1, [1], Effect.UPDATE, Effect.UPDATE),
    ("Value", {"value": "1"}, "type", "", "string", Effect.UPDATE, Effect.UPDATE),
    ("Delay", {}, "minimum", 0, "1s", Effect.UPDATE, Effect.UPDATE),
    ("Delay", {}, "jitter", 0, 1, Effect.UPDATE, Effect.UPDATE),
    ("Delay", {}, "multiplier", 1, 2, Effect.UPDATE, Effect.UPDATE),
    ("Delay", {}, "actions", ["CREATE"], ["DELETE"], Effect.UPDATE, Effect.UPDATE),
    ("TestResource", {}, "value", 1, 2, Effect.UPDATE, Effect.UPDATE),
    ("TestResource", {}, "fail", False, True, Effect.UPDATE, Effect.UPDATE),
    ("TestResource", {}, "transient", False, True, Effect.UPDATE, Effect.UPDATE),
    ("TestResource", {}, "replace", 1, 2, Effect.REPLACE, Effect.REPLACE),
    ("TestResource", {}, "waits", {}, {"create": 1}, Effect.UPDATE, Effect.UPDATE),
    ("TestResource", {}, "attributes", {}, {"a": 1}, Effect.UPDATE, Effect.UPDATE),
    ("StackOutput", {"output": "x", **FOUND}, "stack", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("StackOutput", {"stack": "x", **FOUND}, "output", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Secret", {"found": SET}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Stack", FOUND, "template", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Stack", {"template": "a", **FOUND}, "parameters", {"a": 1}, {"a": 2}, Effect.UPDATE, Effect.UPDATE),
    ("Stack", {"template": "a", **FOUND}, "timeout", 0, "5m", Effect.UPDATE, Effect.UPDATE),
    ("Stack", {"template": "a", **FOUND}, "context", None, {}, Effect.NONE, Effect.NONE),
    ("Stack", {"template": "a", **FOUND}, "project", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("WaitConditionHandle", {}, "form", "id", "url", Effect.REPLACE, Effect.REPLACE),
    ("WaitCondition", {"signals": {}}, "handle", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("WaitCondition", {"handle": "a"}, "signals", {}, {"1": {}}, Effect.UPDATE, Effect.UPDATE),
    ("WaitCondition", {"handle": "a", "signals": {}}, "count", 1, 2, Effect.UPDATE, Effect.UPDATE),
    ("WaitCondition", {"handle": "a", "signals": {}}, "timeout", 60, "2m", Effect.UPDATE, Effect.UPDATE),
    ("ScalingPolicy", POLICY, "group", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("ScalingPolicy", POLICY, "adjustment", 1, -1, Effect.UPDATE, Effect.UPDATE),
    ("ScalingPolicy", POLICY, "adjustment_type", *KINDS_OF_POLICY[:2], Effect.UPDATE, Effect.UPDATE),
    ("ScalingPolicy", POLICY, "min_adjustment_step", 0, 1, Effect.UPDATE, Effect.UPDATE),
    ("ScalingPolicy", POLICY, "cooldown", 0, "1m", Effect.UPDATE, Effect.UPDATE),
    ("LaunchConfiguration", {}, "image", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("LaunchConfiguration", {"image": "a"}, "flavor", "", "m1.tiny", Effect.UPDATE, Effect.UPDATE),
    ("LaunchConfiguration", {"image": "a"}, "key", "", "k", Effect.UPDATE, Effect.UPDATE),
    ("LaunchConfiguration", {"image": "a"}, "user_data", "", "#!", Effect.UPDATE, Effect.UPDATE),
    ("LaunchConfiguration", {"image": "a"}, "security_groups", [], ["x"], Effect.UPDATE, Effect.UPDATE),
    ("Alarm", {}, "rule", {}, {"type": "event"}, Effect.UPDATE, Effect.UPDATE),
    *(
        ("Alarm", {}, f"{state}_actions", [], ["http://x/y"], Effect.UPDATE, Effect.UPDATE)
        for state in ("alarm", "ok", "insufficient_data")
    ),
    ("Alarm", {}, "repeat_actions", True, False, Effect.UPDATE, Effect.UPDATE),
    ("Alarm", {}, "enabled", True, False, Effect.UPDATE, Effect.UPDATE),
    ("Alarm", {}, "description", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("Alarm", {}, "severity", "low", "critical", Effect.UPDATE, Effect.UPDATE),
    ("SoftwareConfig", {}, "config", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("SoftwareConfig", {}, "group", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("SoftwareConfig", {}, "inputs", [], [{"name": "a"}], Effect.REPLACE, Effect.REPLACE),
    ("SoftwareConfig", {}, "outputs", [], [{"name": "a"}], Effect.REPLACE, Effect.REPLACE),
    ("SoftwareConfig", {}, "options", {}, {"a": 1}, Effect.REPLACE, Effect.REPLACE),
    ("CloudConfig", {}, "cloud_config", {}, {"runcmd": ["true"]}, Effect.REPLACE, Effect.REPLACE),
    ("MultipartMime", {}, "parts", [], [{"config": "#!/bin/sh"}], Effect.REPLACE, Effect.REPLACE),
    ("SoftwareDeployment", {"config": "a"}, "machine", "m", "n", Effect.REPLACE, Effect.REPLACE),
    ("SoftwareDeployment", {"machine": "m"}, "config", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("SoftwareDeployment", DEPLOYED, "inputs", {}, {"a": 1}, Effect.UPDATE, Effect.UPDATE),
    ("SoftwareDeployment", DEPLOYED, "actions", ["CREATE"], ["DELETE"], Effect.UPDATE, Effect.UPDATE),
    ("SoftwareDeployment", DEPLOYED, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("SoftwareDeployment", STRUCTURED, "input_key", "get_input", "ask", Effect.UPDATE, Effect.UPDATE),
    ("DeployedServer", {}, "name", "a", "b", Effect.UPDATE, Effect.UPDATE),
    ("DeployedServer", {}, "metadata", {}, {"a": "b"}, Effect.UPDATE, Effect.UPDATE),
    ("Flavor", {}, "name", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("Flavor", {}, "cpu", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("Flavor", {}, "memory", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("Flavor", {}, "disk", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("Flavor", {}, "pids", 1, 2, Effect.UPDATE, Effect.REPLACE),
    ("Flavor", {}, "extra", {}, {"a": "b"}, Effect.UPDATE, Effect.REPLACE),
    ("ServerGroup", {}, "name", "a", "b", Effect.REPLACE, Effect.REPLACE),
    ("ServerGroup", {}, "policies", ["affinity"], ["anti-affinity"], Effect.REPLACE, Effect.REPLACE),
]


@pytest.mark.parametrize(
    ("kind", "rest", "name", "before", "after", "willing", "unable"),
    CHANGES,
    ids=[f"{c[0]}.{c[2]}" for c in CHANGES],
)
def test_changes(
    kind: str, rest: dict[str, Any], name: str, before: Any, after: Any, willing: Effect, unable: Effect
) -> None:
    old, new = {**rest, name: before}, {**rest, name: after}
    assert changes(kind, old, new, able(kind, SCHEMAS[kind].properties)).effect is willing
    assert changes(kind, old, new).effect is unable
    assert changes(kind, new, new).effect is Effect.NONE


def test_every_property_has_its_change_and_the_table_says_so() -> None:
    named = {(one[0], one[2]): one[5] for one in CHANGES}
    for kind, schema in SCHEMAS.items():
        if kind != "Machine" and not KINDS[kind].composite:
            assert {name for at, name in named if at == kind} == set(schema.properties), kind
    for (kind, name), effect in named.items():
        assert SCHEMAS[kind].properties[name].changes is effect, (kind, name)


def test_nothing_takes_anything() -> None:
    assert changes("None", {"a": 1}, {"b": [1]}).effect is Effect.UPDATE
    assert spec("None", {"a": {"b": 1}}).properties == {"a": {"b": 1}}


# --- volumes
@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"size": 5}, {"size": 3}, "cannot shrink (from 5 to 3 GiB)"),
        ({"size": 3}, {"size": 5}, "without losing the data"),
    ],
)
def test_a_volume_is_never_replaced_for_a_change(
    before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    found = decide("Volume", after, there("Volume"), applied=before)
    assert isinstance(found, Refuse)
    assert words in found.reason


def test_a_volume_grows_where_its_provider_can() -> None:
    found = decide(
        "Volume", {"size": 5}, there("Volume"), applied={"size": 3}, capabilities=able("Volume", ["size"])
    )
    assert isinstance(found, Act)
    assert (found.verb, found.change.fields) == (Verb.UPDATE, ("size",))


def test_a_volume_does_not_shrink_even_where_its_provider_might() -> None:
    found = decide(
        "Volume", {"size": 3}, there("Volume"), applied={"size": 5}, capabilities=able("Volume", ["size"])
    )
    assert isinstance(found, Refuse)


@pytest.mark.parametrize(
    ("size", "shown", "effect"),
    [(3, 3, Effect.NONE), (3, 5, Effect.NONE), (3, 2, Effect.UPDATE), (0, 7, Effect.NONE)],
)
def test_a_volume_may_be_larger_than_wanted(size: int, shown: int, effect: Effect) -> None:
    seen = there("Volume", properties={"size": shown}).seen
    wish = {"size": size}
    assert changes("Volume", wish, wish, able("Volume", ["size"]), seen).effect is effect


def test_no_size_is_any_size() -> None:
    assert changes("Volume", {"size": 5}, {}).effect is Effect.NONE


def test_an_attachment_claims_what_it_writes_to() -> None:
    kind = KINDS["VolumeAttachment"]
    ends = {"volume": "v", "machine": "m"}
    assert kind.claims(spec("VolumeAttachment", ends), UNABLE) == {Claim("volume", "", "v")}
    assert kind.claims(spec("VolumeAttachment", {**ends, "read_only": True}), UNABLE) == frozenset()
    assert kind.claims(spec("VolumeAttachment", {**ends, "volume": UNKNOWN}), UNABLE) == frozenset()
    assert spec("VolumeAttachment", ends, path="shop/data").path == "/mnt/shop-data"


# --- networks
def test_networks() -> None:
    found = spec("Network", {"cidr": "10.0.0.0/24", "gateway": "10.0.0.254"}, path="shop/net")
    assert (found.name, found.cidr, found.gateway) == ("shop-net", "10.0.0.0/24", "10.0.0.254")
    assert KINDS["Network"].claims(found, UNABLE) == {Claim("address", "provider", "10.0.0.0/24")}
    assert KINDS["Network"].claims(spec("Network", {}), UNABLE) == frozenset()
    assert KINDS["Network"].foretell(wanted("Network", {}, path="a/b"), ("name",)) == "a-b"
    assert KINDS["Network"].foretell(wanted("Network", {}), ("cidr",)) is UNKNOWN


@pytest.mark.parametrize(
    ("kind", "properties", "path"),
    [
        ("Network", {"cidr": "10.0.0.1/24"}, ("cidr",)),
        ("Network", {"cidr": "ten"}, ("cidr",)),
        ("Network", {"cidr": "10.0.0.0/24", "gateway": "10.1.0.1"}, ("gateway",)),
        ("Network", {"name": {"a": "b"}}, ("name",)),
        ("Subnet", {"network": "n"}, ("cidr",)),
        ("Subnet", {**SUBNET, "gateway": "10.1.0.1"}, ("gateway",)),
        ("Subnet", {**SUBNET, "pools": [{"start": "10.0.0.1"}]}, ("pools", 0, "end")),
        ("Port", {}, ("network",)),
        ("Port", {"network": "n", "mac": "x"}, ("mac",)),
        ("KeyPair", {"public_key": "nonsense"}, ("public_key",)),
        ("KeyPair", {"name": [1]}, ("name",)),
        ("Volume", {"size": -1}, ("size",)),
        ("Image", {}, ("source",)),
        ("Image", {"source": "a b"}, ("source",)),
        ("Image", {"source": "a:1", "pull": "often"}, ("pull",)),
        ("RandomString", {"length": 0}, ("length",)),
        ("RandomString", {"length": 600}, ("length",)),
        ("RandomString", {"length": 2, "classes": [{"class": "digits", "minimum": 3}]}, ("length",)),
        ("RandomString", {"classes": [{"class": "runes"}]}, ("classes", 0, "class")),
        ("RandomString", {"classes": []}, ("classes",)),
        ("Value", {"value": "x", "type": "number"}, ("value",)),
        ("Value", {"value": Secret("x"), "type": "number"}, ("value",)),
        ("Value", {"value": "x", "type": "colour"}, ("type",)),
        ("Delay", {"minimum": "soon"}, ("minimum",)),
        ("Delay", {"actions": ["SLEEP"]}, ("actions", 0)),
        ("TestResource", {"waits": {"sometimes": 1}}, ("waits", "sometimes")),
    ],
)
def test_mistakes(kind: str, properties: dict[str, Any], path: tuple[Any, ...]) -> None:
    assert wrong(kind, properties).path == path


# --- images
def test_images_are_looked_up() -> None:
    assert spec("Image", {"source": "debian-12"}).source == "recipe:debian-12"
    assert spec("Image", {"source": "docker.io/library/nginx:1"}).source == "docker.io/library/nginx:1"
    assert spec("Image", {"source": UNKNOWN}).source is UNKNOWN
    assert KINDS["Image"].shared


def test_an_image_that_is_nearly_one_of_the_catalogue_is_a_mistake() -> None:
    error = wrong("Image", {"source": "debain-12"})
    assert error.message == 'there is no image "debain-12"'
    assert 'did you mean "debian-12"?' in error.hint
    assert spec("Image", {"source": "debain-12:latest"}).source == "debain-12:latest"


# --- keys
def test_the_reference_of_a_key_is_the_key() -> None:
    seen = Seen(kind="KeyPair", provider_id="k", attributes={"public_key": KEY, "name": "me"})
    assert KINDS["KeyPair"].reference(seen) == KEY
    assert KINDS["KeyPair"].foretell(wanted("KeyPair", {"public_key": KEY}), ()) == KEY
    assert KINDS["KeyPair"].foretell(wanted("KeyPair", {}), ()) is UNKNOWN
    assert KINDS["KeyPair"].foretell(wanted("KeyPair", {}), ("public_key",)) is UNKNOWN
    assert KINDS["KeyPair"].foretell(wanted("KeyPair", {}), ("name",)) == "it"


# --- what Terrace makes
def test_random_strings() -> None:
    assert spec("RandomString", {}).classes == (("lettersdigits", 1),)
    found = spec("RandomString", {"sequences": [{"characters": "%$", "minimum": 2}]})
    assert (found.classes, found.sequences) == ((), (("%$", 2),))
    seen = Seen(kind="RandomString", provider_id="r", attributes={"value": "abc"})
    assert KINDS["RandomString"].reference(seen) == "abc"
    assert spec("RandomString", {"classes": UNKNOWN}).classes is UNKNOWN


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("", 1.5, 1.5),
        ("string", 3, "3"),
        ("number", "3", 3),
        ("boolean", "yes", True),
        ("comma_delimited_list", "a, b", ["a", "b"]),
        ("comma_delimited_list", [1], [1]),
        ("json", '{"a": [1]}', {"a": [1]}),
        ("json", {"a": 1}, {"a": 1}),
        ("number", Secret("3"), Secret(3)),
        ("number", UNKNOWN, UNKNOWN),
        ("number", None, None),
    ],
)
def test_values_of_a_type(kind: str, given: Any, expected: Any) -> None:
    assert spec("Value", {"value": given, "type": kind}).value == expected


def test_values_are_foretold() -> None:
    value = KINDS["Value"]
    wish = wanted("Value", {"value": {"a": [1, 2]}})
    assert value.foretell(wish, ("value",)) == {"a": [1, 2]}
    assert value.foretell(wish, ("value", "a", 1)) == 2
    assert value.foretell(wish, ("value", "b")) is None
    assert value.foretell(wish, ()) is UNKNOWN
    assert value.foretell(wanted("Value", {"value": UNKNOWN}), ("value", "a")) is UNKNOWN


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (None, "x", Effect.REPLACE),
        (False, True, Effect.REPLACE),
        (True, False, Effect.UPDATE),
        ("x", None, Effect.UPDATE),
        ("x", UNKNOWN, Effect.REPLACE),
    ],
)
def test_a_test_resource_is_replaced_on_demand(before: Any, after: Any, effect: Effect) -> None:
    change = changes("TestResource", {"replace": before}, {"replace": after})
    assert (change.effect, change.certain) == (effect, after is not UNKNOWN)


def test_a_test_resource_foretells_what_it_gives() -> None:
    kind, wish = KINDS["TestResource"], wanted("TestResource", {"value": "v", "attributes": {"a": {"b": 1}}})
    assert kind.foretell(wish, ("output",)) == "v"
    assert kind.foretell(wish, ("a", "b")) == 1
    assert kind.foretell(wish, ("other",)) is UNKNOWN
