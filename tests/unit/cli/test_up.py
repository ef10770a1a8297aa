"""`up`, `down`, `rollback`, `retry`: what is asked, what is sent, how it is followed, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.samples import SHOP, event, item, page, plan, resource, stack, stream
from tests.unit.client.fake_server import Answer, problem

TEMPLATE = "heat_template_version: 2021-04-16\nresources: {}\n"
SETTLED = event(9, "stack.settled", message="generation 1 is settled")


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A template's file, in the folder where the commands run."""
    (tmp_path / "shop.yaml").write_text(TEMPLATE)
    return "shop.yaml"


@pytest.fixture
def fresh(routes):
    """A server that takes a new stack, which settles."""
    routes[f"GET {SHOP}"] = [problem(404, "not-found", "no"), Answer(stack())]
    routes[f"PUT {SHOP}"] = Answer(stack(settled=0, phase="settling"), 201)
    routes[f"GET {SHOP}/events"] = stream(
        event(7, "resource.creating", "a"), event(8, "resource.ready", "a"), SETTLED
    )
    routes[f"GET {SHOP}/outputs"] = page({"name": "url", "value": "http://x/", "secret": False})
    return routes


def test_a_new_stack(terrace, fresh, server, shop) -> None:
    ran = terrace("up", shop, "-p", "n=3", "--timeout", "10m", "--on-failure", "rollback")
    assert ran.code == 0, ran.err
    assert ran.out == "url = http://x/\n"
    lines = ran.err.splitlines()
    assert [line.split()[1:3] for line in lines[:3]] == [
        ["a", "creating"],
        ["a", "ready"],
        ["shop", "settled"],
    ]
    assert lines[3].startswith("terrace: shop settled in ")
    (put,) = server.asked("PUT")
    assert put.headers["if-match"] == '"0"'
    assert put.query == {}
    assert put.body == {
        "template": "shop.yaml",
        "files": {"shop.yaml": TEMPLATE},
        "environments": [],
        "parameters": {"n": "3"},
        "on_failure": "rollback",
        "timeout": 600.0,
    }


def test_json_for_programs(terrace, fresh, shop) -> None:
    ran = terrace("up", shop, "-o", "json")
    assert json.loads(ran.out)["phase"] == "settled"


def test_without_following(terrace, fresh, server, shop) -> None:
    ran = terrace("up", shop, "--no-follow")
    assert ran.code == 0
    assert ran.err == "terrace: shop: generation 1 is wanted. Follow it: terrace status shop --follow\n"
    assert all("events" not in request.path for request in server.requests)


def test_a_stack_that_somebody_else_just_made(terrace, fresh, shop) -> None:
    fresh[f"PUT {SHOP}"] = problem(412, "generation-mismatch", 'stack "shop" exists already')
    assert terrace("up", shop).code == 4


def test_warnings_are_shown(terrace, fresh, shop) -> None:
    warning = {"message": "no effect", "file": "shop.yaml", "line": 2, "column": 1, "severity": "warning"}
    fresh[f"PUT {SHOP}"] = stack(settled=0, phase="settling", warnings=[warning])
    assert "warning: no effect\n --> shop.yaml:2:1" in terrace("up", shop).err


def test_nothing_is_destroyed_without_a_yes(terrace, routes, server, shop) -> None:
    routes[f"GET {SHOP}"] = stack()
    volume = item("db", "delete", kind="Volume", reason="no longer wanted")
    routes[f"PUT {SHOP}"] = plan(item("web", "create"), item("old", "replace"), volume)
    ran = terrace("up", shop)
    assert ran.code == 1
    assert "error: change shop: delete 1 and replace 1 needs a yes. The data of db goes with it.\n" in ran.err
    assert "help: add --yes" in ran.err
    assert [request.query for request in server.asked("PUT")] == [{"dry_run": ["1"]}]


def test_changes_in_place_need_no_yes_and_apply_to_what_was_planned(terrace, routes, server, shop) -> None:
    settled = stack(generation=4, settled=4)
    routes[f"GET {SHOP}"] = settled
    routes[f"PUT {SHOP}"] = [
        Answer(plan(item("web", "update"), generation=3)),
        Answer(stack(generation=4, settled=3, phase="settling")),
    ]
    routes[f"GET {SHOP}/events"] = stream(event(1, "stack.settled", generation=4))
    routes[f"GET {SHOP}/outputs"] = page()
    assert terrace("up", shop).code == 0
    assert server.asked("PUT")[1].headers["if-match"] == '"3"'


