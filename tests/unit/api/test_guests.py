"""Logs of machines, and programs inside them, over HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from tests.unit.api.rig import SHOP, Rig

WEB = "  %s: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}\n"
GROUP = """resources:
  g:
    type: OS::Heat::ResourceGroup
    properties: {count: 2, resource_def: {type: OS::Nova::Server, properties: {image: debian-12, flavor: m1.tiny}}}
"""
EXEC = SHOP + "/exec"


async def lines(rig: Rig, **query: Any) -> list[dict[str, Any]]:
    answer = await rig.http.get(SHOP + "/logs", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_logs_of_several_machines_are_merged(rig: Rig) -> None:
    await rig.up("resources:\n" + WEB % "a" + WEB % "b")
    found = await lines(rig)
    assert {one["path"] for one in found} == {"a", "b"}
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)
    assert {one["path"] for one in await lines(rig, path="a")} == {"a"}
    assert await lines(rig, path="a", tail=0) == []


async def test_logs_of_a_group_are_those_of_its_members(rig: Rig) -> None:
    await rig.up(GROUP)
    assert {one["path"] for one in await lines(rig, path="g")} == {"g/0", "g/1"}


async def test_logs_of_what_is_no_machine(rig: Rig) -> None:
    await rig.up("resources:\n  v: {type: 'Terrace::Value', properties: {value: 1}}\n")
    for query in ({"path": "v"}, {}, {"path": "nothing"}):
        answer = await rig.http.get(SHOP + "/logs", params=query)
        assert (answer.status_code, answer.json()["code"]) == (404, "no-machine")
    assert (await rig.http.get(SHOP + "/logs", params={"path": "../etc//x"})).status_code == 400


class Call:
    """A WebSocket client that speaks ASGI by itself."""

    def __init__(self, rig: Rig, **query: Any) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": EXEC,
            "raw_path": EXEC.encode(),
            "root_path": "",
            "query_string": urlencode(query, doseq=True).encode(),
            "headers": [],
            "subprotocols": [],
            "client": None,
            "terrace.owner": True,
            "server": None,
            "extensions": {"websocket.http.response": {}},
        }
        self.task = asyncio.ensure_future(rig.app(scope, self.sent.get, self.told.put))

    def say(self, data: bytes) -> None:
        self.sent.put_nowait({"type": "websocket.receive", "bytes": data})

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """What came, up to the first message of that kind."""
        found = []
        while not found or found[-1]["type"] != kind:
            found.append(await asyncio.wait_for(self.told.get(), 5))
        await self.task if kind == "websocket.close" else None
        return found


async def test_a_program_writes_reads_and_ends(rig: Rig) -> None:
    await rig.up("resources:\n" + WEB % "web")
    call = Call(rig, path="web", cmd=["cat"])
    call.say(b"\x00hello")
    call.say(b'\x03{"rows": 24, "columns": 80}')
    call.say(b"\x03nonsense")
    call.say(b"\x05")
    messages = [
        one["bytes"] for one in await call.until("websocket.close") if one["type"] == "websocket.send"
    ]
    assert b"hello" in b"".join(data[1:] for data in messages if data[0] == 1)
    assert messages[-1] == b"\x040"


async def test_a_caller_who_leaves_leaves_nothing_behind(rig: Rig) -> None:
    await rig.up("resources:\n" + WEB % "web")
    call = Call(rig, path="web", cmd=["cat"])
    await call.until("websocket.accept")
    call.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.wait_for(call.task, 5)


async def test_refusals_are_ordinary_answers(rig: Rig) -> None:
    await rig.up(GROUP)
    for query, status in (
        ({"path": "g", "cmd": ["sh"]}, 409),
        ({"path": "g/7", "cmd": ["sh"]}, 404),
        ({"path": "g/0"}, 400),
    ):
        messages = await Call(rig, **query).until("websocket.http.response.body")
        assert messages[0]["status"] == status
        assert json.loads(messages[-1]["body"])["status"] == status
