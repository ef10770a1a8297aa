"""Signals over HTTP: doors with tokens, conditions that wait for them, policies that change sizes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from terrace.api import build_doors
from tests.unit.api.rig import AT, OWNER, SHOP, Rig

WAITING = """resources:
  handle: {type: 'OS::Heat::WaitConditionHandle'}
  told:
    type: OS::Heat::WaitCondition
    properties: {handle: {get_resource: handle}, count: 2, timeout: 300}
  after: {type: 'Terrace::Value', depends_on: told, properties: {value: {get_attr: [told, data]}}}
outputs:
  curl: {value: {get_attr: [handle, curl_cli]}}
  token: {value: {get_attr: [handle, token]}}
  endpoint: {value: {get_attr: [handle, endpoint]}}
  data: {value: {get_attr: [told, data]}}
"""
AWS = """resources:
  handle: {type: 'AWS::CloudFormation::WaitConditionHandle'}
  told:
    type: AWS::CloudFormation::WaitCondition
    properties: {Handle: {get_resource: handle}, Timeout: 300}
outputs:
  url: {value: {get_resource: handle}}
  data: {value: {get_attr: [told, Data]}}
"""
SCALING = """resources:
  web:
    type: OS::Heat::AutoScalingGroup
    properties:
      min_size: 1
      max_size: 5
      desired_capacity: 2
      resource: {type: 'Terrace::Value', properties: {value: x}}
  more:
    type: OS::Heat::ScalingPolicy
    properties:
      auto_scaling_group_id: {get_resource: web}
      adjustment_type: change_in_capacity
      scaling_adjustment: 2
outputs:
  url: {value: {get_attr: [more, alarm_url]}}
  size: {value: {get_attr: [web, current_size]}}
  values: {value: {get_attr: [web, outputs_list, value]}}
