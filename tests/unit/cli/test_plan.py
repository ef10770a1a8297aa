"""`terrace plan` and `up --plan`: how a plan reads, how it is kept, how it is given back."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.unit.cli.samples import SHOP, event, item, page, plan, stack, stream
from tests.unit.client.fake_server import Answer, problem

TEMPLATE = "heat_template_version: 2021-04-16\nresources: {}\n"
NOTES = [
    {"verdict": "maps to", "what": "", "words": "a network of the engine"},
    {"verdict": "ignored because", "what": "tags", "words": "it means something to an OpenStack cloud only"},
]


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A template's file, in the folder where the commands run."""
    (tmp_path / "shop.yaml").write_text(TEMPLATE)
    return "shop.yaml"


def test_notes_and_lost_data_are_told(terrace, routes, shop) -> None:
    routes[f"PUT {SHOP}"] = plan(
        item("net", "create", kind="Network", notes=NOTES),
        item("db", "delete", kind="Volume", reason="no longer wanted", loses="the data in v-1"),
    )
    ran = terrace("plan", shop)
    assert ran.code == 2
    assert ran.out.startswith(
        "  + net  Network  create\n"
        "      maps to a network of the engine\n"
        "      tags ignored because it means something to an OpenStack cloud only\n"
        "  - db  Volume  delete: no longer wanted\n"
        "      destroys the data in v-1\n"
    )


def test_what_is_inside_stands_below(terrace, routes, shop) -> None:
    routes[f"PUT {SHOP}"] = plan(
        item("shop/db/disk", "create"),
        item("web", "create"),
        item("shop/db", "create"),
        item("shop/ui", "create"),
        item("shop", "create"),
    )
    paths = [line.split()[1] for line in terrace("plan", shop).out.splitlines() if " + " in line]
    assert paths == ["web", "shop", "shop/db", "shop/db/disk", "shop/ui"]


def test_something_refused_is_an_error(terrace, routes, server, shop) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"PUT {SHOP}"] = plan(item("db", "refused", reason="it cannot shrink"), item("web", "update"))
    assert terrace("plan", shop).code == 1
    ran = terrace("up", shop)
    assert ran.code == 1
    assert "x db  Machine  refused: it cannot shrink\n" in ran.err
    assert "db cannot be as wanted; nothing was begun" in ran.err
    assert all(request.query == {"dry_run": ["1"]} for request in server.asked("PUT"))


def test_a_plan_is_kept_and_given_back(terrace, routes, server, shop, tmp_path: Path) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"PUT {SHOP}"] = {**plan(item("web", "update")), "sealed": "c2VhbGVk", "digest": "d1"}
    ran = terrace("plan", shop, "--out", "shop.plan", "-p", "word=hush")
    assert ran.code == 2
    assert "web  Machine  update" in ran.out
    assert "terrace up --plan shop.plan" in ran.err
    (asked,) = server.asked("PUT")
    assert asked.query == {"dry_run": ["1"], "seal": ["1"]}
    file = tmp_path / "shop.plan"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text())
    assert (kept["terrace_plan"], kept["project"], kept["sealed"]) == (1, "default", "c2VhbGVk")
    assert "sealed" not in kept["plan"]
    assert "hush" not in file.read_text()

    routes[f"PUT {SHOP}"] = [
        Answer(plan(item("web", "update"))),
        Answer(stack(generation=2, settled=1, phase="settling")),
    ]
    routes[f"GET {SHOP}/events"] = stream(event(9, "stack.settled", generation=2))
    routes[f"GET {SHOP}/outputs"] = page()
    ran = terrace("up", "--plan", "shop.plan", "--timeout", "10m", "--no-follow")
    assert ran.code == 0, ran.err
    _, dry, put = server.asked("PUT")
    assert (dry.query, dry.body) == ({"dry_run": ["1"]}, {"sealed": "c2VhbGVk", "timeout": 600.0})
    assert put.body == {"sealed": "c2VhbGVk", "timeout": 600.0}
    assert put.headers["if-match"] == '"1"'


def test_one_that_is_outdated_is_a_conflict(terrace, routes, shop) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"PUT {SHOP}"] = {**plan(item("web", "update")), "sealed": "c2VhbGVk"}
    terrace("plan", shop, "--out", "shop.plan")
    routes[f"PUT {SHOP}"] = problem(409, "plan-outdated", "the plan is no longer true")
    ran = terrace("up", "--plan", "shop.plan")
    assert ran.code == 4
    assert "no longer true" in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("up",), "there is no template"),
        (("up", "--plan", "missing.plan"), "missing.plan cannot be read"),
        (("up", "--plan", "shop.yaml"), "shop.yaml is not a plan that was kept"),
        (("up", "shop.yaml", "--plan", "ok.plan"), "says by itself what is wanted"),
        (("up", "--plan", "ok.plan", "-p", "a=b"), "says by itself what is wanted"),
        (("up", "--plan", "ok.plan", "-s", "other"), 'is of stack "shop"'),
        (("up", "--plan", "ok.plan", "--project", "other"), 'is of project "default"'),
        (("up", "--plan", "new.plan"), "of another version"),
        (("plan", "shop.yaml", "--out", "no/such/folder"), "cannot be written"),
    ],
)
def test_what_cannot_be_is_told(terrace, routes, shop, tmp_path: Path, words, told) -> None:
    routes[f"PUT {SHOP}"] = plan(item("web", "update"))
    document = {"terrace_plan": 1, "project": "default", "sealed": "x", "plan": {"stack": "shop"}}
    (tmp_path / "ok.plan").write_text(json.dumps(document))
    (tmp_path / "new.plan").write_text(json.dumps({**document, "terrace_plan": 2}))
    ran = terrace(*words)
    assert ran.code == 1
    assert told in ran.err


def test_down_of_what_is_in_use(terrace, routes, server) -> None:
    routes[f"GET {SHOP}"] = stack()
    routes[f"DELETE {SHOP}"] = problem(409, "export-in-use", "shop is in use by app")
    ran = terrace("down", "shop", "--yes", "--no-follow")
    assert ran.code == 1
    assert "shop is in use by app" in ran.err
    terrace("down", "shop", "--yes", "--force", "--no-follow")
    assert server.asked("DELETE")[-1].query == {"force": ["1"]}
