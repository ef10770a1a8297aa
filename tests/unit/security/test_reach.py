"""Which project may use which provider: what is out of reach is not there."""

from __future__ import annotations

from pathlib import Path

from terrace.services.settings import Access
from tests.unit.api.rig import SHOP, Rig, running

MACHINE = "resources:\n  web: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}\n"
VALUE = "resources:\n  v: {type: 'Terrace::Value', properties: {value: 1}}\n"
REACH = "/v1/projects/default/reach"


async def test_a_provider_out_of_reach_is_not_there(tmp_path: Path) -> None:
    async with running(tmp_path, people=Access(reach="none")) as rig:
        refused = await rig.put(MACHINE)
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (422, "unknown-provider")
        assert refused.json()["problems"][0]["message"] == 'there is no provider "local"'
        assert (await rig.up(VALUE)).json()["phase"] == "settled", "what Terrace makes itself is everybody's"
        allowed = await rig.http.put(REACH, json={"reach": [{"provider": "local"}]})
        assert allowed.status_code == 200, allowed.text
        assert (await rig.up(MACHINE)).json()["phase"] == "settled"


async def test_a_region_is_not_the_whole_provider(rig: Rig) -> None:
    await rig.up(VALUE)
    await rig.http.put(REACH, json={"reach": [{"provider": "local", "region": "eu"}]})
    assert (await rig.put(MACHINE)).status_code == 422
    assert (await rig.get(REACH))["items"] == [{"provider": "local", "region": "eu"}]
    await rig.http.put(REACH, json={"reach": []})
    assert (await rig.put(MACHINE)).status_code == 200
    unknown = await rig.http.put(REACH, json={"reach": [{"provider": "nowhere"}]})
    assert unknown.status_code == 404


async def test_an_earlier_generation_is_no_way_around(rig: Rig) -> None:
    await rig.up(MACHINE)
    await rig.up(VALUE)
    await rig.http.put(REACH, json={"reach": [{"provider": "builtin"}]})
    back = await rig.http.post(SHOP + "/rollback", json={"to": 1})
    assert (back.status_code, back.json()["code"]) == (403, "out-of-reach")
    assert (await rig.http.delete(SHOP)).status_code == 200, "what is there may always go"
