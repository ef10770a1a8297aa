"""Two tenants on one server: what is of one is not there for the other. Every route is tried, those of tomorrow too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from terrace.api.callers import OPEN
from tests.unit.api.rig import Rig
from tests.unit.security.people import PASSWORD, person, project, stack, user

METHODS = ("get", "put", "post", "patch", "delete")
NAMES = {
    "project": "shop",
    "stack": "web",
    "path": "v",
    "number": "1",
    "name": "o",
    "hook": "pre-create",
    "kind": "user",
    "user": "ada",
    "group": "devs",
    "token": "x",
    "key": "laptop",
    "ghost": "x",
    "door": "x",
    "alarm": "x",
}


async def routes(rig: Rig) -> Iterator[tuple[str, str]]:
    """Every method and path of the API."""
    document = await rig.get("/v1/openapi.json")
    found = [
        (method, path) for path, item in document["paths"].items() for method in METHODS if method in item
    ]
    assert len(found) > 60
    return iter(found)


def filled(path: str, **other: str) -> str:
    return re.sub(r"\{(\w+)(?::path)?\}", lambda match: {**NAMES, **other}.get(match[1], "x"), path)


async def ask(client: Any, method: str, path: str) -> Any:
    body = {} if method in ("get", "delete") else {"content": b"{}"}
    return await client.request(method.upper(), path, **body)


async def test_the_open_routes_are_these() -> None:
    """CVE-2020-11651, CVE-2021-25281 (Salt): methods that could be called without authentication."""
    assert {
        "/v1/version",
        "/v1/login",
        "/v1/signals/{door}",
        "/v1/signals/{door}/{token}",
    } <= OPEN, "what is open to all is said here, too, and why"
    assert {
        "/v1/version",
        "/v1/login",
        "/v1/signals/{door}",
        "/v1/signals/{door}/{token}",
        "/v1/signals/{door}/alarm/{state}",
        "/healthz",
        "/readyz",
    } >= OPEN


async def test_without_a_credential_nothing_answers(rig: Rig) -> None:
    """CVE-2023-1299 (Nomad): no token meant every right."""
    tried = 0
    for number, (method, path) in enumerate(await routes(rig)):
        answer = await ask(rig.client(host=f"192.0.2.{number}"), method, filled(path))
        if path in OPEN:
            assert answer.status_code != 401 or path == "/v1/login", (method, path)
            continue
        tried += 1
        assert answer.status_code == 401, (method, path, answer.status_code)
        assert answer.json()["code"] == "unauthenticated"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert tried > 55


async def test_a_token_that_nobody_was_given_is_no_credential(rig: Rig) -> None:
    for wrong in ("trc_" + "a" * 43, "trc_", "x", "trc_" + "é" * 43, "a" * 5000):
        client = rig.client(host="192.0.2.9")
        answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {wrong}".encode()})
        assert answer.status_code == 401, wrong
    for wrong in ("", "Bearer", "Basic YTpi", "bearer "):
        answer = await rig.client().get("/v1/me", headers={"Authorization": wrong})
        assert answer.status_code == 401, wrong


async def test_what_is_of_another_project_is_not_there(rig: Rig) -> None:
    """CVE-2013-6428 (Heat): the tenant in the URL beat the token's scope. CVE-2025-64420, CVE-2026-48742 (Coolify): one
    team's objects by another's id. Each answer is the one that a project gets that there never was."""
    await user(rig, "ada")
    await project(rig, "shop", ada="admin")
    assert (await stack(rig.http, "shop", "web")).json()["phase"] == "settled"
    eve = await person(rig, "eve")
    tried = 0
    for method, path in await routes(rig):
        if "{project}" not in path:
            continue
        tried += 1
        answer = await ask(eve, method, filled(path))
        never = await ask(eve, method, filled(path, project="never"))
        assert answer.status_code in (400, 404), (method, path, answer.status_code, answer.text)
        assert answer.text.replace("shop", "never") == never.text, (method, path)
        if answer.status_code == 400:  # the body is looked at first; it says the same to everybody
            assert "shop" not in answer.text, (method, path)
    assert tried > 40


async def test_what_is_of_the_installation_is_for_its_administrators(rig: Rig) -> None:
    eve = await person(rig, "eve")
    mine = {"/v1/me", "/v1/me/password", "/v1/logout", "/v1/projects", "/v1/tokens", "/v1/tokens/{token}"}
    mine |= {"/v1/ssh-keys", "/v1/ssh-keys/{key}", "/v1/providers"}
    for method, path in await routes(rig):
        if "{project}" in path or path in OPEN | mine:
            continue
        answer = await ask(eve, method, filled(path, name="local"))
        readable = method == "get" and path.endswith(("/flavors", "/images"))
        assert answer.status_code in ({200} if readable else {400, 403}), (method, path)
    assert (await eve.get("/v1/users")).status_code == 403
    assert (await eve.get("/v1/events")).status_code == 403
    assert (await eve.post("/v1/projects", json={"name": "mine"})).status_code == 403
    assert (await eve.post("/v1/users", json={"name": "x", "password": PASSWORD})).status_code == 403


async def test_two_projects_have_stacks_of_the_same_name(rig: Rig) -> None:
    ada, bob = await person(rig, "ada"), await person(rig, "bob")
    await project(rig, "shop", ada="developer")
    await project(rig, "lab", bob="developer")
    assert (await stack(ada, "shop", "web")).status_code == 201
    assert (await stack(bob, "lab", "web")).status_code == 201
    assert [one["project"] for one in (await ada.get("/v1/projects/shop/stacks")).json()["items"]] == ["shop"]
    assert (await ada.get("/v1/projects/lab/stacks")).status_code == 404
    assert (await stack(ada, "lab", "mine")).status_code == 404
    assert (await bob.delete("/v1/projects/shop/stacks/web")).status_code == 404
    seen = {one["name"] for one in (await ada.get("/v1/projects")).json()["items"]}
    assert "shop" in seen
    assert "lab" not in seen


async def test_a_plan_that_was_kept_is_of_its_project(rig: Rig) -> None:
    """A sealed plan that comes into other hands tells them nothing, not even whose it is."""
    ada, bob = await person(rig, "ada"), await person(rig, "bob")
    await project(rig, "shop", ada="developer")
    await project(rig, "lab", bob="developer")
    body = {"template": "t.yaml", "files": {"t.yaml": "heat_template_version: 2021-04-16\nresources: {}\n"}}
    plan = await ada.put("/v1/projects/shop/stacks/web", json=body, params={"dry_run": 1, "seal": 1})
    kept = {"sealed": plan.json()["sealed"]}
    taken = await bob.put("/v1/projects/lab/stacks/web", json=kept)
    assert (taken.status_code, taken.json()["code"]) == (400, "invalid-plan")
    assert "shop" not in taken.text
    assert (await ada.put("/v1/projects/shop/stacks/web", json=kept)).status_code == 201


async def test_what_was_abandoned_is_adopted_by_its_project(rig: Rig) -> None:
    ada, bob = await person(rig, "ada"), await person(rig, "bob")
    await project(rig, "shop", ada="operator")
    await project(rig, "lab", bob="operator")
    await stack(ada, "shop", "web")
    document = (await ada.get("/v1/projects/shop/stacks/web/document")).json()
    taken = await bob.post("/v1/projects/lab/stacks/web/adopt", json=document)
    assert taken.status_code == 404
    assert "shop" not in taken.text


async def test_events_are_those_of_a_stack_that_is_mine(rig: Rig) -> None:
    ada = await person(rig, "ada")
    await project(rig, "shop", ada="viewer")
    await stack(rig.http, "shop", "web")
    await stack(rig.http, "lab", "web")
    assert (await ada.get("/v1/projects/shop/stacks/web/events")).json()["items"]
    for watch in (0, 1):
        assert (await ada.get("/v1/events", params={"watch": watch})).status_code == 403
        other = await ada.get("/v1/projects/lab/stacks/web/events", params={"watch": watch})
        assert other.status_code == 404


async def test_events_of_a_project_are_for_who_sees_it(rig: Rig) -> None:
    """Nor does a filter, a cursor or a number lead to what another project's stacks said."""
    ada, bob = await person(rig, "ada"), await person(rig, "bob")
    await project(rig, "shop", ada="viewer")
    await project(rig, "lab", bob="admin")
    for at in ("shop", "lab"):
        await stack(rig.http, at, "web")
        await stack(rig.http, at, "db")
    everything = (await rig.get("/v1/events"))["items"]
    for client, at, other in ((ada, "shop", "lab"), (bob, "lab", "shop")):
        url = f"/v1/projects/{at}/events"
        seen = (await client.get(url)).json()["items"]
        assert seen == [one for one in everything if one["project"] == at]
        for query in (
            {"after": 0},
            {"kind": "stack"},
            {"newest": 1, "limit": 2},
            {"path": "v"},
            {"since": 1},
        ):
            found = (await client.get(url, params=query)).json()["items"]
            assert found, query
            assert {one["project"] for one in found} == {at}
        for query in ({}, {"watch": 1}, {"kind": "stack"}):
            refused = await client.get(f"/v1/projects/{other}/events", params=query)
            assert refused.status_code == 404, query
        assert (await client.get("/v1/events")).status_code == 403
    await rig.http.delete("/v1/projects/shop/stacks/web", params={"wait": "gone", "timeout": 20})
    left = (await ada.get("/v1/projects/shop/events")).json()["items"]
    assert left[: len(seen)] == [one for one in everything if one["project"] == "shop"][: len(seen)]
    assert left[-1]["kind"] == "stack.gone", "what is gone is told of, too"
    assert all(one["project"] == "lab" for one in (await bob.get("/v1/projects/lab/events")).json()["items"])
