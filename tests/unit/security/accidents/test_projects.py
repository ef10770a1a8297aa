"""Credentials and projects: what somebody showed is what counts, and it counts no longer than it should."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from terrace.services.gate import Actor, Right
from tests.unit.api.rig import Rig
from tests.unit.security.people import PASSWORD, person, project, stack, token, user
from tests.unit.security.test_leaving import made

SECRET = "correct-horse-battery"
HIDING = """heat_template_version: 2021-04-16
parameters: {pin: {type: string, hidden: true}}
resources:
  v: {type: 'Terrace::Value', properties: {value: {get_param: pin}}}
  key: {type: 'OS::Nova::KeyPair', properties: {name: mine, save_private_key: true}}
outputs:
  pin: {value: {get_attr: [v, value]}}
  key: {value: {get_attr: [key, private_key]}}
"""


async def test_heat_cve_2013_6428_the_project_of_the_address_does_not_beat_the_credential(rig: Rig) -> None:
    ada, bob = await person(rig, "ada"), await person(rig, "bob")
    await project(rig, "shop", ada="admin")
    await project(rig, "lab", bob="admin")
    assert (await stack(ada, "shop", "web")).status_code == 201
    narrow = rig.client(await made(ada, project="shop", role="developer"))
    for who in (bob, rig.client(await made(bob))):
        for header in ({}, {"X-Project": "shop"}, {"X-Tenant-Id": "shop"}, {"X-Roles": "admin"}):
            answer = await who.get("/v1/projects/shop/stacks/web", headers=header)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        for at in ("lab/../shop", "lab%2f..%2fshop", "shop/", "shop%00", "SHOP"):
            answer = await who.get(f"/v1/projects/{at}/stacks/web")
            assert answer.status_code in (400, 404), (at, answer.text)
    assert (await narrow.get("/v1/projects/shop/stacks/web")).status_code == 200
    assert (await narrow.get("/v1/projects/lab/stacks")).status_code == 404


async def test_rancher_cve_2021_36782_no_answer_and_no_table_holds_a_token(rig: Rig) -> None:
    ada = await person(rig, "ada", admin=True)
    await project(rig, "shop", ada="admin")
    tokens = [await made(ada), await made(ada, project="shop", role="viewer", service=True)]
    tokens.append(await token(rig, "ada"))
    told = [
        (await ada.get(path)).text
        for path in ("/v1/tokens", "/v1/tokens?project=shop", "/v1/me", "/v1/users", "/v1/audit")
    ]
    tables = await rig.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    told += [repr(await rig.database.rows(f"SELECT * FROM {name}")) for (name,) in tables]
    assert any("shop" in text for text in told)
    assert not [one for one in tokens for text in told if one in text or one.removeprefix("trc_") in text]


async def test_rancher_tokens_die_with_their_user(rig: Rig) -> None:
    ada = await person(rig, "ada")
    script = rig.client(await made(ada))
    assert (await script.get("/v1/me")).status_code == 200
    assert (await rig.http.delete("/v1/users/ada")).status_code == 204
    await user(rig, "ada")
    assert (await script.get("/v1/me")).status_code == 401, "a new ada is somebody else"


async def test_nomad_cve_2023_1299_no_token_is_no_right(rig: Rig) -> None:
    nobody = Actor("nobody")
    assert not [right for right in Right if nobody.may(right) or nobody.may(right, "default")]
    for number, said in enumerate((None, "", "Bearer", "Bearer  ", "Basic YTpi")):
        async with rig.client(host=f"192.0.2.{number}") as client:  # guesses are counted by place
            headers = {} if said is None else {"Authorization": said}
            for path in ("/v1/me", "/v1/projects", "/v1/projects/default/stacks", "/metrics", "/v1/audit"):
                answer = await client.get(path, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert (await stack(client, "default")).status_code == 401
    assert (await rig.get("/v1/projects/default/stacks"))["items"] == []


async def hidden(rig: Rig) -> tuple[dict[str, Any], str]:
    """A stack with a hidden parameter and a private key in project shop; the answer, and the key."""
    body = {"template": "t.yaml", "files": {"t.yaml": HIDING}, "parameters": {"pin": SECRET}}
    query = {"wait": "settled", "timeout": 20}
    answer = await rig.http.put("/v1/projects/shop/stacks/web", json=body, params=query)
    assert answer.json()["phase"] == "settled", answer.text
    told = (await rig.get("/v1/projects/shop/stacks/web/outputs", reveal=1))["items"]
    return answer.json(), next(one["value"] for one in told if one["name"] == "key")


async def shown(client: httpx.AsyncClient, *more: str) -> str:
    """All that is told of that stack to who does not ask for secrets."""
    at = "/v1/projects/shop/stacks/web"
    paths = ["", "/resources", "/resources/v", "/resources/key", "/outputs", "/outputs/pin", "/outputs/key"]
    paths += ["/events", "/generations", "/generations/1", *more]
    answers = [await client.get(at + path) for path in paths]
    assert {one.status_code for one in answers} == {200}, [(one.url, one.status_code) for one in answers]
    return "".join(one.text for one in answers)


async def test_heat_cve_2023_1625_and_2024_7319_hidden_parameters_stay_hidden_when_a_stack_is_shown_or_abandoned(
    rig: Rig,
) -> None:
    await project(rig, "shop")
    first, _ = await hidden(rig)
    told = await shown(rig.http, "/document")
    plan = await rig.http.put(
        "/v1/projects/shop/stacks/web",
        json={"template": "t.yaml", "files": {"t.yaml": HIDING}, "parameters": {"pin": SECRET + "-2"}},
        params={"dry_run": 1},
    )
    assert plan.json()["changes"] is True
    gone = await rig.http.post("/v1/projects/shop/stacks/web/abandon", json={})
    assert gone.status_code == 200, gone.text
    whole = f"{first}{told}{plan.text}{gone.text}{rig.telemetry.lines}"
    assert SECRET not in whole
    assert "******" in whole


async def test_coolify_cve_2025_64420_a_private_key_is_shown_to_nobody_who_did_not_ask_and_may(
    rig: Rig,
) -> None:
    ada, eve = await person(rig, "ada", admin=True), await person(rig, "eve")
    await project(rig, "shop", ada="developer", eve="viewer")
    _, key = await hidden(rig)
    lines = key.splitlines()[1:-1]
    assert len(lines) > 3, "a key has more than its frame"
    for who in (ada, eve, rig.http):
        told = await shown(who)
        assert not [line for line in lines if line in told]
    for who in (ada, eve):
        asked = await who.get("/v1/projects/shop/stacks/web/outputs/key", params={"reveal": 1})
        assert asked.status_code == 403
    rows = [(row["actor"], row["outcome"]) for row in (await rig.get("/v1/audit"))["items"]]
    assert {("ada", "denied"), ("eve", "denied")} <= set(rows)


@pytest.mark.parametrize("of", ["token", "ssh-key", "stack", "secret"])
async def test_coolify_cve_2026_48742_an_id_of_another_team_is_not_found(rig: Rig, of: str) -> None:
    ada, eve = await person(rig, "ada"), await person(rig, "eve")
    await project(rig, "shop", ada="admin")
    await project(rig, "lab", eve="admin")
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@laptop"
    match of:
        case "token":
            await made(ada)
            mine = (await ada.get("/v1/tokens")).json()["items"][0]["id"]
            tries = [("DELETE", f"/v1/tokens/{mine}"), ("DELETE", f"/v1/tokens/{mine}?project=lab")]
        case "ssh-key":
            assert (await ada.post("/v1/ssh-keys", json={"name": "l", "text": key})).status_code == 201
            tries = [("DELETE", "/v1/ssh-keys/l")]
        case "stack":
            assert (await stack(ada, "shop", "web")).status_code == 201
            tries = [("GET", "/v1/projects/lab/stacks/web")]
            tries += [("DELETE", "/v1/projects/lab/stacks/web"), ("GET", "/v1/projects/shop/stacks/web")]
        case _:
            put = await ada.put("/v1/projects/shop/secrets/db", json={"value": SECRET})
            assert put.status_code == 201, put.text
            tries = [("DELETE", "/v1/projects/lab/secrets/db"), ("DELETE", "/v1/projects/shop/secrets/db")]
    for method, path in tries:
        answer = await eve.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), (path, answer.text)
    assert PASSWORD not in str(rig.telemetry.lines)
