"""Groups that grow and shrink: members, policies, rollouts, chains."""

from __future__ import annotations

from typing import Any, cast

import pytest

from terrace.errors import SpecError
from terrace.kinds import KINDS, TYPES
from terrace.kinds.group.size import Bounds, Size, adjusted, newest
from terrace.model.decision import Expansion, Rollout
from terrace.model.graph import Edge, Node
from terrace.model.record import Record, State
from terrace.model.spec.signal import PolicySpec
from terrace.model.value import UNKNOWN, Call, Ref
from terrace.ports.kind import Child, Composite, Wanted
from tests.unit.kinds.asking import UNABLE

SHAPE = {"kind": "Value", "type_name": "Terrace::Value", "properties": {"value": "%index%"}}


def expand(
    kind: str,
    properties: dict[str, Any],
    memory: dict[str, Any] | None = None,
    directives: dict[str, Any] | None = None,
    states: dict[str, State] | None = None,
    *,
    short: bool = False,
) -> Expansion:
    rule = cast("Composite", KINDS[kind])
    node = Node(path="g", kind=kind, properties=properties, edges=(Edge("before"),))
    wanted = Wanted(node, rule.spec(properties, node, UNABLE), {}, directives=directives or {}, short=short)
    record = Record(path="g", kind=kind, uid="u", memory=memory or {})
    children = {key: Child(key, state, True, 1.0) for key, state in (states or {}).items()}
    return rule.expand(wanted, None, record, children, 1.0)


def scaling(**more: Any) -> dict[str, Any]:
    return {"min_size": 1, "max_size": 5, "resource_def": SHAPE, **more}


def keys(expansion: Expansion) -> str:
    return " ".join(child.path.rpartition("/")[2] for child in expansion.children)


def said(size: int, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"size": {"size": size, "number": number, "who": "ann", "uid": "u", **more}}


def test_names_are_used_once_and_the_oldest_go_first() -> None:
    first = expand("AutoScalingGroup", scaling(desired_capacity=3))
    assert keys(first) == "0 1 2"
    less = expand("AutoScalingGroup", scaling(desired_capacity=3), first.memory, said(2, template=3))
    assert keys(less) == "1 2"
    more = expand("AutoScalingGroup", scaling(desired_capacity=3), less.memory, said(4, 2, template=3))
    assert keys(more) == "1 2 3 4"
    same = expand("AutoScalingGroup", scaling(desired_capacity=3), more.memory, said(4, 2, template=3))
    assert (keys(same), same.memory) == (keys(more), more.memory)
    assert first.children[0].properties == {"value": "%index%"}


def test_failed_members_go_before_old_ones() -> None:
    first = expand("AutoScalingGroup", scaling(desired_capacity=4))
    states = {"0": State.READY, "1": State.READY, "2": State.FAILING, "3": State.UNHEALTHY}
    less = expand("AutoScalingGroup", scaling(desired_capacity=4), first.memory, said(2, template=4), states)
    assert keys(less) == "0 1"


def test_bounds_hold_whoever_says_what() -> None:
    assert keys(expand("AutoScalingGroup", scaling())) == "0"
    assert keys(expand("AutoScalingGroup", scaling(), directives=said(9))) == "0 1 2 3 4"
    assert keys(expand("AutoScalingGroup", scaling(min_size=2), directives=said(0))) == "0 1"


def test_a_word_for_another_group_of_that_name_means_nothing() -> None:
    assert keys(expand("AutoScalingGroup", scaling(desired_capacity=2), directives=said(4, uid="x"))) == "0 1"


def test_a_size_of_a_resource_group() -> None:
    found = expand("Group", {"count": 2, "resource_def": SHAPE}, directives=said(3, template=2))
    assert (keys(found), found.attributes["current_size"]) == ("0 1 2", 3)
    changed = expand("Group", {"count": 1, "resource_def": SHAPE}, found.memory, said(3, template=2))
    assert keys(changed) == "0"


@pytest.mark.parametrize(
    "properties",
    [
        {"min_size": 3, "max_size": 2, "resource_def": SHAPE},
        scaling(desired_capacity=6),
        scaling(desired_capacity=0),
        {"min_size": 1, "max_size": 2},
        scaling(update_policy={"rolling_update": {"max_batch": 1}}),
        scaling(update_policy={"rolling_update": {"max_batch_size": 0}}),
    ],
)
def test_mistakes(properties: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        expand("AutoScalingGroup", properties)


def test_what_is_not_known_is_undecided() -> None:
    assert expand("AutoScalingGroup", scaling(min_size=UNKNOWN)).undecided
    assert expand("AutoScalingGroup", scaling(desired_capacity=UNKNOWN)).undecided


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, Rollout()),
        ({"rolling_update": {}}, Rollout(batch=1, unavailable=4)),
        (
            {"rolling_update": {"min_in_service": 3, "max_batch_size": 2, "pause_time": 10}},
            Rollout(2, 1, 10.0),
        ),
        ({"rolling_update": {"min_in_service": 9}}, Rollout(batch=1, unavailable=0)),
        ({"batch_create": {"max_batch_size": 2, "pause_time": 5}}, Rollout(making=2, pause=5.0)),
        (
            {
                "AutoScalingRollingUpdate": {
                    "MinInstancesInService": 3,
                    "MaxBatchSize": 1,
                    "PauseTime": "PT1M5S",
                }
            },
            Rollout(batch=1, unavailable=1, hold=65.0),
        ),
    ],
)
def test_update_policies(policy: dict[str, Any], expected: Rollout) -> None:
    assert expand("AutoScalingGroup", scaling(desired_capacity=4, update_policy=policy)).rollout == expected
    assert expand("Group", {"count": 4, "resource_def": SHAPE, "update_policy": policy}).rollout == expected


