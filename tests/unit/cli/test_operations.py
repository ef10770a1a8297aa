"""Operations on a stack: what is asked, what is sent, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.samples import SHOP, STACKS, event, item, page, plan, resource, stack, stream
from tests.unit.client.fake_server import Answer, problem

SETTLED = event(9, "stack.settled", message="generation 1 is settled")


@pytest.fixture
def following(routes):
    """A server whose stack settles."""
    routes[f"GET {SHOP}"] = stack()
    routes[f"GET {SHOP}/events"] = stream(event(8, "resource.ready", "a"), SETTLED)
    routes[f"GET {SHOP}/outputs"] = page()
    return routes


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("taint", "shop", "web", "--yes"), "/resources/web/taint", {}),
        (("restart", "shop", "group/0"), "/resources/group/0/restart", {}),
        (("suspend", "shop"), "/suspend", {}),
        (("resume", "shop"), "/resume", {}),
        (("cancel", "shop"), "/cancel", {"rollback": False}),
        (("cancel", "shop", "--rollback"), "/cancel", {"rollback": True}),
        (
            ("hook", "clear", "shop", "web", "pre-create"),
            "/hooks/clear",
            {"path": "web", "hook": "pre-create"},
        ),
    ],
)
def test_what_is_followed(terrace, following, server, words, path, body) -> None:
    following[f"POST {SHOP}{path}"] = stack(phase="settling")
    ran = terrace(*words)
    assert ran.code == 0, ran.err
    assert "shop settled in" in ran.err
    (asked,) = server.asked("POST")
    assert asked.body == body


def test_a_suspended_stack_is_said_to_be_so(terrace, following) -> None:
    following[f"POST {SHOP}/suspend"] = stack(phase="settling")
    following[f"GET {SHOP}"] = stack(phase="suspended", marks=["suspended", "protected"])
    following[f"GET {SHOP}/events"] = stream(event(9, "stack.suspended"))
    assert "shop suspended in" in terrace("suspend", "shop").err
    following[f"GET {SHOP}/resources"] = page(resource("web", state="suspended"))
    assert (
        terrace("status", "shop").out.splitlines()[0]
        == "shop  suspended  generation 1  2 of 2 resources ready  protected"
    )


@pytest.mark.parametrize(
    ("words", "path", "body", "said"),
    [
        (("protect", "shop"), "/protect", {"protected": True}, "shop is protected from deletion"),
        (("protect", "shop", "--off"), "/protect", {"protected": False}, "shop may be deleted again"),
        (("mv", "shop", "a", "b"), "/moves", {"old": "a", "new": "b"}, "a of shop is b as soon as"),
        (("rename", "shop", "market"), "/rename", {"name": "market"}, "shop is called market now"),
        (
            ("import", "shop", "db", "c1"),
            "/imports",
            {"path": "db", "provider_id": "c1"},
            "c1 becomes db of shop when a template wants it",
        ),
    ],
)
def test_what_is_only_asked(terrace, routes, server, words, path, body, said) -> None:
    routes[f"POST {SHOP}{path}"] = stack()
    ran = terrace(*words)
    assert ran.code == 0, ran.err
    assert said in ran.err
    (asked,) = server.asked("POST")
    assert asked.body == body


def test_a_volume_is_not_tainted_without_a_yes(terrace, following, server) -> None:
    following[f"GET {SHOP}/resources/data"] = resource("data", kind="Volume")
    ran = terrace("taint", "shop", "data")
    assert ran.code == 1
    assert "The data of data goes with it" in ran.err
    assert server.asked("POST") == []


def test_check_says_what_differs(terrace, routes) -> None:
    routes[f"POST {SHOP}/check"] = plan(item("web", "heal", reason="it ended"), item("db", "nothing"))
    ran = terrace("check", "shop")
    assert ran.code == 2
    assert ran.out.splitlines() == ["  ! web  Machine  heal: it ended", "shop: 1 of 2 resources differ"]
    routes[f"POST {SHOP}/check"] = plan(item("db", "nothing"))
    ran = terrace("check", "shop")
    assert (ran.code, ran.out) == (0, "shop: 1 resource looked at, all as wanted\n")
    routes[f"POST {SHOP}/check"] = problem(503, "provider-unavailable", "provider local cannot be reached")
    assert terrace("check", "shop").code == 1


def test_hooks_are_listed(terrace, routes) -> None:
    routes[f"GET {SHOP}/hooks"] = page({"path": "web", "hook": "pre-create", "since": 0.0})
    ran = terrace("hook", "list", "shop", "-o", "name")
    assert (ran.code, ran.out) == (0, "web\n")
    routes[f"GET {SHOP}/hooks"] = page()
    assert "no hook holds anything of shop" in terrace("hook", "list", "shop").err


DOCUMENT = {"terrace": 1, "stack": "shop", "generation": 4, "resources": [{"path": "web"}], "sealed": "x"}


def test_abandon_prints_the_document_before_it_lets_go(terrace, routes, server) -> None:
    routes[f"GET {SHOP}/document"] = DOCUMENT
    routes[f"POST {SHOP}/abandon"] = stack(phase="deleting", generation=5)
    refused = terrace("abandon", "shop")
    assert (refused.code, refused.out) == (1, "")
    ran = terrace("abandon", "shop", "--yes", "--no-follow")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == DOCUMENT
    (asked,) = server.asked("POST")
    assert asked.headers["if-match"] == '"4"'


def test_adopt_sends_the_document(terrace, following, server, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(DOCUMENT))
    following[f"POST {SHOP}/adopt"] = stack(settled=0, phase="settling")
    ran = terrace("adopt", "shop.json")
    assert ran.code == 0, ran.err
    (asked,) = server.asked("POST")
    assert asked.body == DOCUMENT
    following[f"POST {STACKS}/other/adopt"] = Answer(stack(), 200)
    assert terrace("adopt", "shop.json", "-s", "other", "--no-follow").code == 0


@pytest.mark.parametrize("text", ["[1]", "{", None])
def test_a_file_that_cannot_be_adopted(terrace, server, tmp_path: Path, text) -> None:
    if text is not None:
        (tmp_path / "shop.json").write_text(text)
    ran = terrace("adopt", "shop.json")
    assert ran.code == 1
    assert "shop.json" in ran.err
    assert server.asked("POST") == []


def test_accept_restore_asks_first(terrace, routes, server) -> None:
    assert terrace("server", "accept-restore").code == 1
    routes["POST /v1/accept-restore"] = {"providers": ["local"]}
    assert "it goes on, on local" in terrace("server", "accept-restore", "--yes").err
    routes["POST /v1/accept-restore"] = {"providers": []}
    assert "nothing was in doubt" in terrace("server", "accept-restore", "--yes").err


def test_targets_are_sent(terrace, routes, server, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("heat_template_version: 2021-04-16\n")
    warning = {"message": "the stack is suspended", "severity": "warning"}
    routes[f"PUT {SHOP}"] = {**plan(item("web", "nothing")), "warnings": [warning]}
    ran = terrace("plan", "shop.yaml", "--target", "web", "--target", "db", "--exclude", "x")
    assert ran.code == 0, ran.err
    assert "warning: the stack is suspended" in ran.err
    (asked,) = server.asked("PUT")
    assert (asked.body["targets"], asked.body["excludes"]) == (["web", "db"], ["x"])
