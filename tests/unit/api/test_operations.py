"""Operations on a stack over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import msgspec

from terrace.model.spec.volume import VolumeSpec
from tests.unit.api.rig import SHOP, STACKS, Rig

MACHINE = """resources:
  web: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}
  word: {type: 'OS::Heat::RandomString'}
"""
HIDDEN = """parameters:
  password: {type: string, hidden: true}
resources:
  v: {type: 'Terrace::Value', properties: {value: {get_param: password}}}
  word: {type: 'OS::Heat::RandomString'}
outputs:
  word: {value: {get_attr: [word, value]}}
"""
VALUES = "resources:\n" + "".join(
    f"  v{n}: {{type: 'Terrace::Value', properties: {{value: %s}}}}\n" for n in range(3)
)
FAILS = "resources:\n  bad: {type: 'OS::Heat::TestResource', properties: {fail: true}}\n"


async def post(rig: Rig, path: str, body: Any = None, status: int = 200) -> Any:
    """The body of a POST that must end with `status`."""
    answer: httpx.Response = await rig.http.post(SHOP + path, content=json.dumps(body or {}))
    assert answer.status_code == status, answer.text
    return answer.json()


async def until(rig: Rig, phase: str, path: str = SHOP) -> Any:
    """The stack once it is in a phase."""
    for _ in range(400):
        answer = await rig.http.get(path)
        if phase == "gone" and answer.status_code == 404:
            return None
        if answer.status_code == 200 and answer.json()["phase"] == phase:
            return answer.json()
        await asyncio.sleep(0.02)
    raise AssertionError(answer.text)


async def ids(rig: Rig, path: str = SHOP) -> dict[str, str]:
    """Provider ids by path."""
    items = (await rig.get(path + "/resources"))["items"]
    return {item["path"]: item["provider_id"] for item in items}


async def test_taint_and_restart(rig: Rig) -> None:
    await rig.up(MACHINE)
    before = await ids(rig)
    await post(rig, "/resources/web/taint")
    await until(rig, "settled")
    after = await ids(rig)
    assert (after["web"] != before["web"], after["word"]) == (True, before["word"])
    await post(rig, "/resources/web/restart")
    await until(rig, "settled")
    assert len(rig.world.things[after["web"]].output) == 2
    assert (await post(rig, "/resources/word/restart", status=409))["code"] == "not-possible"
    await post(rig, "/resources/nothing/taint", status=404)


async def test_suspend_and_resume(rig: Rig) -> None:
    await rig.up(MACHINE)
    await post(rig, "/suspend")
    stack = await until(rig, "suspended")
    assert stack["marks"] == ["suspended"]
    refused = await rig.put(MACHINE + "  v: {type: 'Terrace::Value', properties: {value: 1}}\n")
    assert (refused.status_code, refused.json()["code"]) == (409, "suspended")
    plan = (await rig.put(MACHINE, query={"dry_run": "true"})).json()
    assert not plan["changes"]
    assert "terrace resume shop" in plan["warnings"][0]["message"]
    await post(rig, "/resume")
    stack = await until(rig, "settled")
    assert stack["marks"] == []
    assert (await rig.put(MACHINE)).status_code == 200


async def test_a_protected_stack_is_neither_deleted_nor_abandoned(rig: Rig) -> None:
    await rig.up(MACHINE)
    await post(rig, "/protect", {"protected": True})
    assert (await rig.get(SHOP))["marks"] == ["protected"]
    answer = await rig.http.delete(SHOP)
    assert (answer.status_code, answer.json()["code"]) == (409, "protected")
    assert (await post(rig, "/abandon", status=409))["code"] == "protected"
    await post(rig, "/protect", {"protected": False})
    assert (await rig.http.delete(SHOP)).status_code == 200
    await until(rig, "gone")


async def test_check_looks_now(rig: Rig) -> None:
    await rig.up(MACHINE)
    found = await post(rig, "/check")
    assert (found["changes"], {item["what"] for item in found["items"]}) == (False, {"nothing"})
    web = rig.world.things[(await ids(rig))["web"]]
    rig.world.change(web, rig.clock.now(), state="exited", exit_code=1)
    found = await post(rig, "/check")
    assert found["changes"]
    (item,) = [item for item in found["items"] if item["what"] != "nothing"]
    assert (item["path"], item["what"]) == ("web", "heal")


async def test_check_says_when_a_provider_is_silent(rig: Rig) -> None:
    await rig.up(MACHINE)
    rig.world.weather.go_down(rig.clock.now() + 1000)
    assert (await post(rig, "/check", status=503))["code"] == "provider-unavailable"


async def test_import_makes_an_empty_stack_and_the_next_up_takes_the_thing_on(rig: Rig) -> None:
    volume = "resources:\n  data: {type: 'OS::Cinder::Volume', properties: {size: 1}}\n"
    thing = rig.world.create("Volume", None, VolumeSpec("old", 1), rig.clock.now())
    rig.world.adopted.add(thing.provider_id)
    stack = await post(rig, "/imports", {"path": "data", "provider_id": thing.provider_id})
    assert stack["generation"] == 1
    plan = (await rig.put(volume, query={"dry_run": "true"})).json()
    assert [item["what"] for item in plan["items"]] == ["adopt"]
    assert (await rig.up(volume)).json()["phase"] == "settled"
    assert (await ids(rig))["data"] == thing.provider_id
    again = await post(rig, "/imports", {"path": "data", "provider_id": thing.provider_id}, 409)
    assert again["code"] == "not-possible"
    await rig.http.delete(SHOP)
    await until(rig, "gone")
    assert thing.provider_id not in rig.world.things
    assert not rig.world.violations


async def test_abandon_and_adopt_keep_everything_and_hide_what_is_hidden(rig: Rig) -> None:
    await rig.up(HIDDEN, parameters={"password": "open sesame"})
    word = (await rig.get(SHOP + "/outputs/word"))["value"]
    document = await rig.get(SHOP + "/document")
    assert "open sesame" not in json.dumps(document)
    assert word not in json.dumps(document)
    assert document["parameters"] == {"password": "******"}
    assert document["resources"]
    await post(rig, "/abandon")
    await until(rig, "gone")
    other = STACKS + "/again"
    answer = await rig.http.post(other + "/adopt", content=json.dumps(document))
    assert answer.status_code == 200, answer.text
    await until(rig, "settled", other)
    assert (await rig.get(other + "/outputs/word"))["value"] == word
    generations = (await rig.get(other + "/generations"))["items"]
    assert [one["why"] for one in generations] == ["adopt"]
    taken = await rig.http.post(STACKS + "/third/adopt", content=json.dumps(document))
    assert (taken.status_code, taken.json()["code"]) == (409, "already-adopted")


async def test_a_document_of_others_or_a_broken_one_is_refused(rig: Rig) -> None:
    await rig.up(HIDDEN, parameters={"password": "x"})
    document = await rig.get(SHOP + "/document")
    for change in (
        {"installation": "other"},
        {"sealed": document["sealed"][:-8]},
        {"terrace": 2},
        {"sealed": "?"},
    ):
        answer = await rig.http.post(STACKS + "/new/adopt", content=json.dumps({**document, **change}))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request"), change


async def test_hooks_are_listed_and_cleared(rig: Rig) -> None:
    await rig.up(VALUES % (1, 1, 1))
    assert (await rig.get(SHOP + "/hooks"))["items"] == []
    refused = await post(rig, "/hooks/clear", {"path": "v0", "hook": "pre-create"}, 404)
    assert refused["code"] == "not-held"
    await post(rig, "/hooks/clear", {"path": "v0", "hook": "pre-lunch"}, 400)


async def test_cancel_keeps_what_is_done(rig: Rig) -> None:
    delay = "  d: {type: 'Terrace::Delay', properties: {minimum: 2}}\n"
    after = "  v3: {type: 'Terrace::Value', depends_on: d, properties: {value: 3}}\n"
    await rig.up(VALUES % (1, 1, 1))
    assert (await post(rig, "/cancel", status=409))["code"] == "nothing-to-cancel"
    await rig.put((VALUES % (2, 2, 2)) + delay + after)
    for _ in range(100):
        items = (await rig.get(SHOP + "/resources"))["items"]
        values = {item["path"]: item["attributes"].get("value") for item in items if item["state"] == "ready"}
        if values.get("v0") == values.get("v1") == values.get("v2") == 2:
            break
        await asyncio.sleep(0.02)
    stack = await post(rig, "/cancel")
    assert stack["generation"] == 3
    await until(rig, "settled")
    items = (await rig.get(SHOP + "/resources"))["items"]
    assert {item["path"]: item["attributes"]["value"] for item in items} == {"v0": 2, "v1": 2, "v2": 2}
    assert (await rig.get(SHOP + "/generations"))["items"][0]["why"] == "cancel of 2"


async def test_cancel_can_roll_back(rig: Rig) -> None:
    await rig.up(VALUES % (1, 1, 1))
    await rig.up((VALUES % (2, 2, 2)) + FAILS.partition("\n")[2])
    await post(rig, "/cancel", {"rollback": True})
    await until(rig, "settled")
    items = (await rig.get(SHOP + "/resources"))["items"]
    assert {item["path"]: item["attributes"]["value"] for item in items} == {"v0": 1, "v1": 1, "v2": 1}


async def test_a_first_change_that_is_cancelled_keeps_what_it_made(rig: Rig) -> None:
    answer = await rig.up((VALUES % (1, 1, 1)) + FAILS.partition("\n")[2])
    assert answer.json()["phase"] == "failing"
    await post(rig, "/cancel")
    await until(rig, "settled")
    assert set(await ids(rig)) == {"v0", "v1", "v2"}


async def test_targets_and_exclusions(rig: Rig) -> None:
    await rig.up(VALUES % (1, 1, 1))

    async def values() -> dict[str, Any]:
        items = (await rig.get(SHOP + "/resources"))["items"]
        return {item["path"]: item["attributes"]["value"] for item in items}

    await rig.up(VALUES % (2, 2, 2), targets=["v0"])
    assert await values() == {"v0": 2, "v1": 1, "v2": 1}
    await rig.up(VALUES % (3, 3, 3), excludes=["v0"])
    assert await values() == {"v0": 2, "v1": 3, "v2": 3}
    plan = (await rig.put(VALUES % (4, 4, 4), query={"dry_run": "true"}, targets=["v1"])).json()
    assert {item["path"] for item in plan["items"] if item["what"] != "nothing"} == {"v1"}
    unknown = await rig.put(VALUES % (4, 4, 4), targets=["vv1"])
    assert (unknown.status_code, "did you mean" in unknown.json()["hint"]) == (404, True)
    await rig.up(VALUES % (4, 4, 4))
    assert await values() == {"v0": 4, "v1": 4, "v2": 4}


async def test_what_is_new_and_needs_what_is_excluded_is_refused(rig: Rig) -> None:
    pair = """resources:
  a: {type: 'Terrace::Value', properties: {value: 1}}
  b: {type: 'Terrace::Value', properties: {value: {get_attr: [a, value]}}}
