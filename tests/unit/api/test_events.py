"""Events: listed, and followed from where one left off."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from terrace.api.events import _frames
from terrace.ports.edge.pages import cursor
from tests.unit.api.rig import AT, OWNER, SHOP, Rig

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
