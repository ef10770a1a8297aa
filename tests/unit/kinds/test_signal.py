"""Handles and conditions: what came, whether it is enough, what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from terrace.kinds import KINDS, TYPES
from terrace.model.decision import Act, Decision, Refuse, Settled, Wait
from terrace.model.seen import Owner, Present, Seen
from terrace.model.value import Call, Ref
from tests.unit.kinds.asking import decide, wanted, wrong

HANDLE = KINDS["WaitConditionHandle"]
GOOD = {"status": "SUCCESS", "reason": "", "data": None}
BAD = {"status": "FAILURE", "reason": "no disk", "data": None}


def judged(signals: dict[str, Any], count: int = 1, met: int = 0, since: float = 150.0) -> Decision:
    """What a condition says that waits for `timeout` 100 s; the time is 200."""
    properties = {"handle": "h", "count": count, "timeout": 100, "signals": signals}
    attributes = {"met": met, "since": since}
    there = Present(Seen("WaitCondition", "p", Owner("here", "u", 1, "d"), attributes=attributes))
    return decide("WaitCondition", properties, there, properties)


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (judged({}), Wait("waiting for signals: 0 of 1 signals came", 250.0)),
        (judged({"1": GOOD}, count=2), Wait("waiting for signals: 1 of 2 signals came", 250.0)),
        (judged({"1": GOOD}, met=1), Settled()),
        (judged({"1": BAD}, met=1), Settled()),
        (judged({"1": GOOD, "x": BAD}, count=2), Refuse("signal x reports a failure: no disk")),
        (judged({"1": {**BAD, "reason": ""}}), Refuse("signal 1 reports a failure: no reason given")),
    ],
)
def test_whether_enough_came(decision: Decision, expected: Decision) -> None:
    assert decision == expected


def test_waiting_ends() -> None:
    late = judged({}, since=100.0)
    assert isinstance(late, Refuse)
    assert late.reason == "timed out after 100 s: 0 of 1 signals came"


def test_new_signals_are_taken_in_by_an_update() -> None:
    before = {"handle": "h", "signals": {}}
    there = Present(Seen("WaitCondition", "p", Owner("here", "u", 1, "d"), attributes={"met": 0, "since": 1}))
    found = decide("WaitCondition", {**before, "signals": {"1": GOOD}}, there, before)
    assert isinstance(found, Act)
    assert found.verb == "update"


def test_directives_become_what_came() -> None:
    spec = wanted("WaitConditionHandle", {}).spec
    found = HANDLE.directed(spec, {"signal/a/b": GOOD, "rotate": 3, "size": 9})
    assert (found.signals, found.rotation) == ({"a/b": GOOD}, 3)


@pytest.mark.parametrize("name", ["OS::Heat::WaitCondition", "Terrace::WaitCondition"])
def test_a_condition_is_told_of_its_handles_signals(name: str) -> None:
    native = TYPES[name].translate({"handle": Ref("h"), "timeout": 5})
    assert native == {"handle": Ref("h", ("id",)), "signals": Ref("h", ("signals",)), "timeout": 5}


def test_the_form_of_aws() -> None:
    native = TYPES["AWS::CloudFormation::WaitCondition"].translate(
        {"Handle": Ref("h"), "Timeout": 5, "Count": 2}
    )
    assert native == {
        "handle": Ref("h", ("id",)),
        "signals": Ref("h", ("signals",)),
        "timeout": 5,
        "count": 2,
    }
    assert TYPES["AWS::CloudFormation::WaitConditionHandle"].translate({}) == {"form": "url"}


def test_a_handle_from_elsewhere_is_refused() -> None:
    given = {"handle": Call("input", ("handle",)), "timeout": 5}
    assert TYPES["OS::Heat::WaitCondition"].translate(given) == given
    assert wrong("WaitCondition", {"handle": "some-handle"}).path == ("handle",)


@pytest.mark.parametrize("timeout", [0, 43_201, "13h"])
def test_a_condition_waits_for_half_a_day_at_most(timeout: Any) -> None:
    assert wrong("WaitCondition", {"handle": "h", "signals": {}, "timeout": timeout}).path == ("timeout",)
