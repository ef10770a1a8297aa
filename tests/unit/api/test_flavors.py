"""Flavors of a project: which it may use, what is refused, and what stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from terrace.drivers.sim.outside import Outside
from tests.unit.api.rig import OWNER, SHOP, STACKS, Rig, running

FLAVORS = "/v1/projects/default/flavors"
WEB = """
resources:
  web:
    type: OS::Nova::Server
    properties:
      image: debian-12
      flavor: {flavor}
      metadata: {{note: "{note}"}}
"""
GROUP = """
parameters: {{size: {{type: string, default: {flavor}}}}}
resources:
  web:
    type: {type}
    properties:
      {count}
      {what}: {{type: 'OS::Nova::Server', properties: {{image: debian-12, flavor: {{get_param: size}}}}}}
"""
BARE = """
resources:
  web:
    type: Terrace::Machine
    properties: {{image: debian-12, {sizes}}}
"""


@pytest.fixture(params=["memory", "sqlite"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=request.param == "sqlite") as found:
        yield found


@pytest.fixture
async def lasting(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=True) as found:
        yield found


def web(flavor: str, note: str = "") -> str:
    return WEB.format(flavor=flavor, note=note)


def group(flavor: str, count: int, kind: str = "OS::Heat::ResourceGroup") -> str:
    if kind == "OS::Heat::ResourceGroup":
        return GROUP.format(flavor=flavor, type=kind, count=f"count: {count}", what="resource_def")
    sizes = f"min_size: 0\n      max_size: 9\n      desired_capacity: {count}"
    return GROUP.format(flavor=flavor, type=kind, count=sizes, what="resource")


async def allow(rig: Rig, *names: str) -> Any:
    answer = await rig.http.put(FLAVORS, json={"allowed": list(names) or None})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(rig: Rig, name: str, **sizes: str) -> Any:
    answer = await rig.http.put(f"{FLAVORS}/{name}", json={"sizes": sizes})
    assert answer.status_code == 200, answer.text
    return answer.json()


def memory(rig: Rig) -> list[int]:
    """What each machine that there is has, in MiB."""
    return sorted(one.spec.memory for one in rig.world.things.values() if one.kind == "Machine")


async def until(rig: Rig, wanted: Any) -> None:
    """Comes back once `wanted()` holds."""
    async with asyncio.timeout(20):
        while True:
            rung = rig.controller.bell.count
            if await wanted():
                return
            await rig.controller.bell.wait(rung, 1.0)


async def until_memory(rig: Rig, *sizes: int) -> None:
    async def there() -> bool:
        return memory(rig) == sorted(sizes) and (await rig.get(SHOP))["phase"] == "settled"

    await until(rig, there)


async def refused(rig: Rig, template: str, name: str = "shop", **more: Any) -> dict[str, Any]:
    """The one problem with which plan and up refuse a template alike."""
    told = []
    for query in ({"dry_run": 1}, None):
        answer = await rig.put(template, name, query=query, **more)
        assert answer.status_code == 422, answer.text
        (problem,) = answer.json()["problems"]
        told.append(problem)
    assert told[0] == told[1]
    return dict(told[0])


def place(problem: dict[str, Any]) -> tuple[str, int, str]:
    """File, line, and what is underlined."""
    start = problem["column"] - 1
    return problem["file"], problem["line"], problem["source"][start : start + problem["length"]]


# --- what is refused


async def test_what_is_not_allowed_is_refused_with_its_place(rig: Rig) -> None:
    await allow(rig, "m1.small", "m1.medium")
    problem = await refused(rig, web("m1.smal1"))
    assert problem["code"] == "unknown-flavor"
    assert problem["hint"] == 'did you mean "m1.small"? (terrace flavor list --project default)'
    problem = await refused(rig, web("m1.large"))
    assert place(problem) == ("t.yaml", 8, "m1.large")
    assert problem["code"] == "flavor-not-allowed"
    assert problem["message"] == (
        'resource "web" asks for flavor "m1.large", which project "default" may not use'
    )
    assert problem["hint"] == (
        'the nearest that it may use is "m1.medium" (terrace flavor list --project default)'
    )
    assert (await rig.get(STACKS))["items"] == []
    assert (await rig.up(web("m1.small"))).json()["phase"] == "settled"


@pytest.mark.parametrize("kind", ["OS::Heat::ResourceGroup", "OS::Heat::AutoScalingGroup"])
async def test_also_in_groups(rig: Rig, kind: str) -> None:
    await allow(rig, "m1.tiny")
    problem = await refused(rig, group("m1.large", 3, kind))
    assert place(problem) == ("t.yaml", 9 if "Resource" in kind else 11, "{get_param: size}")
    assert 'resource "web" asks for flavor "m1.large"' in problem["message"]
    assert (await rig.up(group("m1.tiny", 2, kind))).json()["phase"] == "settled"


async def test_also_in_nested_templates_and_where_the_name_comes_from_outside(rig: Rig) -> None:
    await allow(rig, "m1.tiny")
    inner = f"heat_template_version: 2021-04-16\nparameters: {{of: {{type: string}}}}{web('{get_param: of}')}"
    outer = "parameters: {size: {type: string, default: m1.large}}\n"
    outer += "resources:\n  box: {type: box.yaml, properties: {of: {get_param: size}}}\n"
    files = {"box.yaml": inner}
    problem = await refused(rig, outer, files=files)
    assert place(problem) == ("box.yaml", 8, "{get_param: of}")
    assert problem["message"].startswith('resource "box/web" asks for flavor "m1.large"')
    settled = await rig.up(outer, files=files, parameters={"size": "m1.tiny"})
    assert settled.json()["phase"] == "settled", settled.text


async def test_a_parameter_that_must_name_a_flavor_must_name_one_of_these(rig: Rig) -> None:
    template = web("{get_param: size}").replace(
        "resources:",
        "parameters: {size: {type: string, constraints: [{custom_constraint: nova.flavor}]}}\nresources:",
    )
    assert (await rig.up(template, parameters={"size": "m1.large"})).json()["phase"] == "settled"
    await put(rig, "own", memory="96M")
    await allow(rig, "m1.tiny", "own")
    answer = await rig.put(template, "blog", parameters={"size": "m1.large"})
    assert answer.status_code == 422
    wrong = [one["message"] for one in answer.json()["problems"]]
    assert len(wrong) == 2
    assert any("size" in message for message in wrong)
    again = await rig.up(template.replace('note: ""', "note: b"), parameters={"size": "m1.large"})
    assert again.json()["phase"] == "settled", "what it stands with it may go on naming"
    assert (await rig.up(template, "blog", parameters={"size": "own"})).json()["phase"] == "settled"
    assert memory(rig) == [96, 8192]


async def test_sizes_that_are_written_out_must_fit_into_one_that_is_allowed(rig: Rig) -> None:
    await allow(rig, "m1.tiny", "m1.small")
    assert (await rig.up(BARE.format(sizes="cpu: 1, memory: 1G, disk: 20G"))).json()["phase"] == "settled"
    for sizes, said in (
        (
            "cpu: 1, memory: 4G, disk: 1G",
            "asks for cpu 1, memory 4 GiB, disk 1 GiB, which is more than any flavor",
        ),
        ("memory: 64M", "asks for cpu without a limit, memory 64 MiB, disk without a limit"),
        ("flavor: m1.tiny, memory: 4G", "asks for cpu 1, memory 4 GiB, disk 1 GiB"),
    ):
        problem = await refused(rig, BARE.format(sizes=sizes), "blog")
        assert said in problem["message"]
        assert problem["code"] == "flavor-not-allowed"
        assert "m1.small, m1.tiny" in problem["hint"]
    within = await rig.up(BARE.format(sizes="flavor: m1.tiny, memory: 2G"), "blog")
    assert within.json()["phase"] == "settled", "it fits into another one"


async def test_a_flavor_that_a_template_makes_must_fit_too(rig: Rig) -> None:
    template = """