def test_yes_saves_the_plan(terrace, routes, server, shop) -> None:
    routes[f"GET {SHOP}"] = stack(generation=2, settled=2)
    routes[f"PUT {SHOP}"] = stack(generation=2, settled=1, phase="settling")
    routes[f"GET {SHOP}/events"] = stream(event(1, "stack.settled", generation=2))
    routes[f"GET {SHOP}/outputs"] = page()
    assert terrace("up", shop, "--yes").code == 0
    (put,) = server.asked("PUT")
    assert put.query == {}
    assert "if-match" not in put.headers


LATE = "not settled within 5 s: web is creating"


def test_a_failure_is_explained(terrace, fresh, shop) -> None:
    fresh[f"GET {SHOP}"] = [problem(404, "not-found", "no"), Answer(stack(settled=0, phase="failing"))]
    fresh[f"GET {SHOP}/events"] = stream(
        event(1, "resource.failing", "web", message="ended with code 3"),
        event(2, "stack.failed", message="web: ended with code 3"),
    )
    fresh[f"GET {SHOP}/resources/web"] = resource(
        "web",
        kind="Machine",
        state="failing",
        why="ended with code 3",
        provider_id="c1",
        seen={"exit_code": 3},
    )
    fresh[f"GET {SHOP}/logs"] = Answer(pieces=(b'{"path": "web", "text": "no such\\u001b file"}\n',))
    ran = terrace("up", shop)
    assert ran.code == 1
    said = ran.err[ran.err.index("error:") :].splitlines()
    assert said[0].startswith("error: shop failed after")
    assert said[1:5] == [
        "  web: ended with code 3",
        "    exit code 3",
        "    | no such\N{REPLACEMENT CHARACTER} file",
        "  next: terrace logs shop/web",
    ]


def test_not_settled_in_time(terrace, fresh, shop) -> None:
    fresh[f"GET {SHOP}"] = [problem(404, "not-found", "no"), Answer(stack(settled=0, phase="settling"))]
    fresh[f"GET {SHOP}/events"] = stream(event(2, "stack.failed", message=LATE))
    ran = terrace("up", shop)
    assert ran.code == 3
    assert "error: shop is not settled within 5 s: web is creating" in ran.err


def test_a_failure_that_is_rolled_back_is_followed_to_its_end(terrace, fresh, shop) -> None:
    fresh[f"GET {SHOP}"] = [Answer(stack()), Answer(stack(generation=3, settled=3))]
    fresh[f"PUT {SHOP}"] = stack(generation=2, settled=1, phase="settling")
    fresh[f"GET {SHOP}/events"] = stream(
        event(1, "stack.failed", generation=2, message="web: no image"),
        event(2, "stack.rollback", generation=2),
        event(3, "stack.settled", generation=3),
    )
    ran = terrace("up", shop, "--yes")
    assert ran.code == 1
    assert "error: shop failed and was rolled back: web: no image" in ran.err


def test_a_failure_is_followed_on_though_the_rollback_is_told_later(terrace, fresh, shop) -> None:
    rolled = stack(generation=3, settled=3)
    fresh[f"GET {SHOP}"] = [Answer(stack()), Answer(rolled)]
    fresh[f"PUT {SHOP}"] = stack(generation=2, settled=1, phase="settling")
    fresh[f"GET {SHOP}/generations/2"] = Answer({"failed": "web: no image", "on_failure": "rollback"})
    fresh[f"GET {SHOP}/events"] = stream(event(1, "stack.failed", generation=2, message="web: no image"))
    ran = terrace("up", shop, "--yes")
    assert ran.code == 1
    assert "error: shop failed and was rolled back: web: no image" in ran.err


def test_another_change_that_comes_meanwhile(terrace, fresh, shop) -> None:
    fresh[f"GET {SHOP}"] = [problem(404, "not-found", "no"), Answer(stack(generation=2, settled=2))]
    fresh[f"GET {SHOP}/events"] = stream(event(1, "stack.settled", generation=2))
    ran = terrace("up", shop)
    assert ran.code == 4
    assert "another change of shop came meanwhile" in ran.err


