"""Every list comes in pages, and all of them in the same way."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from terrace.errors import UserError
from terrace.ports.edge.pages import Count, cursor, place
from tests.unit.api.rig import SHOP, STACKS, Rig, running
from tests.unit.security.people import project, token, user

WHOLE = {"/v1/projects/{project}/reach"}
"""Lists that are one value: they are set as a whole, and so they are given."""
TEMPLATE = """resources:
  a: {type: 'Terrace::Value', properties: {value: 1}}
  b: {type: 'Terrace::Value', properties: {value: 2}}
  c: {type: 'Terrace::Value', properties: {value: 3}}
  door: {type: 'OS::Heat::WaitConditionHandle'}
  exit: {type: 'OS::Heat::WaitConditionHandle'}
outputs:
  one: {value: 1}
  three: {value: 3}
  two: {value: 2}
"""
HELD = """resources:
  x: {type: 'Terrace::Value', properties: {value: 1}}
  y: {type: 'Terrace::Value', properties: {value: 2}}
  z: {type: 'Terrace::Value', properties: {value: 3}}
"""
HOOKS = "resource_registry:\n  resources:\n    '*': {hooks: pre-create}\n"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
SHORT = {"/v1/engines", "/v1/providers/{name}/ghosts"}
"""Lists of which there is nothing, or one thing, in this test."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path, lasting=True) as found:
        yield found


async def crowded(rig: Rig) -> httpx.AsyncClient:
    """Three of everything; who asks is an administrator, with sessions and keys of their own."""
    await user(rig, "root", admin=True)
    for name in ("ada", "bob"):
        await user(rig, name)
        assert (await rig.http.post("/v1/groups", json={"name": f"{name}s"})).status_code == 201
    await project(rig, "default", ada="viewer", bob="developer")
    await rig.http.put("/v1/projects/default/members/group/adas", json={"role": "viewer"})
    await rig.http.post("/v1/groups", json={"name": "adamant"})
    root = rig.client(await token(rig, "root"))
    for name in ("shop", "lab"):
        await rig.http.post("/v1/projects", json={"name": name})
    for name in ("one", "two", "three"):
        await root.post("/v1/tokens", json={"name": name})
        assert (await root.post("/v1/ssh-keys", json={"name": name, "text": KEY})).status_code == 201
    for name in ("one", "two", "three"):
        for at in ("/v1/secrets/", "/v1/projects/default/secrets/"):
            assert (await rig.http.put(at + name, json={"value": name})).status_code == 201
    for name in ("default", "shop"):
        limits = {"limits": {"stacks": "9"}}
        assert (await rig.http.put(f"/v1/projects/{name}/quota", json=limits)).status_code == 200
    for number in range(3):
        await rig.up(TEMPLATE.replace("value: 3", f"value: {number}"))
        await rig.http.post(SHOP + "/snapshots", json={"name": f"s{number}"})
    for path in ("door", "exit"):
        for name in ("2", "10"):
            sent = await rig.http.post(f"{SHOP}/signals/{path}", json={"id": name})
            assert sent.status_code == 200, sent.text
    await rig.up(TEMPLATE, "blog")
    held = await rig.put(HELD, "held", files={"e.yaml": HOOKS}, environments=["e.yaml"])
    assert held.status_code == 201, held.text
    while len((await rig.get(STACKS + "/held/hooks"))["items"]) < 3:
        await rig.controller.bell.wait(rig.controller.bell.count, 0.1)
    return root