resources:
  size: {{type: OS::Nova::Flavor, properties: {{ram: {ram}, vcpus: 1, disk: 1}}}}
  web: {{type: OS::Nova::Server, properties: {{image: debian-12, flavor: {{get_resource: size}}}}}}
"""
    await allow(rig, "m1.tiny")
    problem = await refused(rig, template.format(ram=4096))
    assert (problem["line"], problem["code"]) == (4, "flavor-not-allowed")
    assert 'resource "size" asks for cpu 1, memory 4 GiB, disk 1 GiB' in problem["message"]
    assert (await rig.up(template.format(ram=256))).json()["phase"] == "settled"


async def test_a_flavor_of_the_project_hides_no_other_mistake(rig: Rig) -> None:
    await put(rig, "own", memory="96M")
    problem = await refused(rig, BARE.format(sizes="flavor: own, security_groups: [web]"))
    assert "security" in problem["message"]
    problem = await refused(rig, BARE.format(sizes="flavor: own, health: {type: http}"))
    assert "a check by http needs the port" in problem["message"]


@pytest.mark.parametrize("then", [("m1.tiny",), ("m1.tiny", "m1.large")])
async def test_what_is_said_while_a_wish_is_saved_counts(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, then: tuple[str, ...]
) -> None:
    """It was looked at before, and is looked at again."""
    save, saved = rig.store.save_generation, []

    async def late(*given: Any, **more: Any) -> Any:
        if not saved:
            await rig.flavors.allow("default", then)
        saved.append(given[1].offer)
        return await save(*given, **more)

    monkeypatch.setattr(rig.store, "save_generation", late)
    answer = await rig.put(web("m1.large"))
    if "m1.large" in then:
        assert answer.status_code == 201, answer.text
        assert saved == [0, 1]
    else:
        assert (answer.status_code, answer.json()["problems"][0]["code"]) == (422, "flavor-not-allowed")
        assert saved == [0]
        assert (await rig.get(STACKS))["items"] == []


async def test_a_stack_that_a_resource_owns_keeps_to_them_too(rig: Rig) -> None:
    inner = "heat_template_version: 2021-04-16\n" + web("m1.large")
    outer = "resources: {inner: {type: 'Terrace::Stack', properties: {template: inner.yaml}}}\n"
    await allow(rig, "m1.tiny")
    failed = await rig.up(outer, files={"inner.yaml": inner})
    assert failed.json()["phase"] == "failing", failed.text
    assert 'asks for flavor "m1.large", which project "default" may not use' in failed.json()["why"]
    await allow(rig, "m1.large")
    await until_memory(rig, 8192)


async def test_a_rollback_to_what_is_not_allowed_any_more_is_refused(lasting: Rig) -> None:
    await lasting.up(web("m1.large"))
    await lasting.up(web("m1.tiny"))
    await allow(lasting, "m1.tiny")
    answer = await lasting.http.post(SHOP + "/rollback", json={"to": 1})
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["code"] == "flavor-not-allowed"


# --- what stays


async def test_what_stands_stays_heals_and_can_be_changed_otherwise(rig: Rig) -> None:
    await rig.up(group("m1.large", 2))
    await allow(rig, "m1.tiny")
    assert (await rig.up(group("m1.large", 2))).json()["phase"] == "settled"
    thing = next(one for one in rig.world.things.values() if one.kind == "Machine")
    Outside(rig.world, rig.clock).remove(thing.provider_id)
    await until_memory(rig, 8192, 8192)
    changed = group("m1.large", 2).replace("image: debian-12", "image: debian-12, metadata: {a: b}")
    assert (await rig.up(changed)).json()["phase"] == "settled"
    problem = await refused(rig, group("m1.large", 3))
    assert 'resource "web/2"' in problem["message"]
    assert (await rig.up(group("m1.large", 1))).json()["phase"] == "settled"
    assert (await rig.up(group("m1.tiny", 3))).json()["phase"] == "settled"
    assert memory(rig) == [512, 512, 512]


async def test_members_that_come_beside_the_template_are_refused_by_the_engine(rig: Rig) -> None:
    await rig.up(group("m1.large", 1))
    await allow(rig, "m1.tiny")
    await rig.http.put(f"{SHOP}/sizes/web", json={"size": 2})

    async def said() -> bool:
        items = (await rig.get(SHOP + "/resources"))["items"]
        whys = [one["why"] for one in items if one["path"] == "web/1"]
        return whys == ['asks for flavor "m1.large", which project "default" may not use']

    await until(rig, said)
    assert memory(rig) == [8192]
    await allow(rig)
    await until_memory(rig, 8192, 8192)


async def test_a_changed_flavor_changes_what_has_it(rig: Rig) -> None:
    """As a changed catalogue in the settings does."""
    await put(rig, "own", cpu="1", memory="128M")
    await rig.up(web("own"))
    assert memory(rig) == [128]
    said = await put(rig, "own", memory="256M")
    assert said["used_by"] == ["shop"]
    await until_memory(rig, 256)
    (line,) = [one for one in said["items"] if one["name"] == "own"]
    assert (line["cpu"], line["memory"]) == (1.0, 256), "what is not named stays as it was"


async def test_what_grows_with_its_flavor_waits_for_the_quota(lasting: Rig) -> None:
    rig = lasting
    await put(rig, "own", memory="128M")
    limited = await rig.http.put("/v1/projects/default/quota", json={"limits": {"memory": "200M"}})
    assert limited.status_code == 200
    await rig.up(web("own"))
    await put(rig, "own", memory="256M")

    async def held() -> bool:
        items = (await rig.get(SHOP + "/resources"))["items"]
        return any("memory: 128 MiB more wanted, 72 MiB of 200 MiB left" in one["why"] for one in items)

    await until(rig, held)
    assert memory(rig) == [128]
    await rig.http.put("/v1/projects/default/quota", json={"limits": {"memory": "none"}})
    await until_memory(rig, 256)


async def test_a_flavor_of_the_project_counts_before_the_providers(rig: Rig) -> None:
    await rig.up(web("m1.tiny"))
    said = await put(rig, "m1.tiny", memory="96M")
    (line,) = [one for one in said["items"] if one["name"] == "m1.tiny"]
    assert (line["provider"], line["hides"], line["memory"]) == ("", ["local"], 96)
    await until_memory(rig, 96)
    kept = await rig.http.delete(f"{FLAVORS}/m1.tiny")
    assert (kept.status_code, kept.json()["code"]) == (409, "flavor-in-use")
    assert "shop" in kept.json()["message"]
    gone = await rig.http.delete(f"{FLAVORS}/m1.tiny", params={"force": 1})
    assert gone.json()["used_by"] == ["shop"]
    await until_memory(rig, 512)


async def test_what_stands_with_a_flavor_that_is_gone_keeps_its_size(rig: Rig) -> None:
    await put(rig, "own", memory="96M")
    await rig.up(web("own"))
    await rig.http.delete(f"{FLAVORS}/own", params={"force": 1})
    settled = await rig.up(web("own", note="changed"))
    assert settled.json()["phase"] == "settled", settled.text
    assert memory(rig) == [96]
    problem = await refused(rig, web("own"), "blog")
    assert (problem["code"], place(problem)[2]) == ("unknown-flavor", "own")


async def test_it_is_so_in_that_project_only(rig: Rig) -> None:
    await put(rig, "own", memory="96M")
    await allow(rig, "own")
    body = {"template": "t.yaml", "files": {"t.yaml": "heat_template_version: 2021-04-16\n" + web("own")}}
    other = await rig.http.put("/v1/projects/other/stacks/shop", json=body)
    assert (other.status_code, other.json()["problems"][0]["code"]) == (422, "unknown-flavor")
    body["files"] = {"t.yaml": "heat_template_version: 2021-04-16\n" + web("m1.large")}  # type: ignore[dict-item]
    assert (await rig.http.put("/v1/projects/other/stacks/shop", json=body)).status_code in (201, 202)
    assert [one["allowed"] for one in (await rig.get("/v1/projects/other/flavors"))["items"]] == [True] * 7


# --- saying it


async def test_what_cannot_be_said(rig: Rig) -> None:
    for path, body, code in (
        (f"{FLAVORS}/own", {"sizes": {"ram": "1G"}}, "unknown-resource"),
        (f"{FLAVORS}/own", {"sizes": {"memory": "lots"}}, "bad-amount"),
        (f"{FLAVORS}/own", {"sizes": {"memory": "0"}}, "bad-amount"),
        (f"{FLAVORS}/own", {"sizes": {"pids": "-1"}}, "bad-amount"),
        (f"{FLAVORS}/own", {"sizes": {}}, "bad-amount"),
        (f"{FLAVORS}/-own", {"sizes": {"cpu": "1"}}, "invalid-name"),
        (FLAVORS, {"allowed": ["m1.smal", "nothing"]}, "unknown-flavor"),
    ):
        answer = await rig.http.put(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert 'did you mean "m1.small"?' in answer.json()["hint"]
    assert '"m1.smal", "nothing"' in answer.json()["message"]
    gone = await rig.http.delete(f"{FLAVORS}/own")
    assert (gone.status_code, gone.json()["code"]) == (404, "not-found")


async def test_all_of_it_is_audited(rig: Rig) -> None:
    await put(rig, "own", cpu="1")
    await allow(rig, "own")
    await allow(rig)
    await rig.http.delete(f"{FLAVORS}/own")
    rows = [row.entry.subject for row in await rig.services.audit.listing(OWNER)]
    assert rows == [
        "flavor own of default",
        "project default may use flavors: own",
        "project default may use flavors: all",
        "flavor own of default: remove",
    ]
