"""What a guest is given opens its own door, and nothing else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from terrace.api import build_doors
from tests.unit.api.rig import SHOP, STACKS, Rig

DOORS = """resources:
  one: {type: 'OS::Heat::WaitConditionHandle'}
  two: {type: 'OS::Heat::WaitConditionHandle'}
outputs:
  token: {value: {get_attr: [one, token]}}
  mine: {value: {get_attr: [one, endpoint]}}
  other: {value: {get_attr: [two, endpoint]}}
"""


async def outputs(rig: Rig) -> dict[str, Any]:
    assert (await rig.up(DOORS)).json()["phase"] == "settled"
    return {one["name"]: one["value"] for one in (await rig.get(SHOP + "/outputs", reveal=1))["items"]}


def door(url: str) -> str:
    return "/v1/signals/" + url.rpartition("/v1/signals/")[2].partition("/")[0]


async def test_the_token_of_a_door_is_no_credential(rig: Rig) -> None:
    """CVE-2013-6426 (Heat CFN): a guest's user could create and update stacks; CVE-2016-7404 (Magnum): full credentials
    inside guests."""
    given = await outputs(rig)
    guest = rig.client(given["token"])
    for path in ("/v1/me", STACKS, SHOP, SHOP + "/outputs", SHOP + "/signals", "/v1/tokens"):
        assert (await guest.get(path)).status_code == 401, path
    assert (await guest.put(SHOP, content=b"{}")).status_code == 401
    assert (await guest.post(SHOP + "/signals/two", json={})).status_code == 401


async def test_the_token_of_a_door_opens_that_door_alone(rig: Rig) -> None:
    """CVE-2016-9639 (Salt): an identity is an id that is used once."""
    given = await outputs(rig)
    anybody, header = rig.client(), {"X-Auth-Token": given["token"]}
    other = await anybody.post(door(given["other"]), headers=header, json={})
    never = await anybody.post("/v1/signals/" + "x" * 20 + "-1", headers=header, json={})
    assert (other.status_code, other.text) == (404, never.text)
    assert (await anybody.post(door(given["mine"]), headers=header, json={})).status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/login", "/v1/version", STACKS, SHOP, "/v1/openapi.json", "/healthz"]
)
async def test_where_guests_knock_there_is_nothing_else(rig: Rig, path: str) -> None:
    """CVE-2020-11651 (Salt): what guests can reach has no methods of the control plane."""
    doors = build_doors(rig.services)

    async def owned(scope: Any, receive: Any, send: Any) -> None:
        await doors({**scope, "terrace.owner": True}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(owned), base_url="http://doors") as guest:
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert (await guest.request(method, path)).status_code in (404, 405)
