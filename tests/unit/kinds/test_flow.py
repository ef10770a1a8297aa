"""The plain way to decide, which every kind of one thing has in common."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds import KINDS
from terrace.model.decision import Act, Settled, Wait
from terrace.model.record import Record
from terrace.model.seen import Owner, Present, Seen
from terrace.model.step import Verb
from tests.unit.kinds.asking import NOWHERE, UNABLE, UNSEEN, decide, there, wanted

LEAST: dict[str, dict[str, Any]] = {
    "Machine": {"image": "sha256:1"},
    "Volume": {},
    "VolumeSnapshot": {"volume": "v"},
    "VolumeAttachment": {"volume": "v", "machine": "m"},
    "Network": {},
    "Subnet": {"network": "n", "cidr": "10.0.0.0/24"},
    "Port": {"network": "n"},
    "SecurityGroup": {},
    "SecurityGroupRule": {"security_group": "g"},
    "Router": {},
    "RouterInterface": {"router": "r", "network": "n"},
    "RouterGateway": {"router": "r", "network": "public"},
    "FloatingIP": {},
    "FloatingIPAssociation": {"floating_ip": "f", "port": "p"},
    "LoadBalancer": {"network": "n"},
    "Listener": {"balancer": "b", "protocol": "HTTP", "port": 80},
    "Pool": {"listener": "l", "protocol": "HTTP", "algorithm": "ROUND_ROBIN"},
    "PoolMember": {"pool": "p", "address": "10.0.0.9", "port": 80},
    "HealthMonitor": {"pool": "p", "type": "TCP", "delay": 5, "timeout": 3, "retries": 2},
    "KeyPair": {},
    "Image": {"source": "recipe:debian-12"},
    "RandomString": {},
    "Value": {"value": 1},
    "None": {"whatever": 1},
    "Delay": {},
    "TestResource": {},
    "Secret": {"name": "db", "found": {"value": {"value": "x", "version": 1}, "gone": ""}},
    "StackOutput": {"stack": "net", "output": "id", "found": {"value": 1, "gone": ""}},
    "Stack": {"template": "x", "found": {"value": {}, "gone": ""}},
    "WaitConditionHandle": {},
    "WaitCondition": {"handle": "h", "signals": {}},
    "ScalingPolicy": {"group": "g", "adjustment": 1, "adjustment_type": "change_in_capacity"},
    "LaunchConfiguration": {"image": "debian-12"},
    "Alarm": {},
    "SoftwareConfig": {},
    "CloudConfig": {},
    "MultipartMime": {},
    "SoftwareDeployment": {"machine": "m", "config": "#!/bin/sh"},
    "DeployedServer": {},
    "Flavor": {},
    "ServerGroup": {},
}
STATES = {"Machine": "running"}
KIND = pytest.mark.parametrize("kind", sorted(LEAST))


def test_every_kind_is_here() -> None:
    assert {name for name, kind in KINDS.items() if not kind.composite} == set(LEAST)


@KIND
def test_nothing_is_done_on_what_is_not_known(kind: str) -> None:
    assert decide(kind, LEAST[kind], UNSEEN) == Wait("the listing failed")
    assert isinstance(decide(kind, LEAST[kind], UNSEEN, applied=LEAST[kind]), Wait)


@KIND
def test_what_is_missing_is_made(kind: str) -> None:
    first = decide(kind, LEAST[kind], NOWHERE)
    again = decide(kind, LEAST[kind], NOWHERE, applied=LEAST[kind])
    assert isinstance(first, Act)
    assert isinstance(again, Act)
    assert (first.verb, first.reason) == (Verb.CREATE, "not there yet")
    assert again.verb is Verb.CREATE
    assert again.reason.startswith("it vanished")


def test_what_was_only_meant_to_be_made_has_not_vanished() -> None:
    """An intent that is older than its process: nothing was ever there."""
    meant = Record(path="it", kind="Volume", uid="u", applied=wanted("Volume", {}).form)
    decision = KINDS["Volume"].decide(wanted("Volume", {}), meant, NOWHERE, UNABLE, 200.0)
    assert decision == Act(Verb.CREATE, "not there yet")


@KIND
def test_a_creation_is_finished(kind: str) -> None:
    half = there(kind, STATES.get(kind, "available"), complete=False)
    assert decide(kind, LEAST[kind], half) == Act(Verb.CREATE, "its creation is not finished")


@pytest.mark.parametrize("kind", sorted(LEAST.keys() - {"WaitCondition"}))  # that waits for signals besides
def test_what_is_as_wanted_is_settled(kind: str) -> None:
    found = decide(kind, LEAST[kind], there(kind, STATES.get(kind, "available")), applied=LEAST[kind])
    assert isinstance(found, Settled)
    assert found.ready
    assert found.healthy


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", Act(Verb.CREATE, "found, but not known how it was made")),
        ("another", Act(Verb.REPLACE, "it was made for an earlier wish")),
        ("the same", Settled()),
    ],
)
def test_a_thing_without_memory_is_taken_on_by_its_label(written: str, expected: object) -> None:
    wish = wanted("Volume", {})
    digest = wish.digest if written == "the same" else written
    seen = Seen(kind="Volume", provider_id="v", owner=Owner("here", "u", 1, digest))
    record = Record(path="it", kind="Volume", uid="u")
    assert KINDS["Volume"].decide(wish, record, Present(seen), UNABLE, 1.0) == expected


def test_the_reason_names_what_differs() -> None:
    found = decide("Value", {"value": 2}, there("Value"), applied={"value": 1})
    assert isinstance(found, Act)
    assert (found.verb, found.reason) == (Verb.UPDATE, "value changed")


def test_the_reason_tells_drift() -> None:
    seen = there("Machine", "running", properties={"memory": 128})
    found = decide("Machine", {"image": "i", "memory": 64}, seen, applied={"image": "i", "memory": 64})
    assert isinstance(found, Act)
    assert (found.verb, found.reason) == (Verb.REPLACE, "memory drifted")
