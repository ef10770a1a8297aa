"""Alarms over HTTP: what they are told becomes their state, and whom they name is called once for each word."""

from __future__ import annotations

import json
from typing import Any

import pytest

from terrace.errors import TransientError
from terrace.ports.stacks import Ring
from tests.unit.api.rig import SHOP, Rig
from tests.unit.api.test_plans import plan
from tests.unit.api.test_signals import output, path_of, settled, until

GROUP = """resources:
  web:
    type: OS::Heat::AutoScalingGroup
    properties:
      min_size: 1
      max_size: 6
      desired_capacity: 2
      resource: {type: 'Terrace::Value', properties: {value: x}}
  more:
    type: OS::Heat::ScalingPolicy
    properties:
      auto_scaling_group_id: {get_resource: web}
      adjustment_type: change_in_capacity
      scaling_adjustment: 1
  less:
    type: OS::Heat::ScalingPolicy
    properties:
      auto_scaling_group_id: {get_resource: web}
      adjustment_type: change_in_capacity
      scaling_adjustment: -1
  door: {type: 'OS::Heat::WaitConditionHandle'}
"""
OUTPUTS = """outputs:
  url: {value: {get_attr: [high, alarm_url]}}
  more: {value: {get_attr: [more, alarm_url]}}
  size: {value: {get_attr: [web, current_size]}}
  state: {value: {get_attr: [high, state]}}
"""


def shop(**properties: Any) -> str:
    """A group, two policies, a handle, and an alarm that calls the first policy with what OpenStack wants before it."""
    given = {
        "metric": "cpu_util",
        "query": "{}",
        "resource_type": "instance",
        "threshold": 80,
        "alarm_actions": [
            {
                "str_replace": {
                    "template": "trust+url",
                    "params": {"url": {"get_attr": ["more", "signal_url"]}},
                }
            }
        ],
        **properties,
    }
    alarm = {"type": "OS::Aodh::GnocchiAggregationByResourcesAlarm", "properties": given}
    return f"{GROUP}  high: {json.dumps(alarm)}\n{OUTPUTS}"


async def stand(rig: Rig, **properties: Any) -> str:
    """The path of the alarm's URL, once all of that stands."""
    answer = await rig.up(shop(**properties))
    assert answer.json()["phase"] == "settled", answer.text
    return path_of(await output(rig, "url"))


async def tell(rig: Rig, url: str, **said: Any) -> Any:
    answer = await rig.http.post(url, content=json.dumps(said) if said else b"")
    return answer.json() | {"code": answer.status_code if answer.status_code != 200 else ""}


async def has(rig: Rig, size: int, state: str) -> None:
    """Waits until the group has that size, the alarm that state, and nothing else is to come."""

    async def there() -> bool:
        found = (await output(rig, "size"), await output(rig, "state"))
        return found == (size, state) and await settled(rig)

    await until(there)


async def resource(rig: Rig, path: str) -> dict[str, Any]:
    found = await rig.get(f"{SHOP}/resources/{path}")
    return dict(found["attributes"])


async def test_an_alarm_calls_its_policy(rig: Rig) -> None:
    url = await stand(rig)
    await has(rig, 2, "insufficient data")
    answer = await tell(rig, url)
    assert answer["message"] == "high is in state alarm; it was in state insufficient data"
    await has(rig, 3, "alarm")
    shown = await rig.get(SHOP + "/sizes/web")
    assert (shown["who"], shown["why"]) == ("more", "more: from 2, called by high")
    assert (await resource(rig, "high"))["called"] == ["web goes from 2 to 3 members"]
    kinds = [one["kind"] for one in (await rig.get(SHOP + "/events"))["items"]]
    assert kinds.index("alarm.told") < kinds.index("group.scaled")


async def test_it_calls_again_when_a_state_is_said_again_unless_it_is_not_to(rig: Rig) -> None:
    url = await stand(rig)
    for size in (3, 4):
        await tell(rig, url, state="alarm")
        await has(rig, size, "alarm")
    url = await stand(rig, repeat_actions=False)
    await tell(rig, url, state="alarm")
    await has(rig, 4, "alarm")
    await tell(rig, url, state="ok")
    await has(rig, 4, "ok")
    await tell(rig, url, state="alarm")
    await has(rig, 5, "alarm")
    assert (await tell(rig, url, state="alarm"))["message"] == "high is in state alarm; it was in state alarm"
    await has(rig, 5, "alarm")


async def test_each_state_has_its_own_calls(rig: Rig) -> None:
    named = {
        "ok_actions": [{"get_resource": "less"}],
        "insufficient_data_actions": [{"get_resource": "door"}],
    }
    url = await stand(rig, **named)
    await tell(rig, url, state="alarm")
    await has(rig, 3, "alarm")
    await tell(rig, url, state="ok")
    await has(rig, 2, "ok")
    await tell(rig, url, state="insufficient data", reason="nobody measures")
    await has(rig, 2, "insufficient data")

    async def came() -> Any:
        return (await rig.get(SHOP + "/signals"))["items"]

    (signal,) = await until(came)
    assert (signal["path"], signal["status"], signal["reason"]) == ("door", "SUCCESS", "nobody measures")
    assert signal["data"] == {"alarm": "high", "state": "insufficient data"}


