"""Resources and outputs over HTTP."""

from __future__ import annotations

from tests.unit.api.rig import SHOP, Rig

GROUP = """resources:
  a: {type: 'Terrace::Value', properties: {value: 1}}
  g:
    type: OS::Heat::ResourceGroup
    properties: {count: 3, resource_def: {type: 'Terrace::Value', properties: {value: '%index%'}}}
outputs:
  one: {value: {get_attr: [a, value]}}
  later: {value: {get_attr: [slow, value]}}
"""
SLOW = GROUP.replace("outputs:", "  slow: {type: 'Terrace::Delay', properties: {minimum: 60}}\noutputs:")


async def test_resources_come_in_pages_and_below_a_path(rig: Rig) -> None:
    await rig.up(GROUP.replace("  later: {value: {get_attr: [slow, value]}}\n", ""))
    paths = [one["path"] for one in (await rig.get(SHOP + "/resources"))["items"]]
    assert paths == ["a", "g", "g/0", "g/1", "g/2"]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await rig.get(SHOP + "/resources", limit=2, cursor=cursor)
        found += [one["path"] for one in page["items"]]
        cursor = page["next"]
    assert found == paths
    below = await rig.get(SHOP + "/resources", under="g")
    assert [one["path"] for one in below["items"]] == ["g", "g/0", "g/1", "g/2"]
    one = await rig.get(SHOP + "/resources/g/1")
    assert (one["path"], one["kind"], one["type"], one["state"]) == (
        "g/1",
        "Value",
        "Terrace::Value",
        "ready",
    )
    assert (await rig.http.get(SHOP + "/resources/g/9")).status_code == 404
    assert (await rig.http.get(SHOP + "/resources/g//9")).status_code == 400


async def test_an_output_that_is_not_known_yet_is_null(rig: Rig) -> None:
    await rig.put(SLOW.replace("get_attr: [slow, value]", "get_resource: slow"))
    assert (await rig.get(SHOP + "/outputs/later"))["value"] is None
    assert [one["name"] for one in (await rig.get(SHOP + "/outputs"))["items"]] == ["later", "one"]
    assert (await rig.http.get(SHOP + "/outputs/none")).status_code == 404


async def test_resources_are_found_by_state_and_kind(rig: Rig) -> None:
    slow = await rig.put(SLOW.replace("get_attr: [slow, value]", "get_resource: slow"))
    assert slow.status_code == 201, slow.text
    while len((await rig.get(SHOP + "/resources", state="creating"))["items"]) != 1:
        await rig.controller.bell.wait(rig.controller.bell.count, 0.1)

    async def paths(**wanted: str | int) -> list[str]:
        return [one["path"] for one in (await rig.get(SHOP + "/resources", **wanted))["items"]]

    assert await paths(state="creating") == ["slow"]
    assert await paths(kind="Group") == ["g"]
    assert await paths(kind="Value", under="g") == ["g/0", "g/1", "g/2"]
    assert await paths(kind="Value", state="ready", limit=2) == ["a", "g/0"]
    assert await paths(kind="Machine") == []
    refused = await rig.http.get(SHOP + "/resources", params={"state": "failed"})
    assert refused.status_code == 400
    assert "failing" in refused.json()["message"], "it says which there are"
