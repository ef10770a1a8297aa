"""Stacks over HTTP: asking, planning, waiting, going back, taking down."""

from __future__ import annotations

import asyncio

from terrace.ports.edge.pages import cursor
from tests.unit.api.rig import SHOP, STACKS, Rig

VALUE = "resources:\n  v: {type: 'Terrace::Value', properties: {value: %s}}\n"
MACHINE = "resources:\n  web: {type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}\n"
FAILS = "resources:\n  bad: {type: 'OS::Heat::TestResource', properties: {fail: true}}\n"


async def test_up_waits_until_it_is_settled(rig: Rig) -> None:
    answer = await rig.up("description: a shop\n" + VALUE % 1)
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    stack = answer.json()
    assert (stack["generation"], stack["settled"], stack["phase"]) == (1, 1, "settled")
    assert (stack["name"], stack["project"], stack["description"]) == ("shop", "default", "a shop")
    assert (stack["total"], stack["ready"], stack["failing"]) == (1, 1, 0)
    shown = {key: value for key, value in stack.items() if key != "warnings"}
    assert await rig.get(SHOP) == {**shown, "marks": []}


async def test_the_second_time_it_is_no_longer_new(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    answer = await rig.up(VALUE % 2)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


async def test_without_wait_the_answer_comes_before_the_work(rig: Rig) -> None:
    answer = await rig.put(VALUE % 1)
    assert answer.status_code == 201
    assert answer.json()["settled"] == 0


async def test_a_generation_that_fails_answers_at_once_with_why(rig: Rig) -> None:
    answer = await rig.up(FAILS)
    assert answer.status_code == 201
    stack = answer.json()
    assert (stack["phase"], stack["settled"]) == ("failing", 0)
    assert "bad" in stack["why"]


async def test_a_rolled_back_generation_says_so(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    stack = (await rig.up(FAILS, on_failure="rollback")).json()
    assert stack["phase"] == "failing"
    generations = (await rig.get(SHOP + "/generations"))["items"]
    assert generations[-2]["failed"]


async def test_waiting_ends_with_the_time(rig: Rig) -> None:
    delay = "resources:\n  d: {type: 'Terrace::Delay', properties: {minimum: 30}}\n"
    answer = await rig.put(delay, query={"wait": "settled", "timeout": 0.05})
    assert answer.status_code == 201
    assert answer.json()["settled"] == 0


async def test_plan_changes_nothing(rig: Rig) -> None:
    plan = (await rig.put(VALUE % 1, query={"dry_run": 1})).json()
    assert plan["changes"] is True
    assert [(item["path"], item["what"]) for item in plan["items"]] == [("v", "create")]
    assert plan["stack"] == "shop"
    assert (await rig.http.get(SHOP)).status_code == 404
    await rig.up(VALUE % 1)
    again = (await rig.put(VALUE % 1, query={"dry_run": 1})).json()
    assert again["changes"] is False
    update = (await rig.put(VALUE % 2, query={"dry_run": 1})).json()
    assert [d["field"] for item in update["items"] for d in item["differences"]] == ["value"]


async def test_if_match_guards_against_a_change_that_one_has_not_seen(rig: Rig) -> None:
    fresh = {"If-Match": '"0"'}
    assert (await rig.put(VALUE % 1, headers=fresh)).status_code == 201
    second = await rig.put(VALUE % 1, headers=fresh)
    assert second.status_code == 412
    assert second.json()["code"] == "generation-mismatch"
    assert (await rig.put(VALUE % 2, headers={"If-Match": '"1"'})).status_code == 200
    assert (await rig.put(VALUE % 3, headers={"If-Match": '"1"'})).status_code == 412
    assert (await rig.http.delete(SHOP, headers={"If-Match": '"1"'})).status_code == 412
    assert (await rig.put(VALUE % 3, headers={"If-Match": "one"})).status_code == 400


async def test_two_who_make_the_same_stack_at_once_make_one(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.put(VALUE % n, headers={"If-Match": '"0"'}) for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412]
    answers = await asyncio.gather(*(rig.put(VALUE % n) for n in range(5)))
    assert sorted(answer.json()["generation"] for answer in answers) == [2, 3, 4, 5, 6]
    assert len((await rig.get(STACKS))["items"]) == 1


async def test_down_leaves_nothing(rig: Rig) -> None:
    await rig.up(MACHINE)
    assert any(thing.seen.kind == "Machine" for thing in rig.world.things.values())
    plan = (await rig.http.delete(SHOP, params={"dry_run": 1})).json()
    assert ("web", "delete") in [(item["path"], item["what"]) for item in plan["items"]]
    answer = await rig.http.delete(SHOP, params={"wait": "gone", "timeout": 20})
    assert answer.status_code == 200
    assert answer.json()["phase"] == "gone"
    assert not any(thing.seen.kind == "Machine" for thing in rig.world.things.values())
    assert (await rig.http.get(SHOP)).status_code == 404
    assert (await rig.http.delete(SHOP)).status_code == 404


async def test_down_twice_is_one_wish(rig: Rig) -> None:
    await rig.up(
        "resources:\n  t: {type: 'OS::Heat::TestResource', properties: {action_wait_secs: {delete: 30}}}\n"
    )
    first = await rig.http.delete(SHOP)
    second = await rig.http.delete(SHOP, params={"forget": 1})
    assert (first.json()["generation"], second.json()["generation"]) == (2, 2)
    assert second.json()["phase"] == "deleting"


async def test_what_goes_down_may_be_wanted_again(rig: Rig) -> None:
    await rig.up(MACHINE)
    await rig.http.delete(SHOP)
    stack = (await rig.up(MACHINE)).json()
    assert stack["phase"] == "settled"
    resources = (await rig.get(SHOP + "/resources"))["items"]
    assert [one["state"] for one in resources if one["path"] == "web"] == ["ready"]


async def test_rollback_wants_the_last_settled_generation_again(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    await rig.up(VALUE % 2)
    plan = (await rig.http.post(SHOP + "/rollback", params={"dry_run": 1})).json()
    assert [item["what"] for item in plan["items"]] == ["update"]
    answer = await rig.http.post(SHOP + "/rollback", json={})
    assert (answer.status_code, answer.json()["generation"]) == (200, 3)
    generations = (await rig.get(SHOP + "/generations"))["items"]
    assert [(one["number"], one["restores"], one["why"]) for one in generations] == [
        (3, 1, "rollback to 1"),
        (2, 0, "up"),
        (1, 0, "up"),
    ]
    whole = await rig.get(SHOP + "/generations/3")
    assert whole["template"] == "t.yaml"
    assert "value: 1" in whole["files"]["t.yaml"]


async def test_rollback_refuses_what_cannot_be(rig: Rig) -> None:
    await rig.up(VALUE % 1)
    nothing = await rig.http.post(SHOP + "/rollback")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-to-restore")
    assert "nothing to go back to" in nothing.json()["message"]
    assert (await rig.http.post(SHOP + "/rollback", json={"to": 1})).status_code == 409
    assert (await rig.http.post(SHOP + "/rollback", json={"to": 9})).status_code == 404
    assert (await rig.http.post(SHOP + "/rollback", json={"two": 9})).status_code == 400


async def test_retry_counts_in_what_is_desired(rig: Rig) -> None:
    await rig.up(FAILS)
    assert (await rig.http.post(SHOP + "/retry")).status_code == 200
    found = await rig.store.find_stack("default", "shop")
    assert found is not None
    assert found.retries == 1


async def test_lists_come_in_pages(rig: Rig) -> None:
    for name in ("a", "b", "c"):
        await rig.put(VALUE % 1, name)
    first = await rig.get(STACKS, limit=2)
    assert ([one["name"] for one in first["items"]], first["next"]) == (["a", "b"], cursor(("b",)))
    second = await rig.get(STACKS, limit=2, cursor=first["next"])
    assert ([one["name"] for one in second["items"]], second["next"]) == (["c"], None)
    assert (await rig.get("/v1/projects/other/stacks"))["items"] == []


async def test_stacks_are_found_by_phase_and_by_how_their_names_begin(rig: Rig) -> None:
    for name in ("web-1", "web-2", "db"):
        await rig.up(VALUE % 1, name)
    web = await rig.get(STACKS, name="web", limit=1)
    assert ([one["name"] for one in web["items"]], web["next"]) == (["web-1"], cursor(("web-1",)))
    rest = await rig.get(STACKS, name="web", limit=1, cursor=web["next"])
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["web-2"], None)
    assert len((await rig.get(STACKS, phase="settled"))["items"]) == 3
    assert (await rig.get(STACKS, phase="failing"))["items"] == []
    assert (await rig.http.get(STACKS, params={"phase": "odd"})).status_code == 400


async def test_generations_come_in_pages(rig: Rig) -> None:
    for number in (1, 2, 3):
        await rig.put(VALUE % number)
    first = await rig.get(SHOP + "/generations", limit=2)
    assert ([one["number"] for one in first["items"]], first["next"]) == ([3, 2], cursor((-2,)))
    second = await rig.get(SHOP + "/generations", limit=2, cursor=first["next"])
    assert ([one["number"] for one in second["items"]], second["next"]) == ([1], None)
