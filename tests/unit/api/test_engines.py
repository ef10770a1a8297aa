"""Engines over HTTP: who works on how many stacks, and how one is taken out."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from terrace.kinds import KINDS
from terrace.ports.engines import API, ENGINE, Member
from terrace.runtime.controller import Controller, Means, Tuning
from terrace.services.engines.members import Engines
from tests.unit.api.rig import Rig, running

STACK = "resources:\n  v: {type: Terrace::Value, properties: {value: 1}}\n"


async def test_a_server_that_is_alone(rig: Rig) -> None:
    assert (await rig.up(STACK)).json()["settled"] == 1
    (one,) = (await rig.get("/v1/engines"))["items"]
    assert (one["state"], one["stacks"], one["roles"]) == ("working", 1, [API, ENGINE])
    answer = await rig.http.post(f"/v1/engines/{one['name']}/drain", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (409, "no-other-engine")


async def test_one_of_two_is_drained(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        await rig.controller.stop()
        both = [_controller(rig, name) for name in ("one", "two")]
        for controller in both:
            await controller.start()
        rig.services.engines = Engines(replace(rig.services.engines._on, controller=both[0]))
        engines = rig.store.engines
        await engines.join(Member("api-1", "answers", (API,), 6), 60.0)
        found = {one["name"]: one["state"] for one in (await rig.get("/v1/engines"))["items"]}
        assert found == {"answers": "answering", "one": "working", "two": "working"}
        answer = await rig.http.post("/v1/engines/two/drain", content=b'{"on": true}')
        assert (answer.status_code, answer.json()["state"]) == (200, "drained")
        answer = await rig.http.post("/v1/engines/one/drain", content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (409, "no-other-engine")
        answer = await rig.http.post("/v1/engines/two/drain", content=b'{"on": false}')
        assert answer.json()["state"] == "working"
        answer = await rig.http.post("/v1/engines/three/drain", content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        for controller in both:
            await controller.stop()
        assert [one.name for one in await engines.members()] == ["answers"]


def _controller(rig: Rig, name: str) -> Controller:
    means = Means(rig.clock, rig.entropy, rig.secrets, rig.telemetry)
    return Controller(
        rig.store, rig.drivers, KINDS, means, Tuning(holder=name, parting=0.1), rig.store.engines
    )