def steady(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what another look finds changed."""
    return [{key: one[key] for key in one if key not in ("heard", "used", "listed")} for one in items]


async def walked(client: httpx.AsyncClient, url: str, limit: int) -> list[Any]:
    """All of a list, page by page."""
    found: list[Any] = []
    after = ""
    while True:
        query = {"limit": limit, **({"cursor": after} if after else {})}
        page = (await client.get(url, params=query)).json()
        assert len(page["items"]) <= limit, url
        found += steady(page["items"])
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit, f"{url}: a page before the last is full"
        after = page["next"]


async def test_every_list_comes_in_pages(rig: Rig) -> None:
    client = await crowded(rig)
    document = await rig.get("/v1/openapi.json")
    names = {"project": "default", "stack": "shop", "name": "local"}
    seen: dict[str, int] = {}
    for path, item in document["paths"].items():
        if "get" not in item or not _lists(item["get"]) or path in WHOLE:
            continue
        assert "example" in item["get"]["responses"]["200"]["content"]["application/json"], path
        parameters = {one["name"]: one for one in item["get"]["parameters"]}
        assert {"limit", "cursor"} <= parameters.keys(), path
        for one in parameters.values():
            assert one["in"] == "path" or one.get("description") or one["name"] in PLAIN, (path, one["name"])
        url = re.sub(r"\{(\w+)\}", lambda match: names[match[1]], path)
        url = url.replace("stacks/shop/hooks", "stacks/held/hooks")
        whole = steady((await client.get(url)).json()["items"])
        seen[path] = len(whole)
        assert (await client.get(url, params={"limit": len(whole) or 1})).json()["next"] is None, path
        for limit in (1, 2):
            assert await walked(client, url, limit) == whole, (path, limit)
        for wrong in ("x", "é", cursor(({},)), cursor(("a", "b", "c", "d")), cursor(("\x00",))):
            refused = await client.get(url, params={"cursor": wrong})
            assert (refused.status_code, refused.json()["code"]) == (400, "invalid-cursor"), (path, wrong)
        for wrong in ("0", "5001", "x"):
            assert (await client.get(url, params={"limit": wrong})).status_code == 400, path
    assert {path for path, count in seen.items() if count < 2} <= SHORT
    assert len(seen) >= 25


PLAIN = {"project", "reveal", "newest", "watch", "Last-Event-ID"}
"""Parameters of lists that the text of the operation tells of."""


def _lists(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return content.get("schema", {}).get("$ref", "").rpartition("/")[2].startswith("Page_")


@pytest.mark.parametrize("at", [("a",), ("a/b", 3, "é"), (1.5, "x"), (2**62,)])
def test_a_cursor_is_a_text_for_a_url_and_leads_back(at: tuple[Any, ...]) -> None:
    text = cursor(at)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert place(text, tuple) == at


@pytest.mark.parametrize(
    "text", ["", "!", "W10", "bnVsbA", "WyJhIl0\n", cursor((-1,)), cursor((2**63,)), cursor(())]
)
def test_other_texts_are_no_cursors(text: str) -> None:
    with pytest.raises(UserError, match="not a cursor"):
        place(text, tuple[Count])


async def test_lists_are_narrowed(rig: Rig) -> None:
    root = await crowded(rig)

    async def named(url: str, **query: Any) -> list[str]:
        answer = await root.get(url, params=query)
        assert answer.status_code == 200, answer.text
        return [one.get("name") or one.get("path") for one in answer.json()["items"]]

    assert await named("/v1/users", name="a") == ["ada"]
    assert await named("/v1/users", source="ldap") == []
    assert await named("/v1/users", source="local", limit=1) == ["ada"]
    assert await named("/v1/groups", name="ada") == ["adamant", "adas"]
    assert await named("/v1/projects", name="shop") == ["shop"]  # the other names are drawn at random
    assert await named("/v1/projects/default/members") == ["ada", "bob", "adas"]
    assert await named("/v1/projects/default/members", kind="group") == ["adas"]
    assert await named("/v1/projects/default/members", name="b") == ["bob"]
    assert await named("/v1/tokens", kind="token", name="t") == ["two", "three"]
    assert len(await named("/v1/tokens", kind="session")) == 1
    assert await named("/v1/ssh-keys", name="o") == ["one"]
    assert await named(STACKS, name="b") == ["blog"]
    assert await named(STACKS + "/held/hooks", hook="pre-create") == ["x", "y", "z"]
    assert await named(STACKS + "/held/hooks", hook="pre-delete") == []
    assert await named(SHOP + "/snapshots", name="s1") == ["s1"]
    assert await named(SHOP + "/outputs", name="t") == ["three", "two"]
    assert len((await root.get("/v1/engines", params={"state": "working"})).json()["items"]) == 1
    assert await named("/v1/secrets", name="t") == ["three", "two"]
    assert await named("/v1/projects/default/secrets", name="on") == ["one"]
    assert [one["id"] for one in (await root.get(SHOP + "/signals")).json()["items"]] == ["10", "2"] * 2
    assert await named(SHOP + "/signals", path="exit") == ["exit", "exit"]
    assert [one["project"] for one in (await rig.get("/v1/quotas", name="shop"))["items"]] == ["shop"]
    assert await named("/v1/providers", name="l") == ["local"]
    assert await named("/v1/providers/local/images", present=True) == []
    for url, query in (
        ("/v1/users", {"source": "x"}),
        ("/v1/users", {"name": "a\x00"}),
        (STACKS, {"name": "a\x00"}),
    ):
        assert (await root.get(url, params=query)).status_code == 400