"""


async def output(rig: Rig, name: str) -> Any:
    return (await rig.get(f"{SHOP}/outputs/{name}", reveal=True))["value"]


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(10):
        while not (found := await condition()):
            await asyncio.sleep(0.01)
    return found


async def settled(rig: Rig) -> bool:
    stack = await rig.get(SHOP)
    return bool(stack["phase"] == "settled")


def path_of(url: str) -> str:
    return "/v1/" + url.partition("/v1/")[2]


async def door(rig: Rig, name: str = "endpoint") -> str:
    return path_of(await until(lambda: output(rig, name)))


async def say(rig: Rig, url: str, token: str = "", **signal: Any) -> httpx.Response:
    return await rig.http.post(url, content=json.dumps(signal), headers={"X-Auth-Token": token})


async def test_a_condition_holds_when_enough_signals_came(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    first = await say(rig, url, token, data="ten", reason="first")
    assert (first.status_code, first.json()["id"]) == (200, "1")
    told = await until(lambda: _state(rig, "told", "1 of 2"))
    assert told["state"] in ("creating", "updating")
    again = await say(rig, url, token, id="1", data="eleven")
    assert again.json() == {"id": "1", "status": "SUCCESS", "message": "signal 1: SUCCESS"}
    assert not await settled(rig)
    assert (await say(rig, url, token, id="other", data={"a": 1})).status_code == 200
    await until(lambda: settled(rig))
    assert json.loads(await output(rig, "data")) == {"1": "eleven", "other": {"a": 1}}
    listed = (await rig.get(SHOP + "/signals"))["items"]
    assert [(one["path"], one["id"], one["data"]) for one in listed] == [
        ("handle", "1", "eleven"),
        ("handle", "other", {"a": 1}),
    ]
    assert (await rig.http.get(SHOP + "/signals", params={"path": "nothing"})).json()["items"] == []
    # What comes later is shown, and changes nothing of what was settled once.
    assert (await say(rig, url, token, id="late", status="FAILURE")).status_code == 200
    await until(lambda: _says(rig, "late"))
    await until(lambda: settled(rig))


async def _says(rig: Rig, word: str) -> bool:
    return word in (await output(rig, "data"))


async def _state(rig: Rig, path: str, why: str) -> Any:
    found = await rig.http.get(f"{SHOP}/resources/{path}")
    return found.json() if found.status_code == 200 and why in found.json()["why"] else None


async def test_a_failure_fails_it_and_a_better_word_mends_it(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    await say(rig, url, token, id="a", status="FAILURE", reason="no disk")
    told = await until(lambda: _state(rig, "told", "signal a reports a failure: no disk"))
    assert told["state"] == "failing"
    await say(rig, url, token, id="a")
    await say(rig, url, token, id="b")
    await until(lambda: settled(rig))


async def test_the_form_of_aws(rig: Rig) -> None:
    await rig.put(AWS)
    url = path_of(await until(lambda: output(rig, "url")))
    body = {"Status": "SUCCESS", "Reason": "done", "UniqueId": "i-1", "Data": "there"}
    assert (await rig.http.put(url, content=json.dumps(body))).status_code == 200
    await until(lambda: settled(rig))
    assert json.loads(await output(rig, "data")) == {"i-1": "there"}


async def test_what_is_no_signal_is_refused(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    for body, code in (
        (b"not json", "invalid-signal"),
        (b"[]", "invalid-signal"),
        (b'{"status": "MAYBE"}', "invalid-signal"),
        (b'{"id": ["x"]}', "invalid-signal"),
        (b'{"id": ""}', "invalid-signal"),
        (b'{"reason": 1}', "invalid-signal"),
        (b'{"data": "' + b"x" * 70_000 + b'"}', "body-too-large"),
        (b"[" * 60_000, "invalid-signal"),
    ):
        answer = await rig.http.post(url, content=body, headers={"X-Auth-Token": token})
        assert (answer.status_code, answer.json()["code"]) == (400, code), body[:20]
    assert (await rig.get(SHOP + "/signals"))["items"] == []


async def test_webhook_urls_that_are_guessable_or_replayable(rig: Rig) -> None:
    """Each carries a random token, which can be changed and revoked; whatever is wrong is told in the same words."""
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    assert len(token) == 64
    wrong = [
        await say(rig, url, "0" * 64),
        await say(rig, url),
        await say(rig, url.replace("-1", "-2"), token),
        await say(rig, "/v1/signals/nobody-1", token),
        await say(rig, f"{url}/{token[:-1]}"),
    ]
    assert {one.status_code for one in wrong} == {404}
    assert len({one.text for one in wrong}) == 1
    assert (await rig.http.post(SHOP + "/tokens/handle")).status_code == 202

    async def another() -> Any:
        now = await output(rig, "token")
        return now if now != token else ""

    fresh = await until(another)
    assert (await say(rig, url, token)).status_code == 404
    assert (await say(rig, url, fresh)).status_code == 200
    assert (await rig.http.post(SHOP + "/tokens/handle", content=b'{"revoke": true}')).status_code == 202
    await until(lambda: _closed(rig, url, fresh))
    assert (await say(rig, url, "")).status_code == 404


async def _closed(rig: Rig, url: str, token: str) -> bool:
    return (await say(rig, url, token)).status_code == 404


async def test_signals_that_come_too_often_are_told_so(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    codes = [(await say(rig, url, token, id="same")).status_code for _ in range(60)]
    assert set(codes) == {200, 429}
    assert codes[:40] == [200] * 40


async def test_guessing_tokens_is_slow(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    codes = [(await say(rig, url, f"{number:064}")).status_code for number in range(12)]
    assert codes == [404] * 10 + [429] * 2
    assert (await say(rig, url, token)).json()["code"] == "too-many-signals"


async def test_a_guests_credential_does_three_things(rig: Rig) -> None:
    """Where guests reach the server there is nothing but the doors, and a token opens its own door only."""
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    outside = httpx.AsyncClient(
        transport=httpx.ASGITransport(build_doors(rig.services)), base_url="http://signals"
    )
    for path in (
        "/v1/version",
        "/v1/projects/default/stacks",
        "/v1/openapi.json",
        SHOP,
        SHOP + "/signals",
        "/",
    ):
        for method in ("GET", "PUT", "POST", "DELETE"):
            assert (await outside.request(method, path)).status_code == 404, path
    assert (await outside.get(url)).status_code == 405
    assert (await outside.post(url, headers={"X-Auth-Token": token})).status_code == 200
    assert (await outside.post(url, content=b"x" * 70_000)).status_code == 413
    await outside.aclose()


async def test_tokens_are_not_shown(rig: Rig) -> None:
    await rig.put(WAITING)
    token = await until(lambda: output(rig, "token"))
    shown = json.dumps(
        [await rig.get(SHOP + "/resources"), await rig.get(SHOP + "/outputs"), await rig.get(SHOP)]
    )
    assert token not in shown
    assert "******" in shown


async def test_a_signal_is_on_disk_before_it_is_acknowledged(rig: Rig) -> None:
    await rig.put(WAITING)
    url, token = await door(rig), await until(lambda: output(rig, "token"))
    assert (await say(rig, url, token)).status_code == 200
    rig.store.crash()
    assert [one.what for one in await rig.store.directives((await rig.get(SHOP))["id"])] == ["signal/1"]


async def test_a_handle_keeps_no_more_than_it_can(rig: Rig) -> None:
    await rig.put(WAITING)
    await door(rig)
    for number in range(20):
        body = json.dumps({"id": f"n{number}", "data": "x" * 60_000}).encode()
        answer = await rig.http.post(SHOP + "/signals/handle", content=body)
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-signals")


async def test_a_policy_changes_the_size_of_its_group(rig: Rig) -> None:
    await rig.up(SCALING)
    url = path_of(await output(rig, "url"))
    assert await output(rig, "size") == 2
    answer = await rig.http.post(url)
    assert answer.json()["message"] == "web goes from 2 to 4 members"
    await until(lambda: _size(rig, 4))
    assert (await rig.http.post(url)).json()["message"] == "web goes from 4 to 5 members"
    assert (await rig.http.post(url)).json()["message"] == "web stays at 5 members"
    await until(lambda: _size(rig, 5))
    shown = await rig.get(SHOP + "/sizes/web")
    assert (shown["size"], shown["who"], shown["why"]) == (5, "more", "more: from 4")
    assert (shown["minimum"], shown["maximum"]) == (1, 5)
    assert len(await output(rig, "values")) == 5


async def _size(rig: Rig, size: int) -> bool:
    return bool(await output(rig, "size") == size) and await settled(rig)


async def test_the_newest_of_person_policy_and_template_wins(rig: Rig) -> None:
    await rig.up(SCALING)
    url = path_of(await output(rig, "url"))
    await rig.http.post(url)
    assert (
        await rig.http.put(SHOP + "/sizes/web", content=b'{"size": 3, "why": "enough"}')
    ).status_code == 202
    await until(lambda: _size(rig, 3))
    # The same template again does not undo what a person said; another number in it does.
    await rig.up(SCALING.replace("value: x", "value: y"))
    await until(lambda: _size(rig, 3))
    shown = await rig.get(SHOP + "/sizes/web")
    assert (shown["size"], shown["who"], shown["why"]) == (3, "ann", "enough") or shown["why"] == "enough"
    await rig.up(SCALING.replace("desired_capacity: 2", "desired_capacity: 4"))
    await until(lambda: _size(rig, 4))
    assert (await rig.get(SHOP + "/sizes/web"))["who"] == "template"
    await rig.up(
        SCALING.replace("desired_capacity: 2", "desired_capacity: 1").replace("max_size: 5", "max_size: 1")
    )
    await until(lambda: _size(rig, 1))


async def test_a_size_out_of_bounds_is_refused(rig: Rig) -> None:
    await rig.up(SCALING)
    answer = await rig.http.put(SHOP + "/sizes/web", content=b'{"size": 6}')
    assert (answer.status_code, answer.json()["code"]) == (400, "out-of-bounds")
    answer = await rig.http.put(SHOP + "/sizes/more", content=b'{"size": 2}')
    assert (answer.status_code, answer.json()["code"]) == (409, "no-group")
    assert (await rig.http.put(SHOP + "/sizes/none", content=b'{"size": 2}')).status_code == 404


async def test_a_policy_cools_down(rig: Rig) -> None:
    await rig.up(SCALING.replace("scaling_adjustment: 2", "scaling_adjustment: 1\n      cooldown: 60"))
    url = path_of(await output(rig, "url"))
    assert (await rig.http.post(url)).json()["status"] == "SCALED"
    answer = await rig.http.post(url)
    assert answer.json()["status"] == "COOLDOWN"
    assert "cooling down" in answer.json()["message"]


async def test_signals_go_to_doors_only(rig: Rig) -> None:
    await rig.up(SCALING)
    answer = await rig.http.post(SHOP + "/signals/web")
    assert (answer.status_code, answer.json()["code"]) == (409, "no-signals")
    assert (await rig.http.post(SHOP + "/signals/none")).status_code == 404
    sent = await rig.services.signals.send(OWNER, AT, "more", b"")
    assert sent.status == "SCALED"
