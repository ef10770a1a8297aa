"""Plans over HTTP: what they show, and that a plan that was kept is applied exactly or not at all."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from tests.unit.api.rig import HEAD, SHOP, STACKS, Rig

VALUE = "resources:\n  v: {type: 'Terrace::Value', properties: {value: %s}}\n"
TWO = VALUE + "  w: {type: 'Terrace::Value', properties: {value: {get_attr: [v, value]}}}\n"
MACHINE = "resources:\n  web: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny%s}}\n"
DISK = "resources:\n  disk: {type: 'OS::Cinder::Volume', properties: {size: %s}}\n"
HIDDEN = """\
parameters:
  word: {type: string, hidden: true}
resources:
  web: {type: 'Terrace::Machine', properties: {image: debian-12, environment: {WORD: {get_param: word}}}}
"""


async def plan(rig: Rig, template: str, **more: Any) -> Any:
    """The plan of a template."""
    answer = await rig.put(template, query={"dry_run": 1, **more.pop("query", {})}, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def kept(rig: Rig, template: str, **more: Any) -> str:
    """A plan as it is kept."""
    sealed: str = (await plan(rig, template, query={"seal": 1}, **more))["sealed"]
    return sealed


async def apply(rig: Rig, sealed: str, name: str = "shop", **query: Any) -> httpx.Response:
    """A plan that was kept, given back."""
    body = json.dumps({"sealed": sealed})
    return await rig.http.put(
        f"{STACKS}/{name}", content=body, params={"wait": "settled", "timeout": 20, **query}
    )


async def test_counts_and_what_is_lost(rig: Rig) -> None:
    await rig.up(DISK % 1)
    found = await plan(rig, VALUE % 1)
    assert found["counts"] == {"create": 1, "delete": 1}
    (gone,) = [item for item in found["items"] if item["what"] == "delete"]
    assert gone["loses"].startswith("the data in volume-")
    assert [item["loses"] for item in found["items"] if item["what"] != "delete"] == [""]


async def test_what_has_no_effect_is_told_where_it_stands(rig: Rig) -> None:
    disk = "{type: 'OS::Cinder::Volume', properties: {size: 1, availability_zone: north}}"
    group = f"{{type: 'OS::Heat::ResourceGroup', properties: {{count: 1, resource_def: {disk}}}}}"
    router = "{type: 'OS::Neutron::Router', properties: {external_gateway_info: {network: out, enable_snat: true}}}"
    template = f"resources:\n  disk: {disk}\n  all: {group}\n  in: {{type: inner.yaml}}\n  way: {router}\n"
    found = await plan(rig, template, files={"inner.yaml": f"{HEAD}resources:\n  disk: {disk}\n"})
    notes = {
        item["path"]: [note["what"] for note in item["notes"] if note["verdict"] == "ignored because"]
        for item in found["items"]
        if item["notes"]
    }
    assert notes == {
        "disk": ["availability_zone"],
        "in/disk": ["availability_zone"],
        "all": ["resource_def.properties.availability_zone"],
        "way": ["external_gateway_info.enable_snat"],
    }


async def test_values_that_are_known_only_later_and_hidden_ones(rig: Rig) -> None:
    await rig.up(HIDDEN, parameters={"word": "old-word"})
    (item,) = [
        i for i in (await plan(rig, HIDDEN, parameters={"word": "new-word"}))["items"] if i["path"] == "web"
    ]
    (difference,) = item["differences"]
    assert (difference["field"], difference["forces"]) == ("environment", True)
    assert (difference["before"], difference["after"]) == ({"WORD": "******"}, {"WORD": "******"})
    later = HIDDEN.replace("{get_param: word}", "{get_attr: [other, id]}") + (
        "  other: {type: 'Terrace::Volume'}\n"
    )
    found = await plan(rig, later, parameters={"word": "old-word"})
    (item,) = [i for i in found["items"] if i["path"] == "web"]
    (difference,) = item["differences"]
    assert difference["after"] == {"WORD": "(known after apply)"}
    assert (difference["certain"], item["certain"]) == (False, False)


async def test_what_cannot_be_at_all_is_refused_before_anything_runs(rig: Rig) -> None:
    elsewhere = (
        "resources:\n  far:\n    type: OS::Heat::Stack\n    properties:\n"
        "      template: {get_file: far.yaml}\n      context: {region_name: north}\n"
        "  v: {type: 'Terrace::Value'}\n"
    )
    answer = await rig.put(elsewhere, files={"far.yaml": HEAD})
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert "context refused because" in problem["message"]
    assert (problem["file"], problem["line"]) == ("t.yaml", 3)
    assert (await rig.http.get(SHOP)).status_code == 404


async def test_a_digest_names_exactly_this_plan(rig: Rig) -> None:
    first = await plan(rig, VALUE % 1)
    assert first["digest"]
    assert first["sealed"] == ""
    assert (await plan(rig, VALUE % 1))["digest"] == first["digest"]
    assert (await plan(rig, VALUE % 2))["digest"] != first["digest"]
    assert (await rig.up(VALUE % 1, plan=first["digest"])).status_code == 201
    refused = await rig.put(VALUE % 2, plan=first["digest"])
    assert (refused.status_code, refused.json()["code"]) == (409, "plan-outdated")
    second = await plan(rig, VALUE % 2)
    assert (await rig.up(VALUE % 2, plan=second["digest"], headers={"If-Match": '"1"'})).status_code == 200


async def test_a_plan_that_was_kept_is_applied_exactly(rig: Rig) -> None:
    await rig.up(TWO % 1)
    sealed = await kept(rig, TWO % 2)
    shown = await apply(rig, sealed, dry_run=1)
    assert shown.json()["counts"] == {"update": 2}
    answer = await apply(rig, sealed)
    assert answer.json()["settled"] == 2
    assert (await rig.get(f"{SHOP}/resources/w"))["attributes"]["value"] == 2


@pytest.mark.parametrize("how", ["another change", "the same again", "applied before"])
async def test_it_is_refused_when_the_stack_has_moved(rig: Rig, how: str) -> None:
    await rig.up(MACHINE % "")
    sealed = await kept(rig, MACHINE % ", metadata: {a: b}")
    if how == "another change":
        await rig.up(MACHINE % ", metadata: {c: d}")
    elif how == "the same again":
        await rig.up(MACHINE % "")
    else:
        assert (await apply(rig, sealed)).status_code == 200
    await refused(rig, sealed)


async def refused(rig: Rig, sealed: str) -> None:
    """The plan that was kept can neither be shown nor applied any more."""
    before = await rig.get(SHOP)
    for query in ({}, {"dry_run": 1}):
        answer = await apply(rig, sealed, **query)
        assert (answer.status_code, answer.json()["code"]) == (409, "plan-outdated")
    assert (await rig.get(SHOP))["generation"] == before["generation"]


async def test_it_is_refused_when_what_the_stack_stands_on_has_moved(rig: Rig) -> None:
    net = VALUE % "%s" + "outputs: {id: {value: {get_attr: [v, value]}}}\n"
    reading = VALUE + "  seen: {type: 'Terrace::StackOutput', properties: {stack: net, output: id}}\n"
    await rig.up(net % 1, "net")
    await rig.up(reading % 5)
    sealed = await kept(rig, reading % "{get_attr: [seen, value]}")
    assert (await apply(rig, sealed, dry_run=1)).json()["counts"] == {"nothing": 1, "update": 1}
    await rig.up(net % 2, "net")
    for _ in range(400):
        if (await rig.get(f"{SHOP}/resources/seen"))["attributes"] == {"value": 2}:
            break
        await asyncio.sleep(0.02)
    await refused(rig, sealed)


async def test_no_secret_is_readable_in_it(rig: Rig) -> None:
    found = await plan(rig, HIDDEN, query={"seal": 1}, parameters={"word": "hush-hush"})
    assert "hush-hush" not in json.dumps(found)
    assert b"hush-hush" not in base64.b64decode(found["sealed"])
    assert (await apply(rig, found["sealed"])).json()["settled"] == 1
    (machine,) = [thing for thing in rig.world.things.values() if thing.kind == "Machine"]
    assert machine.spec.environment["WORD"].reveal() == "hush-hush"


async def test_one_that_was_tampered_with_or_is_of_another_stack(rig: Rig) -> None:
    sealed = await kept(rig, VALUE % 1)
    wrong = base64.b64encode(base64.b64decode(sealed)[:-1] + b"x").decode()
    for text in (wrong, "%%%", "aGVsbG8="):
        answer = await apply(rig, text)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-plan")
    answer = await apply(rig, sealed, name="other")
    assert (answer.status_code, answer.json()["code"]) == (400, "plan-of-another-stack")
    assert (await rig.http.get(f"{STACKS}/other")).status_code == 404
