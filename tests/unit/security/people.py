"""People for tests: users of a Rig who are logged in."""

from __future__ import annotations

from typing import Any

import httpx

from tests.unit.api.rig import Rig

PASSWORD = "four words in a row"


async def user(rig: Rig, name: str, **more: Any) -> None:
    """A new user with PASSWORD."""
    made = await rig.http.post("/v1/users", json={"name": name, "password": PASSWORD, **more})
    assert made.status_code == 201, made.text


async def token(rig: Rig, name: str) -> str:
    """Logs in; the token of the session."""
    answer = await rig.client().post("/v1/login", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["token"]
    return found


async def person(rig: Rig, name: str, **more: Any) -> httpx.AsyncClient:
    """A new user, logged in."""
    await user(rig, name, **more)
    return rig.client(await token(rig, name))


async def project(rig: Rig, name: str, **members: str) -> None:
    """A new project with members and their roles."""
    made = await rig.http.post("/v1/projects", json={"name": name})
    assert made.status_code == 201, made.text
    for who, role in members.items():
        seat = await rig.http.put(f"/v1/projects/{name}/members/user/{who}", json={"role": role})
        assert seat.status_code == 200, seat.text


async def stack(client: httpx.AsyncClient, at: str, name: str = "shop") -> httpx.Response:
    """A small stack in project `at`, asked for by `client`."""
    text = "heat_template_version: 2021-04-16\nresources:\n  v: {type: 'Terrace::Value', properties: {value: 1}}\n"
    text += "outputs: {o: {value: {get_attr: [v, value]}}}\n"
    body = {"template": "t.yaml", "files": {"t.yaml": text}}
    query = {"wait": "settled", "timeout": 20}
    return await client.put(f"/v1/projects/{at}/stacks/{name}", json=body, params=query)
