"""Secrets of a project: set by name, read by stacks, and shown to nobody."""

from __future__ import annotations

import json
from typing import Any

import httpx

from terrace.stores.memory_vault import MemoryVault
from tests.unit.api.rig import HEAD, SHOP, Rig

SECRETS = "/v1/projects/default/secrets"
FIRST, SECOND = "correct-horse-battery", "staple-of-the-second-kind"
TEMPLATE = """
parameters:
  password: {type: string, constraints: [{length: {max: 40}}]}
resources:
  v: {type: 'Terrace::Value', properties: {value: {str_replace: {template: 'x-P', params: {P: {get_param: password}}}}}}
outputs:
  a: {value: {get_attr: [v, value]}}
  b: {value: {get_param: password}}
"""
DIRECT = """
resources:
  s: {type: 'Terrace::Secret', properties: {name: db}}
  v: {type: 'Terrace::Value', properties: {value: {get_attr: [s, value]}}}
outputs:
  a: {value: {get_attr: [v, value]}}
  n: {value: {get_attr: [s, version]}}
"""


async def set_secret(rig: Rig, name: str, value: str) -> httpx.Response:
    return await rig.http.put(f"{SECRETS}/{name}", content=json.dumps({"value": value}))


async def revealed(rig: Rig, name: str = "a") -> Any:
    return (await rig.get(f"{SHOP}/outputs/{name}", reveal=1))["value"]


async def heard(rig: Rig, value: str) -> None:
    """Comes back once the stack has taken a value up."""
    while True:
        rung = rig.controller.bell.count
        if await revealed(rig) == value:
            return
        await rig.controller.bell.wait(rung, 5.0)


async def test_a_parameter_is_given_a_secret_by_name(rig: Rig) -> None:
    assert (await set_secret(rig, "db", FIRST)).status_code == 201
    up = await rig.up(TEMPLATE, parameters={"password": "secret:db"})
    assert up.json()["phase"] == "settled", up.text
    assert await revealed(rig) == f"x-{FIRST}"
    assert await revealed(rig, "b") == FIRST
    shown = await rig.get(SHOP + "/outputs")
    assert {one["value"] for one in shown["items"]} == {"******"}
    whole = await rig.get(SHOP + "/generations/1")
    assert whole["parameters"] == {"password": "secret:db"}
    listed = (await rig.get(SECRETS))["items"]
    assert [(one["name"], one["version"], one["used_by"]) for one in listed] == [("db", 1, ["shop"])]


