"""Which project may use which provider: what is out of reach is not there."""

from __future__ import annotations

from pathlib import Path

import httpx

from terrace.services.settings import Access
from tests.unit.api.rig import SHOP, Rig, running
from tests.unit.security.people import person, project

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


async def names(client: httpx.AsyncClient, **query: str) -> list[str]:
    answer = await client.get("/v1/providers", params=query)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


async def statuses(client: httpx.AsyncClient, name: str) -> list[int]:
    parts = ("flavors", "images", "ghosts")
    return [(await client.get(f"/v1/providers/{name}/{part}")).status_code for part in parts]


async def test_two_tenants_see_the_providers_that_their_projects_may_use(tmp_path: Path) -> None:
    async with running(tmp_path, people=Access(reach="none", own_projects=False)) as rig:
        ada, bob, root = (
            await person(rig, "ada"),
            await person(rig, "bob"),
            await person(rig, "root", admin=True),
        )
        await project(rig, "shop", ada="viewer")
        await project(rig, "lab", bob="admin")
        await rig.http.put("/v1/projects/shop/reach", json={"reach": [{"provider": "local", "region": "eu"}]})
        assert await names(ada) == ["builtin", "local"]
        assert await names(bob) == ["builtin"]
        assert await names(root) == await names(rig.http) == ["builtin", "local"]
        assert await statuses(ada, "local") == [200, 200, 403]
        assert await statuses(bob, "local") == [404, 404, 403]
        assert await statuses(bob, "builtin") == [200, 200, 403]
        assert await statuses(root, "local") == [200, 200, 200]
        never = await bob.get("/v1/providers/never/flavors")
        there = await bob.get("/v1/providers/local/flavors")
        assert there.text.replace("local", "never") == never.text, "nobody learns which providers there are"


async def test_a_project_is_asked_for_its_providers_by_its_members(tmp_path: Path) -> None:
    async with running(tmp_path, people=Access(own_projects=False)) as rig:
        ada = await person(rig, "ada")
        for name in ("shop", "lab"):
            await project(rig, name, ada="viewer")
        await project(rig, "other")
        await rig.http.put("/v1/projects/lab/reach", json={"reach": [{"provider": "builtin"}]})
        assert await names(ada) == ["builtin", "local"]
        assert await names(ada, project="shop") == ["builtin", "local"], "as the settings say"
        assert await names(ada, project="lab") == await names(rig.http, project="lab") == ["builtin"]
        for asked in ("other", "never"):
            assert (await ada.get("/v1/providers", params={"project": asked})).status_code == 404


async def test_a_service_token_sees_the_providers_of_its_project(tmp_path: Path) -> None:
    async with running(tmp_path, people=Access(reach="none")) as rig:
        for name in ("shop", "lab"):
            await project(rig, name)
        await rig.http.put("/v1/projects/shop/reach", json={"reach": [{"provider": "local"}]})
        for at, seen in (("shop", ["builtin", "local"]), ("lab", ["builtin"])):
            wish = {"name": "ci", "project": at, "role": "developer", "service": True}
            made = (await rig.http.post("/v1/tokens", json=wish)).json()
            assert await names(rig.client(made["token"])) == seen