@pytest.mark.parametrize("kind", ["Group", "AutoScalingGroup"])
def test_a_group_none_of_which_may_be_away_has_more_for_a_while(kind: str) -> None:
    rule = {"rolling_update": {"min_in_service": 3, "max_batch_size": 2}}
    properties = {"resource_def": SHAPE, "update_policy": rule}
    properties |= {"count": 3} if kind == "Group" else {"min_size": 0, "max_size": 3, "desired_capacity": 3}
    plain = expand(kind, properties)
    assert (keys(plain), plain.rollout.unavailable) == ("0 1 2", 0)
    more = expand(kind, properties, plain.memory, short=True)
    assert (keys(more), more.rollout.unavailable) == ("0 1 2 3 4", 2)
    assert more.attributes["current_size"] == 3
    assert keys(expand(kind, properties, more.memory, short=True)) == keys(more)
    assert keys(expand(kind, properties, more.memory)) == "0 1 2"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("current_size",), 2),
        (("refs",), [Ref("g/0"), Ref("g/1")]),
        (("outputs", "value"), {"0": Ref("g/0", ("value",)), "1": Ref("g/1", ("value",))}),
        (("outputs_list", "value"), [Ref("g/0", ("value",)), Ref("g/1", ("value",))]),
        (
            ("instances",),
            Call("list_join", (",", [Ref("g/0", ("first_address",)), Ref("g/1", ("first_address",))])),
        ),
        (("resource.1.value",), Ref("g/1", ("value",))),
        (("value",), [Ref("g/0", ("value",)), Ref("g/1", ("value",))]),
    ],
)
def test_attributes(path: tuple[Any, ...], expected: Any) -> None:
    kind = cast("Composite", KINDS["AutoScalingGroup"])
    assert kind.attribute(expand("AutoScalingGroup", scaling(desired_capacity=2)), path) == expected


# ---- sizes


@pytest.mark.parametrize(
    ("kind", "adjustment", "least", "size", "after"),
    [
        ("change_in_capacity", 2, 0, 4, 6),
        ("change_in_capacity", -9, 0, 4, 1),
        ("change_in_capacity", 99, 0, 4, 10),
        ("exact_capacity", 7, 0, 4, 7),
        ("exact_capacity", 70, 0, 4, 10),
        ("percent_change_in_capacity", 50, 0, 4, 6),
        ("percent_change_in_capacity", 25, 0, 6, 7),
        ("percent_change_in_capacity", 10, 0, 4, 5),
        ("percent_change_in_capacity", -10, 0, 4, 3),
        ("percent_change_in_capacity", -30, 0, 5, 4),
        ("percent_change_in_capacity", 10, 3, 4, 7),
        ("percent_change_in_capacity", -10, 2, 4, 2),
    ],
)
def test_policies(kind: str, adjustment: float, least: int, size: int, after: int) -> None:
    assert adjusted(PolicySpec("g", adjustment, kind, least), size, Bounds(None, 1, 10)) == after


def test_the_newest_word_counts() -> None:
    start = newest(None, None, Bounds(4))
    assert (start.size, start.who) == (4, "template")
    person = newest(start, Size(6, "ann", number=1, template=4), Bounds(4))
    assert (person.size, person.who) == (6, "ann")
    assert newest(person, Size(6, "ann", number=1, template=4), Bounds(4)) == person
    changed = newest(person, Size(6, "ann", number=1, template=4), Bounds(5))
    assert (changed.size, changed.who) == (5, "template")
    both = newest(person, Size(7, "bob", number=2, template=5), Bounds(5))
    assert (both.size, both.who) == (7, "bob")
    assert newest(person, None, Bounds(None)).size == 6


# ---- chains and launch configurations


def test_a_chain_is_one_after_the_other() -> None:
    properties = {"resources": ["A", "B"], "members": [{**SHAPE, "kind": "Value"}, {**SHAPE, "kind": "None"}]}
    found = expand("ResourceChain", properties)
    assert [(one.path, one.kind) for one in found.children] == [("g/0", "Value"), ("g/1", "None")]
    assert [one.edges for one in found.children] == [(Edge("before"),), (Edge("before"), Edge("g/0"))]
    side = expand("ResourceChain", {**properties, "concurrent": True})
    assert [one.edges for one in side.children] == [(Edge("before"),)] * 2


def test_names_of_heat_and_aws() -> None:
    group = TYPES["AWS::AutoScaling::AutoScalingGroup"].translate(
        {"LaunchConfigurationName": Ref("lc"), "MinSize": 1, "MaxSize": 3, "AvailabilityZones": []}
    )
    assert group == {"launch": Ref("lc"), "min_size": 1, "max_size": 3}
    policy = TYPES["AWS::AutoScaling::ScalingPolicy"].translate(
        {"AutoScalingGroupName": Ref("g"), "ScalingAdjustment": -1, "AdjustmentType": "ChangeInCapacity"}
    )
    assert policy == {"group": Ref("g"), "adjustment": -1, "adjustment_type": "change_in_capacity"}
    heat = TYPES["OS::Heat::AutoScalingGroup"].translate(
        {"min_size": 1, "max_size": 3, "resource": {"type": "x"}}
    )
    assert heat["update_policy"] == {"rolling_update": {}}
    assert heat["resource_def"] == {"type": "x"}