async def test_an_environment_names_one(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    up = await rig.up(
        TEMPLATE, files={"e.yaml": "parameters: {password: {secret: db}}\n"}, environments=["e.yaml"]
    )
    assert up.json()["phase"] == "settled", up.text
    assert await revealed(rig) == f"x-{FIRST}"


async def test_a_resource_reads_one(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    assert (await rig.up(DIRECT)).json()["phase"] == "settled"
    assert (await revealed(rig), await revealed(rig, "n")) == (FIRST, 1)


async def test_a_new_version_is_taken_up_and_the_plan_says_so_before(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    await rig.up(TEMPLATE, parameters={"password": "secret:db"})
    again = await rig.put(TEMPLATE, parameters={"password": "secret:db"}, query={"dry_run": 1})
    assert again.json()["changes"] is False
    stored = await MemoryVault(rig.store).put("default", "db", SECOND, "bob")  # nobody was told of it yet
    assert stored.version == 2
    plan = await rig.put(TEMPLATE, parameters={"password": "secret:db"}, query={"dry_run": 1})
    items = {item["path"]: item for item in plan.json()["items"]}
    assert (items["secret:db"]["what"], items["secret:db"]["reason"]) == ("update", "secret changed")
    assert items["v"]["what"] == "update"
    assert FIRST not in plan.text
    assert SECOND not in plan.text
    rig.controller.wake(*stored.stacks)
    await heard(rig, f"x-{SECOND}")


async def test_what_names_no_secret_is_refused_at_its_place(rig: Rig) -> None:
    await set_secret(rig, "login", FIRST)
    environment = "parameters:\n  password: secret:logon\n"
    answer = await rig.put(TEMPLATE, files={"e.yaml": environment}, environments=["e.yaml"])
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["code"], problem["file"], problem["line"]) == (
        422, "unknown-secret", "e.yaml", 2,
    )  # fmt: skip
    assert problem["hint"] == 'did you mean "login"?'


async def test_a_constraint_is_checked_and_says_nothing_of_the_value(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST * 3)
    up = await rig.up(TEMPLATE, parameters={"password": "secret:db"})
    assert up.json()["phase"] == "failing"
    assert "breaks a constraint" in up.text
    assert FIRST not in up.text


async def test_a_condition_cannot_hang_on_one(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    template = TEMPLATE.replace(
        "resources:", "conditions: {c: {equals: [{get_param: password}, x]}}\nresources:"
    )
    answer = await rig.put(template, parameters={"password": "secret:db"})
    assert [one["code"] for one in answer.json()["problems"]] == ["secret-in-condition"]


async def test_a_default_for_nested_templates_cannot_be_one(rig: Rig) -> None:
    inner = HEAD + "parameters: {pin: {type: string}}\nresources: {}\n"
    environment = "parameter_defaults: {pin: {secret: db}}\n"
    files = {"inner.yaml": inner, "e.yaml": environment}
    answer = await rig.put("resources: {n: {type: inner.yaml}}\n", files=files, environments=["e.yaml"])
    assert [one["code"] for one in answer.json()["problems"]] == ["secret-as-default"]


async def test_a_nested_template_is_handed_one(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    inner = HEAD + "parameters: {pin: {type: string}}\n"
    inner += "resources: {v: {type: 'Terrace::Value', properties: {value: {get_param: pin}}}}\n"
    inner += "outputs: {o: {value: {get_attr: [v, value]}}}\n"
    outer = "parameters: {p: {type: string}}\n"
    outer += "resources: {n: {type: inner.yaml, properties: {pin: {get_param: p}}}}\n"
    outer += "outputs: {a: {value: {get_attr: [n, o]}}}\n"
    up = await rig.up(outer, files={"inner.yaml": inner}, parameters={"p": "secret:db"})
    assert up.json()["phase"] == "settled", up.text
    assert await revealed(rig) == FIRST


async def test_one_in_use_stays_unless_forced_and_what_was_read_is_kept(rig: Rig) -> None:
    await set_secret(rig, "db", FIRST)
    await rig.up(DIRECT)
    refused = await rig.http.delete(f"{SECRETS}/db")
    assert (refused.status_code, refused.json()["code"]) == (409, "secret-in-use")
    assert (await rig.http.delete(f"{SECRETS}/db", params={"force": 1})).status_code == 204
    assert await revealed(rig) == FIRST
    assert (await rig.http.delete(f"{SECRETS}/db")).status_code == 404


async def test_what_cannot_be_a_secret(rig: Rig) -> None:
    assert (await set_secret(rig, "db", "")).json()["code"] == "empty-secret"
    assert (await set_secret(rig, "db", "x" * 70_000)).status_code == 413
    assert (await set_secret(rig, "9db", "x")).json()["code"] == "invalid-name"


async def test_private_keys_are_write_only_through_the_api(rig: Rig) -> None:
    """Coolify: members read root's private key."""
    await set_secret(rig, "key", FIRST)
    for path in (SECRETS, f"{SECRETS}/key", f"{SECRETS}/key?reveal=1", "/v1/secrets"):
        assert FIRST not in (await rig.http.get(path)).text
    assert (await rig.http.get(f"{SECRETS}/key")).status_code == 405
    assert FIRST not in json.dumps(rig.telemetry.lines)
