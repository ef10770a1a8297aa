"""Flavors of a project: which it may use, what is refused, and what stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.rig import SHOP, STACKS, Rig, running

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


@pytest.fixture(params=["memory", "sqlite"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=request.param == "sqlite") as found:
        yield found


def web(flavor: str, note: str = "") -> str:
    return WEB.format(flavor=flavor, note=note)


async def allow(rig: Rig, *names: str) -> Any:
    answer = await rig.http.put(FLAVORS, json={"allowed": list(names) or None})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(rig: Rig, name: str, **sizes: str) -> Any:
    answer = await rig.http.put(f"{FLAVORS}/{name}", json={"sizes": sizes})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_is_not_allowed_is_refused_with_its_place(rig: Rig) -> None:
    await allow(rig, "m1.small", "m1.medium")
    for query in ({"dry_run": 1}, None):
        refused = await rig.put(web("m1.large"), query=query)
        told = refused.json()
        assert refused.status_code == 422, refused.text
        (problem,) = told["problems"]
        assert (problem["file"], problem["line"], problem["column"]) == ("t.yaml", 8, 15)
        assert problem["source"] == "      flavor: m1.large"
        assert problem["code"] == "flavor-not-allowed"
        assert problem["message"] == (
            'resource "web" asks for flavor "m1.large", which project "default" may not use'
        )
        assert "terrace flavor list --project default" in problem["hint"]
    assert (await rig.get(STACKS))["items"] == []
    assert (await rig.up(web("m1.small"))).json()["phase"] == "settled"


async def test_a_flavor_of_the_project_counts_before_the_providers(rig: Rig) -> None:
    await put(rig, "m1.small", memory="3G", cpu="1")
    assert (await rig.up(web("m1.small"))).json()["phase"] == "settled"
    (machine,) = [one for one in rig.world.things.values() if one.kind == "Machine"]
    assert machine.spec.memory == 3072, machine
    assert SHOP
