"""`terrace quota`, and what a plan says of quotas."""

from __future__ import annotations

import json

from terrace.cli.plans import plan_text
from tests.unit.cli.samples import item, plan

LINES = [
    {"resource": "machines", "used": 6, "reserved": 2, "most": 20, "left": 14},
    {"resource": "memory", "used": 6656, "reserved": 0, "most": 65536, "left": 58880},
    {"resource": "cpu", "used": 1500, "reserved": 0, "most": None, "left": None},
]


def test_how_a_project_stands(terrace, routes) -> None:
    routes["GET /v1/projects/shop/quota"] = {"project": "shop", "items": LINES}
    assert terrace("quota", "show", "shop").out == (
        "PROJECT  RESOURCE  USED       RESERVED  LIMIT   LEFT\n"
        "shop     machines  6          2         20      14\n"
        "shop     memory    6,656 MiB  0 MiB     64 GiB  58,880 MiB\n"
        "shop     cpu       1.5        0         -       -\n"
    )
    routes["GET /v1/quotas"] = {"items": [{"project": "shop", "items": LINES}], "next": None}
    assert terrace("quota", "show", "--all", "-o", "name").out == "shop\n"


def test_limits_are_sent_as_they_were_written(terrace, routes, server) -> None:
    routes["PUT /v1/projects/shop/quota"] = {"project": "shop", "items": LINES}
    assert terrace("quota", "set", "shop", "machines=20", "memory=64G", "cpu=none").code == 0
    assert server.requests[-1].body == {"limits": {"machines": "20", "memory": "64G", "cpu": "none"}}
    assert terrace("quota", "set", "shop", "machines").code == 1


def test_what_is_wrong_is_told(terrace, routes, server) -> None:
    wrong = {"project": "shop", "stack": "web", "held": {"machines": 3}, "takes": {"cpu": 1500}}
    routes["POST /v1/quotas/check"] = {"items": [wrong], "next": None}
    assert "shop     web    machines 3  cpu 1.5" in terrace("quota", "check", "--repair").out
    assert server.requests[-1].query == {"repair": ["1"]}
    assert json.loads(terrace("quota", "check", "-o", "json").out) == [wrong]
    routes["POST /v1/quotas/check"] = {"items": [], "next": None}
    assert terrace("quota", "check").err == "terrace: every stack holds just what it takes\n"


def test_a_plan_says_what_it_takes_and_what_is_left() -> None:
    quota = [
        {"resource": "machines", "takes": 6, "used": 8, "most": 20},
        {"resource": "memory", "takes": 3072, "used": 4096, "most": 65536},
    ]
    text = plan_text({**plan(item("web", "create")), "quota": quota}, color=False)
    assert text.splitlines()[-1] == "quota: machines 6 (12 of 20 left), memory 3 GiB (60 GiB of 64 GiB left)"