def test_lost_events_are_made_up_for_by_looking(terrace, fresh, shop) -> None:
    fresh[f"GET {SHOP}/events"] = stream()
    assert terrace("up", shop).code == 0


def test_an_invalid_template_is_shown_with_its_line(terrace, fresh, shop) -> None:
    mistake = {
        "message": 'there is no type "X"',
        "file": "shop.yaml",
        "line": 2,
        "column": 12,
        "source": "resources: {}",
        "length": 2,
        "hint": 'did you mean "Y"?',
    }
    fresh[f"PUT {SHOP}"] = problem(
        422, "invalid-document", "one", problems=[mistake, {**mistake, "message": "two"}]
    )
    ran = terrace("up", shop)
    assert ran.code == 1
    place = 'shop.yaml:2:12\n  |\n2 | resources: {}\n  |            ^^ did you mean "Y"?\n'
    assert ran.err == (
        f'error: there is no type "X"\n --> {place}error: two\n --> {place}error: 2 mistakes\n'
    )


def test_down_names_what_is_lost_and_asks(terrace, routes, server) -> None:
    routes[f"GET {SHOP}"] = stack()
    kept = item("keep", "retain", kind="Volume")
    routes[f"DELETE {SHOP}"] = plan(item("web", "delete"), item("db", "delete", kind="Volume"), kept)
    ran = terrace("down", "shop")
    assert ran.code == 1
    assert "kept, because its deletion policy says so: keep" in ran.err
    assert "error: delete shop (2 resources) needs a yes. The data of db goes with it." in ran.err
    assert [request.query for request in server.asked("DELETE")] == [{"dry_run": ["1"]}]


def test_down_is_followed_until_it_is_gone(terrace, routes, server) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"DELETE {SHOP}"] = stack(phase="deleting", generation=2)
    routes[f"GET {SHOP}/events"] = stream(
        event(1, "stack.settled", generation=2),
        event(2, "resource.forgotten", "db", generation=2, state=""),
        event(3, "resource.left", "net", generation=2, state="", message="net is kept until a restart"),
        event(4, "stack.gone", generation=2),
    )
    ran = terrace("down", "shop", "--yes", "--forget", "-o", "json")
    assert ran.code == 0, ran.err
    assert "left for now: net is kept until a restart" in ran.err
    assert "given up, and perhaps still there: db" in ran.err
    assert json.loads(ran.out)["phase"] == "gone"
    assert server.asked("DELETE")[0].query == {"forget": ["1"]}


def test_down_lists_what_could_not_be_removed(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = stack(phase="deleting", generation=2)
    routes[f"DELETE {SHOP}"] = stack(phase="deleting", generation=2)
    routes[f"GET {SHOP}/events"] = stream()
    stuck = resource("db", kind="Volume", state="failing", why="it is in use")
    routes[f"GET {SHOP}/resources"] = page(stuck)
    ran = terrace("down", "shop", "--yes", "--timeout", "0.1s")
    assert ran.code == 3
    assert "error: shop is not gone after 0.1s\n  db  Volume  failing  it is in use\n" in ran.err
    assert "terrace down shop --forget" in ran.err


def test_a_stack_that_is_not_there_is_told_before_asking(terrace, routes) -> None:
    routes[f"GET {SHOP}"] = problem(404, "not-found", "there is no stack")
    assert terrace("down", "shop").err == "error: there is no stack\n"


def test_rollback(terrace, routes, server) -> None:
    routes[f"POST {SHOP}/rollback"] = [
        Answer(plan(item("web", "update"), generation=2)),
        Answer(stack(generation=3, settled=2, phase="settling")),
    ]
    routes[f"GET {SHOP}"] = stack(generation=3, settled=3)
    routes[f"GET {SHOP}/events"] = stream(event(1, "stack.settled", generation=3))
    routes[f"GET {SHOP}/outputs"] = page()
    assert terrace("rollback", "shop", "--to", "1").code == 0
    dry, real = server.asked("POST")
    assert (dry.query, dry.body) == ({"dry_run": ["1"]}, {"to": 1})
    assert (real.query, real.body, real.headers["if-match"]) == ({}, {"to": 1}, '"2"')
