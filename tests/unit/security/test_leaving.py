"""Who leaves loses everything at once: sessions, tokens, and the answers that were still coming."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.api.rig import Rig
from tests.unit.security.people import PASSWORD, person, project, stack, token, user

MEMBER = "/v1/projects/shop/members/user/ada"


async def made(client: Any, **wish: Any) -> str:
    """A new token."""
    answer = await client.post("/v1/tokens", json={"name": "script", **wish})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["token"]
    return found


async def status(rig: Rig, one: str, path: str = "/v1/me") -> int:
    return (await rig.client(one).get(path)).status_code


async def test_who_is_disabled_has_no_session_and_no_token(rig: Rig) -> None:
    """CVE-2021-36782 (Rancher): tokens outlived their user."""
    await user(rig, "ada")
    session = await token(rig, "ada")
    script = await made(rig.client(session))
    assert [await status(rig, one) for one in (session, script)] == [200, 200]
    await rig.http.patch("/v1/users/ada", json={"disabled": True})
    assert [await status(rig, one) for one in (session, script)] == [401, 401]
    refused = await rig.client().post("/v1/login", json={"name": "ada", "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (401, "wrong-credentials")
    await rig.http.patch("/v1/users/ada", json={"disabled": False})
    assert [await status(rig, one) for one in (session, script)] == [401, 401]
    assert await status(rig, await token(rig, "ada")) == 200


async def test_who_is_removed_is_forgotten(rig: Rig) -> None:
    await user(rig, "ada")
    await project(rig, "shop", ada="admin")
    session = await token(rig, "ada")
    script = await made(rig.client(session), project="shop")
    service = await made(rig.client(session), project="shop", service=True, role="viewer")
    assert (await rig.http.delete("/v1/users/ada")).status_code == 204
    assert [await status(rig, one) for one in (session, script)] == [401, 401]
    assert await status(rig, service, "/v1/projects/shop/stacks") == 200, "it is the project's"
    await user(rig, "ada")
    again = await token(rig, "ada")
    assert await status(rig, again, "/v1/projects/shop/stacks") == 404


async def test_who_leaves_a_project_loses_it_with_the_next_request(rig: Rig) -> None:
    await user(rig, "ada")
    await project(rig, "shop", ada="developer")
    session = await token(rig, "ada")
    script, broad = await made(rig.client(session), project="shop"), await made(rig.client(session))
    assert (await rig.http.delete(MEMBER)).status_code == 204
    assert [await status(rig, one) for one in (session, script)] == [401, 401]
    assert await status(rig, broad, "/v1/projects/shop/stacks") == 404


async def test_another_role_counts_at_once(rig: Rig) -> None:
    ada = await person(rig, "ada")
    await project(rig, "shop", ada="developer")
    assert (await stack(ada, "shop")).status_code == 201
    assert (await rig.http.put(MEMBER, json={"role": "viewer"})).status_code == 200
    assert (await stack(ada, "shop")).status_code == 403
    assert (await ada.get("/v1/projects/shop/stacks/shop")).status_code == 200


@pytest.mark.parametrize("how", ["dismiss", "disable", "role", "logout", "revoke"])
async def test_answers_that_last_end(rig: Rig, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that were being followed are not followed any further."""
    monkeypatch.setattr("terrace.api.people.lasting.LOOK", 0.02)
    ada = await person(rig, "ada")
    await project(rig, "shop", ada="operator")
    await stack(ada, "shop")
    following = asyncio.create_task(
        ada.get("/v1/projects/shop/stacks/shop/events", params={"watch": 1, "after": 0})
    )
    bell = rig.controller.bell
    for _ in range(3):  # some looks go by while nothing changed
        await bell.wait(bell.count, 0.05)
    assert not following.done()
    match how:
        case "dismiss":
            await rig.http.delete(MEMBER)
        case "disable":
            await rig.http.patch("/v1/users/ada", json={"disabled": True})
        case "role":
            await rig.http.put(MEMBER, json={"role": "viewer"})
        case "logout":
            await ada.post("/v1/logout")
        case _:
            mine = (await ada.get("/v1/tokens")).json()["items"]
            await ada.delete(f"/v1/tokens/{mine[0]['id']}")
    answer = await asyncio.wait_for(following, 10)
    assert answer.status_code == 200
    assert "stack.settled" in answer.text


async def test_a_program_in_a_machine_ends(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("terrace.api.people.lasting.LOOK", 0.02)
    await user(rig, "ada")
    await project(rig, "shop", ada="operator")
    session = await token(rig, "ada")
    machine = "{type: 'OS::Nova::Server', properties: {image: debian-12, flavor: m1.tiny}}"
    text = f"heat_template_version: 2021-04-16\nresources:\n  web: {machine}\n"
    body = {"template": "t.yaml", "files": {"t.yaml": text}}
    up = await rig.client(session).put(
        "/v1/projects/shop/stacks/shop", json=body, params={"wait": "settled", "timeout": 20}
    )
    assert up.status_code == 201, up.text
    told: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    sent.put_nowait({"type": "websocket.connect"})
    path = "/v1/projects/shop/stacks/shop/exec"
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"path=web&cmd=cat",
        "headers": [(b"authorization", f"Bearer {session}".encode())],
        "subprotocols": [],
        "client": ("192.0.2.1", 1),
        "server": None,
        "terrace.owner": False,
        "extensions": {"websocket.http.response": {}},
    }
    running = asyncio.create_task(rig.app(scope, sent.get, told.put))
    assert (await asyncio.wait_for(told.get(), 10))["type"] == "websocket.accept"
    await rig.http.put(MEMBER, json={"role": "developer"})
    while (message := await asyncio.wait_for(told.get(), 10))["type"] != "websocket.close":
        pass
    assert message["code"] == 1008
    await asyncio.wait_for(running, 10)
