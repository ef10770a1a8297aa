"""A hidden parameter appears nowhere: not in an answer, an event, a log line, an error, or the store's bytes."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.api.rig import HEAD, SHOP, Rig

SECRET = "correct-horse-battery"
TEMPLATE = """
parameters:
  password: {type: string, hidden: true, constraints: [{length: {max: 40}}]}
  other: {type: string, default: open}
resources:
  v: {type: 'Terrace::Value', properties: {value: {get_param: password}}}
  web:
    type: Terrace::Machine
    properties:
      image: debian-12
      environment: {P: {str_replace: {template: 'x-P', params: {P: {get_param: password}}}}}
      user_data: {list_join: ['', ['#!/bin/sh ', {get_param: password}]]}
outputs:
  a: {value: {get_attr: [v, value]}}
"""


def stored(rig: Rig) -> str:
    """Everything that the store holds, as it holds it."""
    return repr(_plain(rig.store._tables))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {repr(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "__dict__"):
        return _plain(vars(value))
    return value


async def _told(rig: Rig) -> list[str]:
    paths = ["", "/resources", "/resources/v", "/resources/web", "/outputs", "/events"]
    paths += ["/generations", "/generations/1", "/logs"]
    return [(await rig.http.get(SHOP + path)).text for path in paths]


async def test_given_as_a_parameter(rig: Rig) -> None:
    plan = await rig.put(TEMPLATE, parameters={"password": SECRET}, query={"dry_run": 1})
    assert plan.status_code == 200, plan.text
    up = await rig.up(TEMPLATE, parameters={"password": SECRET})
    assert up.json()["phase"] == "settled", up.text
    change = await rig.put(TEMPLATE, parameters={"password": SECRET + "2"}, query={"dry_run": 1})
    assert change.json()["changes"] is True
    told = [plan.text, up.text, change.text, *await _told(rig), json.dumps(rig.telemetry.lines), stored(rig)]
    for text in told:
        assert SECRET not in text
    revealed = await rig.get(SHOP + "/outputs/a", reveal=1)
    assert revealed["value"] == SECRET
    assert {"reveal"} == {line["right"] for line in rig.telemetry.lines if line.get("right") == "reveal"}


async def test_given_in_an_environment_or_as_a_default(rig: Rig) -> None:
    environment = f"parameters:\n  password: {SECRET}\n"
    up = await rig.up(TEMPLATE, files={"e.yaml": environment}, environments=["e.yaml"])
    assert up.json()["phase"] == "settled", up.text
    default = TEMPLATE.replace("hidden: true", f"hidden: true, default: {SECRET}-too")
    assert (await rig.up(default)).json()["phase"] == "settled"
    for text in [*await _told(rig), json.dumps(rig.telemetry.lines), stored(rig)]:
        assert SECRET not in text
    assert (await rig.get(SHOP + "/generations/1"))["files"]["e.yaml"] == "******"


async def test_given_to_a_nested_template(rig: Rig) -> None:
    inner = (
        HEAD + "parameters:\n  pin: {type: string, hidden: true}\nresources:\n  v: {type: 'Terrace::Value', "
    )
    inner += "properties: {value: {get_param: pin}}}\n"
    outer = f"resources:\n  n: {{type: inner.yaml, properties: {{pin: {SECRET}}}}}\n"
    up = await rig.up(outer, files={"inner.yaml": inner})
    assert up.json()["phase"] == "settled", up.text
    for text in [up.text, *await _told(rig), json.dumps(rig.telemetry.lines), stored(rig)]:
        assert SECRET not in text


async def test_when_it_breaks_its_constraint(rig: Rig) -> None:
    long = SECRET * 3
    given = await rig.put(TEMPLATE, parameters={"password": long})
    assert given.status_code == 422
    environment = f"parameters:\n  password: {long}\n"
    written = await rig.put(TEMPLATE, files={"e.yaml": environment}, environments=["e.yaml"])
    assert written.status_code == 422
    assert SECRET not in given.text + written.text + json.dumps(rig.telemetry.lines)


async def test_when_a_rollback_brings_it_back(rig: Rig) -> None:
    await rig.up(TEMPLATE, parameters={"password": SECRET})
    await rig.up(TEMPLATE, parameters={"password": "another"})
    assert (await rig.http.post(SHOP + "/rollback", json={})).status_code == 200
    assert SECRET not in stored(rig)


async def test_kept_as_a_secret_of_the_project(rig: Rig) -> None:
    secrets = "/v1/projects/default/secrets"
    first = await rig.http.put(f"{secrets}/db", content=json.dumps({"value": SECRET}))
    up = await rig.up(TEMPLATE, parameters={"password": "secret:db"})
    assert up.json()["phase"] == "settled", up.text
    second = await rig.http.put(f"{secrets}/db", content=json.dumps({"value": SECRET + "-too"}))
    plan = await rig.put(TEMPLATE, parameters={"password": "secret:db"}, query={"dry_run": 1, "seal": 1})
    document = await rig.http.get(SHOP + "/document")
    refused = await rig.http.delete(f"{secrets}/db")
    listed = await rig.http.get(secrets)
    told = [first.text, up.text, second.text, plan.text, document.text, refused.text, listed.text]
    for text in [*told, *await _told(rig), json.dumps(rig.telemetry.lines), stored(rig)]:
        assert SECRET not in text
    assert document.status_code == 200, document.text