async def test_who_is_not_enabled_calls_nobody_and_does_not_make_up_for_it(rig: Rig) -> None:
    url = await stand(rig, enabled=False)
    await tell(rig, url, state="alarm")
    await has(rig, 2, "alarm")
    await stand(rig, enabled=True)
    await has(rig, 2, "alarm")
    await tell(rig, url, state="alarm")
    await has(rig, 3, "alarm")


async def test_nothing_is_sent_elsewhere(rig: Rig) -> None:
    elsewhere = ["http://169.254.169.254/v1/signals/x/y", "https://elsewhere.example/hook", "zaqar://?q=1"]
    url = await stand(rig, alarm_actions=elsewhere)
    await tell(rig, url)
    await has(rig, 2, "alarm")
    called = (await resource(rig, "high"))["called"]
    assert len(called) == 3
    assert {one.partition(":")[0] for one in called} == {"not called"}


async def test_alarms_do_not_call_each_other(rig: Rig) -> None:
    """Else two of them could go on for ever."""
    url = await stand(rig)
    whole = await output(rig, "url")
    await stand(rig, alarm_actions=[whole])
    await tell(rig, url)
    await has(rig, 2, "alarm")
    assert (await resource(rig, "high"))["called"] == ["high is an alarm, and alarms do not call each other"]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"state": "ALARM"}, "alarm"),
        ({"alarm_id": "1", "previous": "ok", "current": "insufficient data", "reason": "no samples"}, None),
        ({"NewStateValue": "INSUFFICIENT_DATA", "NewStateReason": "x"}, None),
        ({"status": "firing", "alerts": []}, "alarm"),
        ({"status": "resolved"}, "ok"),
    ],
)
async def test_it_understands_those_who_measure(rig: Rig, said: dict[str, Any], state: str | None) -> None:
    url = await stand(rig, alarm_actions=[])
    await tell(rig, url, state="ok")
    assert (await tell(rig, url, **said))["code"] == ""
    await has(rig, 2, state or "insufficient data")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"state": "red"}', b'{"state": 1}', b'{"reason": 1}'])
async def test_what_says_no_state_is_refused(rig: Rig, body: bytes) -> None:
    url = await stand(rig)
    answer = await rig.http.post(url, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-signal")
    await has(rig, 2, "insufficient data")


async def test_a_call_that_comes_twice_changes_a_size_once(rig: Rig) -> None:
    """As after a crash between the call and the commit of what came of it."""
    await stand(rig)
    more = await output(rig, "more")
    said = [
        await rig.services.signals.call(more, Ring("a" * 20, number, "high", "alarm"))
        for number in (1, 1, 2, 1)
    ]
    assert said == [
        "web goes from 2 to 3 members",
        "web was changed by that already",
        "web goes from 3 to 4 members",
        "web was changed by that already",
    ]
    assert await rig.services.signals.call(more + "0", Ring("a" * 20, 9, "high", "alarm")) is None


async def test_a_word_is_on_disk_before_it_is_acknowledged_and_the_call_follows_from_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine calls because of the state that it finds, so that a call that failed is made once it can be."""
    url = await stand(rig)
    real, tries = rig.services.signals.call, []

    async def busy(url: str, ring: Ring) -> str | None:
        tries.append(ring.number)
        if len(tries) == 1:
            raise TransientError("not now", retry_after=0.01)
        return await real(url, ring)

    monkeypatch.setattr(rig.services.signals, "call", busy)
    await tell(rig, url)
    rig.store.crash()
    assert [one.what for one in await rig.store.directives((await rig.get(SHOP))["id"])] == ["alarm"]
    await has(rig, 3, "alarm")
    assert tries == [1, 1]


async def test_a_person_tells_an_alarm_and_a_new_one_begins_anew(rig: Rig) -> None:
    await stand(rig)
    answer = await rig.http.post(SHOP + "/signals/high", content=b'{"state": "ok"}')
    assert answer.json()["status"] == "OK"
    await has(rig, 2, "ok")
    assert (await rig.up(GROUP)).json()["phase"] == "settled"
    await stand(rig)
    await has(rig, 2, "insufficient data")


async def test_a_plan_says_that_nothing_measures(rig: Rig) -> None:
    found = await plan(rig, shop())
    ((note,),) = [one["notes"] for one in found["items"] if one["path"] == "high"]
    assert (note["verdict"], note["what"]) == ("ignored because", "rule")
    assert "nothing measures metrics yet" in note["words"]
