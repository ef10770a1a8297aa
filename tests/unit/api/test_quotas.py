"""Quotas of a project: what a plan says of them, what is refused, and what is held until there is room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.rig import SHOP, STACKS, Rig, running

QUOTA = "/v1/projects/default/quota"
GROUP = """
parameters: {{n: {{type: number, default: {n}}}}}
resources:
  web:
    type: Terrace::Group
    properties:
      count: {{get_param: n}}
      resource_def: {{type: 'Terrace::Machine', properties: {{image: debian-12, flavor: m1.tiny}}}}
  data: {{type: 'Terrace::Volume', properties: {{size: 3}}}}
"""


@pytest.fixture(params=[False, True], ids=["memory", "database"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=request.param) as found:
        yield found


async def limit(rig: Rig, **limits: str) -> Any:
    answer = await rig.http.put(QUOTA, content=json.dumps({"limits": limits}))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def standing(rig: Rig, resource: str) -> dict[str, Any]:
    (line,) = [one for one in (await rig.get(QUOTA))["items"] if one["resource"] == resource]
    return dict(line)


async def until(rig: Rig, wanted: Any) -> None:
    """Comes back once `wanted()` holds."""
    async with asyncio.timeout(20):
        while True:
            rung = rig.controller.bell.count
            if await wanted():
                return
            await rig.controller.bell.wait(rung, 1.0)


async def test_the_plan_says_what_is_taken_and_what_is_left(rig: Rig) -> None:
    await limit(rig, machines="5", memory="4G", storage="10G", stacks="2")
    plan = (await rig.put(GROUP.format(n=3), query={"dry_run": 1})).json()
    assert {one["resource"]: (one["takes"], one["used"], one["most"]) for one in plan["quota"]} == {
        "stacks": (1, 1, 2), "machines": (3, 3, 5), "memory": (1536, 1536, 4096), "storage": (3, 3, 10),
    }  # fmt: skip
    up = await rig.up(GROUP.format(n=3))
    assert up.json()["phase"] == "settled", up.text
    assert await standing(rig, "machines") == {
        "resource": "machines", "used": 3, "reserved": 0, "most": 5, "left": 2,
    }  # fmt: skip
    assert (await rig.http.post("/v1/quotas/check")).json()["items"] == []


async def test_too_much_is_refused_with_line_and_resource(rig: Rig) -> None:
    await limit(rig, machines="5")
    await rig.up(GROUP.format(n=3))
    for query in ({"dry_run": 1}, None):
        refused = await rig.put(GROUP.format(n=3), "blog", query=query)
        told = refused.json()
        assert (refused.status_code, told["code"]) == (429, "quota-exceeded")
        assert told["message"] == (
            't.yaml:5: resource "web/2": the quota of project "default" does not allow that:'
            " machines: 3 more wanted, 2 of 5 left"
        )
    assert [stack["name"] for stack in (await rig.get(STACKS))["items"]] == ["shop"]
    assert (await rig.up(GROUP.format(n=2), "blog")).json()["phase"] == "settled"


async def test_what_goes_is_free_when_it_is_gone(rig: Rig) -> None:
    await limit(rig, machines="4", volumes="2", stacks="3")
    await rig.up(GROUP.format(n=4))
    assert (await rig.up(GROUP.format(n=1))).json()["phase"] == "settled"
    assert (await standing(rig, "machines"))["used"] == 1
    assert (await rig.up(GROUP.format(n=3), "blog")).json()["phase"] == "settled"
    gone = await rig.http.delete(SHOP, params={"wait": "gone", "timeout": 20})
    assert gone.json()["phase"] == "gone"
    assert [(await standing(rig, name))["used"] for name in ("machines", "volumes", "stacks")] == [3, 1, 1]


async def test_growth_by_a_word_beside_the_template_is_held_until_there_is_room(rig: Rig) -> None:
    await limit(rig, machines="4")
    await rig.up(GROUP.format(n=3))
    scaled = await rig.http.put(f"{SHOP}/sizes/web", json={"size": 6})
    assert scaled.status_code == 202, scaled.text

    async def held() -> bool:
        items = (await rig.get(SHOP + "/resources"))["items"]
        whys = [one["why"] for one in items if one["kind"] == "Machine" and one["state"] == "waiting"]
        return len(whys) == 2 and all("machines: 1 more wanted, 0 of 4 left" in why for why in whys)

    async def made() -> bool:
        return sum(thing.kind == "Machine" for thing in rig.world.things.values()) == 4

    await until(rig, held)
    await until(rig, made)
    assert (await standing(rig, "machines"))["used"] == 4
    assert await held()
    assert await made()
    await limit(rig, machines="none")

    async def stands() -> bool:
        return bool((await rig.get(SHOP))["phase"] == "settled")

    await until(rig, stands)
    assert (await standing(rig, "machines"))["used"] == 6
    assert (await rig.http.post("/v1/quotas/check")).json()["items"] == []


async def test_a_machine_without_a_size_is_refused_where_that_is_limited(rig: Rig) -> None:
    await limit(rig, memory="4G")
    bare = "resources:\n  web: {type: 'Terrace::Machine', properties: {image: debian-12}}\n"
    refused = (await rig.put(bare)).json()
    assert refused["code"] == "quota-needs-a-size"
    assert refused["message"].startswith('t.yaml:3: resource "web": the project has a quota of memory')


async def test_a_limit_below_what_stands_takes_nothing_away(rig: Rig) -> None:
    await rig.up(GROUP.format(n=3))
    shown = await limit(rig, machines="2")
    (line,) = [one for one in shown["items"] if one["resource"] == "machines"]
    assert (line["used"], line["most"], line["left"]) == (3, 2, 0)
    again = await rig.up(GROUP.format(n=3).replace("size: 3", "size: 4"))
    assert again.json()["phase"] == "settled", again.text
    assert (await rig.put(GROUP.format(n=4))).status_code == 429
    assert (await rig.up(GROUP.format(n=2).replace("size: 3", "size: 4"))).json()["phase"] == "settled"


async def test_check_repairs_what_is_wrong(rig: Rig) -> None:
    await limit(rig, machines="9")
    await rig.up(GROUP.format(n=3))
    stack = await rig.get(SHOP)
    assert await rig.quotas.correct(stack["id"], {"machines": 7}, stack["generation"])
    (wrong,) = (await rig.http.post("/v1/quotas/check")).json()["items"]
    assert (wrong["stack"], wrong["held"]["machines"], wrong["takes"]["machines"]) == ("shop", 7, 3)
    await rig.http.post("/v1/quotas/check", params={"repair": 1})
    assert (await rig.http.post("/v1/quotas/check")).json()["items"] == []
    assert (await standing(rig, "volumes"))["used"] == 1


async def test_what_is_no_quota(rig: Rig) -> None:
    for limits, code in (({"cows": "1"}, "unknown-resource"), ({"machines": "many"}, "bad-amount")):
        answer = await rig.http.put(QUOTA, content=json.dumps({"limits": limits}))
        assert (answer.status_code, answer.json()["code"]) == (400, code)