"""
    refused = await rig.put(pair, excludes=["a"])
    assert (refused.status_code, refused.json()["code"]) == (400, "excluded")
    await rig.up(pair, targets=["b"])
    assert set(await ids(rig)) == {"a", "b"}


async def test_mv_and_rename(rig: Rig) -> None:
    await rig.up(MACHINE)
    web = (await ids(rig))["web"]
    await post(rig, "/moves", {"old": "web", "new": "front"})
    assert (await post(rig, "/moves", {"old": "web", "new": "word"}, 409))["code"] == "name-taken"
    await post(rig, "/moves", {"old": "nothing", "new": "x"}, 404)
    await rig.up(MACHINE.replace("web:", "front:"))
    assert (await ids(rig))["front"] == web
    await rig.up("resources: {}\n", name="other")
    assert (await post(rig, "/rename", {"name": "other"}, 409))["code"] == "name-taken"
    assert (await post(rig, "/rename", {"name": "a;b"}, 400))["code"] == "invalid-name"
    stack = await post(rig, "/rename", {"name": "market"})
    assert stack["name"] == "market"
    assert (await rig.http.get(SHOP)).status_code == 404
    await rig.up(MACHINE.replace("web:", "front:"), name="market")
    assert (await ids(rig, STACKS + "/market"))["front"] == web


async def test_accept_restore_when_nothing_was_in_doubt(rig: Rig) -> None:
    answer = await rig.http.post("/v1/accept-restore")
    assert (answer.status_code, answer.json()) == (200, {"providers": []})


VOLUME = """resources:
  data: {type: 'OS::Cinder::Volume', properties: {size: 1}}
  v: {type: 'Terrace::Value', properties: {value: %s}}
