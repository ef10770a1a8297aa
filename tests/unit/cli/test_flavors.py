"""`terrace flavor`: what a project may use, from where it comes, and saying so."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import ShellComplete

from terrace.cli.commands import root
from terrace.cli.session import Session
from tests.unit.client.fake_server import Answer

FLAVORS = "/v1/projects/default/flavors"


def line(name: str, provider: str = "local", **more: Any) -> dict[str, Any]:
    sizes = {"cpu": 1.0, "memory": 512, "disk": 0, "pids": 0}
    return {"name": name, "provider": provider, **sizes, "allowed": True, "hides": [], **more}


def choice(*items: dict[str, Any], allowed: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {"project": "default", "allowed": allowed, "items": list(items), "used_by": [], **more}


def test_what_a_project_may_use_and_from_where(terrace, routes) -> None:
    own = line("m1.tiny", "", hides=["local"], memory=96)
    routes[f"GET {FLAVORS}"] = choice(own, line("m1.large", allowed=False), allowed=["m1.tiny"])
    told = terrace("flavor", "list").out.splitlines()
    assert told[0].split() == ["FROM", "FLAVOR", "CPU", "MEMORY", "DISK", "PIDS"]
    assert told[1].split("  ")[0] == "project (before local)"
    assert "96 MiB" in told[1]
    assert len(told) == 2
    every = terrace("flavor", "list", "--all").out.splitlines()
    assert [row.split()[-1] for row in every] == ["ALLOWED", "yes", "no"]
    assert [one["name"] for one in json.loads(terrace("flavor", "list", "-o", "json").out)] == ["m1.tiny"]
    assert terrace("flavor", "list", "--all", "-o", "name").out == "m1.tiny\nm1.large\n"


def test_of_another_project_and_of_one_provider(terrace, routes) -> None:
    routes["GET /v1/providers"] = {"items": [{"name": "local"}, {"name": "cloud"}], "next": None}
    routes["GET /v1/projects/shop/flavors"] = choice(line("a"), line("b", "cloud"))
    ran = terrace("flavor", "list", "--project", "shop", "--provider", "cloud", "-o", "name")
    assert ran.out == "b\n"
    assert terrace("flavor", "list", "--project", "shop", "--provider", "none").code == 1


def test_who_is_in_no_project_sees_what_providers_have(terrace, routes, monkeypatch) -> None:
    missing = {"code": "not-found", "message": "there is no project"}
    routes[f"GET {FLAVORS}"] = Answer(missing, status=404)
    routes["GET /v1/projects/shop/flavors"] = Answer(missing, status=404)
    routes["GET /v1/providers"] = {"items": [{"name": "local"}], "next": None}
    routes["GET /v1/providers/local/flavors"] = {"items": [line("m1.tiny")], "next": None}
    assert terrace("flavor", "list", "-o", "name").out == "m1.tiny\n"
    for words in (["--project", "shop"], ["--project", "default"], []):
        ran = terrace("flavor", "list", *words)
        assert (ran.code, ran.err.splitlines()[0]) == (1, "error: there is no project"), words
        monkeypatch.setenv("TERRACE_PROJECT", "shop")


def test_setting_one(terrace, routes, server) -> None:
    routes["PUT /v1/projects/shop/flavors/big"] = choice(
        line("big", "", allowed=False), project="shop", allowed=["m1.tiny"], used_by=["web", "blog"]
    )
    ran = terrace("flavor", "set", "big", "cpu=2", "memory=4G", "--project", "shop")
    assert ran.code == 0, ran.err
    assert server.requests[-1].body == {"sizes": {"cpu": "2", "memory": "4G"}}
    assert "what uses it gets its size: web, blog" in ran.err
    assert "terrace flavor allow shop m1.tiny big" in ran.err
    wrong = terrace("flavor", "set", "big", "memory")
    assert (wrong.code, wrong.err.splitlines()[0]) == (1, 'error: "memory" is not SIZE=AMOUNT')


def test_taking_one_away(terrace, routes, server) -> None:
    routes[f"DELETE {FLAVORS}/big"] = choice(used_by=["web"])
    ran = terrace("flavor", "rm", "big", "--force")
    assert ran.code == 0, ran.err
    assert server.requests[-1].query == {"force": ["1"]}
    assert ran.err.splitlines() == [
        "terrace: default has no flavor big of its own any more",
        "terrace: what stands with it keeps its size: web",
    ]


def test_allowing_some_or_all(terrace, routes, server) -> None:
    routes[f"PUT {FLAVORS}"] = choice(line("m1.tiny"), allowed=["m1.tiny"])
    assert terrace("flavor", "allow", "default", "m1.tiny", "-o", "name").out == "m1.tiny\n"
    assert server.requests[-1].body == {"allowed": ["m1.tiny"]}
    assert terrace("flavor", "allow", "default", "--all").code == 0
    assert server.requests[-1].body == {"allowed": None}
    for words in ((), ("m1.tiny", "--all")):
        ran = terrace("flavor", "allow", "default", *words)
        assert (ran.code, ran.err.splitlines()[0]) == (
            1,
            "error: name the flavors that it may use, or say --all",
        )


def test_names_are_completed(server, routes) -> None:
    routes[f"GET {FLAVORS}"] = choice(line("mine", ""), line("m1.tiny"), line("big", ""))

    def completed(*words: str) -> list[str]:
        with click.Context(root, obj=Session()):
            found = ShellComplete(root, {}, "terrace", "_TERRACE_COMPLETE").get_completions(list(words), "m")
        return [one.value for one in found]

    assert completed("flavor", "rm") == ["mine"]
    assert completed("flavor", "allow", "default") == ["m1.tiny", "mine"]
    server.close()
    assert completed("flavor", "rm") == []
