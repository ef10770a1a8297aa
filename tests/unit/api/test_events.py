"""Events: listed, and followed from where one left off."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from terrace.api.events import _frames
from terrace.model.event import EventFilter
from terrace.ports.edge.pages import cursor
from terrace.services.gate import Where
from tests.unit.api.rig import AT, HEAD, OWNER, SHOP, Rig

VALUE = "resources:\n  v: {type: 'Terrace::Value', properties: {value: %s}}\n"


async def test_events_are_listed_in_order_and_in_pages(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    events = (await rig.get(SHOP + "/events"))["items"]
    kinds = [event["kind"] for event in events]
    assert kinds[0] == "resource.creating"
    assert kinds[-1] == "stack.settled"
    numbers = [event["number"] for event in events]
    assert numbers == sorted(numbers)
    page = await rig.get(SHOP + "/events", limit=1)
    assert page["next"] == cursor((numbers[0],))
    rest = await rig.get(SHOP + "/events", after=numbers[0])
    assert [event["number"] for event in rest["items"]] == numbers[1:]
    newest = await rig.get(SHOP + "/events", newest=1, limit=1)
    assert newest["items"][0]["number"] == numbers[-1]
    everything = await rig.get("/v1/events")
    assert [event["number"] for event in everything["items"]] == numbers


async def test_a_watch_goes_on_after_what_was_seen_and_ends_with_the_server(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    seen = [event["number"] for event in (await rig.get(SHOP + "/events"))["items"]]
    batches = await rig.services.events.watch(OWNER, AT, seen[0])
    assert [event.number for event in await anext(batches)] == seen[1:]
    following = asyncio.ensure_future(anext(batches))
    await rig.up(VALUE % 2)
    assert (await following)[0].number > seen[-1]
    rig.services.events.close()
    assert [batch async for batch in batches if not batch] == []


async def test_a_watch_from_now_on_tells_nothing_old(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    batches = await rig.services.events.watch(OWNER, None, None)
    following = asyncio.ensure_future(anext(batches))
    last = (await rig.get("/v1/events"))["items"][-1]["number"]
    await rig.up(VALUE % 2)
    assert (await following)[0].number == last + 1


async def test_frames_are_server_sent_events(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    rig_batches = await rig.services.events.watch(OWNER, AT, 0)
    frames = _frames(rig_batches)
    assert (await anext(frames)).startswith(b":")
    first = (await anext(frames)).split(b"\n\n")[0].split(b"\n")
    assert first[0] == b"id: 1"
    assert first[1] == b"event: resource.creating"
    data: dict[str, Any] = json.loads(first[2].removeprefix(b"data: "))
    assert (data["number"], data["path"]) == (1, "v")


async def test_a_stream_is_asked_for_by_query_and_header(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    rig.services.events.close()  # what there is, and then the end
    answer = await rig.http.get(SHOP + "/events", params={"watch": 1}, headers={"Last-Event-ID": "2"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    missing = await rig.http.get("/v1/projects/default/stacks/none/events", params={"watch": 1})
    assert missing.status_code == 404


async def test_a_project_is_followed_from_where_one_left_off(rig: Rig) -> None:
    """Over two stacks of it, and one of another project; by kind; and past the end of a stack."""
    for at, name in (("default", "shop"), ("lab", "shop"), ("default", "blog")):
        body = {"template": "t.yaml", "files": {"t.yaml": HEAD + VALUE % 1}}
        query = {"wait": "settled", "timeout": 20}
        await rig.http.put(f"/v1/projects/{at}/stacks/{name}", json=body, params=query)
    at = Where("default", "")
    seen = (await rig.get("/v1/projects/default/events"))["items"]
    assert {one["project"] for one in seen} == {"default"}
    assert len({one["stack"] for one in seen}) == 2
    numbers = [one["number"] for one in seen]
    batches = await rig.services.events.watch(OWNER, at, numbers[0])
    assert [event.number for event in await anext(batches)] == numbers[1:]
    kinds = await rig.services.events.watch(OWNER, at, numbers[-1], EventFilter(kind="stack."))
    following = asyncio.ensure_future(anext(kinds))
    await rig.http.delete("/v1/projects/lab/stacks/shop", params={"wait": "gone", "timeout": 20})
    await rig.http.delete(SHOP, params={"wait": "gone", "timeout": 20})
    told = [event for event in await following if event.kind != "stack.settled"]
    while not any(event.kind == "stack.gone" for event in told):
        told += await anext(kinds)
    assert {event.project for event in told} == {"default"}
    assert all(event.kind.startswith("stack.") for event in told)
    again = await rig.services.events.watch(OWNER, at, numbers[-1])
    later = list(await anext(again))
    assert later[-1].kind == "stack.gone", "who was away learns that it is gone"
    assert {event.project for event in later} == {"default"}


async def test_events_are_narrowed(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    for url in (SHOP + "/events", "/v1/projects/default/events", "/v1/events"):
        whole = (await rig.get(url))["items"]
        assert (await rig.get(url, kind="resource.ready"))["items"] == [
            one for one in whole if one["kind"] == "resource.ready"
        ]
        about = (await rig.http.get(url, params={"path": "v"})).json()["items"]
        assert about == [one for one in whole if one["path"] == "v"]
        assert (await rig.get(url, since=whole[-1]["at"] + 1))["items"] == []
        for wrong in ({"kind": "%"}, {"kind": 'a"'}, {"since": "x"}, {"path": "a\x00"}):
            assert (await rig.http.get(url, params=wrong)).status_code == 400