"""


async def test_snapshots_of_a_stack(rig: Rig) -> None:
    await rig.up(VOLUME % 1)
    data = rig.world.things[(await ids(rig))["data"]]
    data.content["file"] = "first"
    await post(rig, "/snapshots", {"name": "one"})
    await until(rig, "settled")
    (kept,) = (await rig.get(SHOP + "/snapshots"))["items"]
    assert (kept["name"], kept["volumes"], kept["complete"]) == ("one", ["data"], True)
    assert (await post(rig, "/snapshots", {"name": "one"}, 409))["code"] == "name-taken"
    assert (await post(rig, "/snapshots", {"name": "a/b"}, 400))["code"] == "invalid-name"
    await rig.up(VOLUME % 2)
    data.content["file"] = "second"
    await post(rig, "/snapshots/one/restore")
    await until(rig, "settled")
    assert data.content == {"file": "first"}
    item = await rig.get(SHOP + "/resources/v")
    assert item["attributes"] == {"value": 1}
    assert (await rig.get(SHOP + "/generations"))["items"][0]["why"] == "restore of snapshot one"
    await post(rig, "/snapshots/two/restore", status=404)
    assert (await rig.http.delete(SHOP + "/snapshots/one")).status_code == 200
    await until(rig, "settled")
    assert (await rig.get(SHOP + "/snapshots"))["items"] == []
    assert (await rig.http.delete(SHOP + "/snapshots/one")).status_code == 404


async def test_what_cannot_be_copied_is_refused_with_a_reason(rig: Rig) -> None:
    await rig.up(VOLUME % 1)
    driver: Any = rig.drivers["local"]
    driver.capabilities = msgspec.structs.replace(driver.capabilities, snapshots=False)
    refused = await post(rig, "/snapshots", {"name": "one"}, 409)
    assert (refused["code"], "data" in refused["message"]) == ("cannot-copy", True)
    await post(rig, "/snapshots", {"name": "one", "definition_only": True})
    (kept,) = (await rig.get(SHOP + "/snapshots"))["items"]
    assert (kept["volumes"], kept["complete"]) == ([], True)


async def test_hidden_values_lie_sealed_in_a_snapshot(rig: Rig) -> None:
    await rig.up(HIDDEN, parameters={"password": "open sesame"})
    await post(rig, "/snapshots", {"name": "one"})
    assert b"open sesame" not in repr(rig.store._tables.directives).encode()
    await rig.up(HIDDEN, parameters={"password": "other"})
    await post(rig, "/snapshots/one/restore")
    await until(rig, "settled")
    item = await rig.get(SHOP + "/resources/v")
    assert item["attributes"] == {"value": "******"}
