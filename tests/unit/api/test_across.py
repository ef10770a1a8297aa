"""Stacks that read each other, and stacks that resources own, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.api.rig import HEAD, SHOP, STACKS, Rig

NET = """\
parameters:
  word: {type: string, hidden: true, default: hush-hush}
resources:
  v: {type: 'Terrace::Value', properties: {value: %s}}
outputs:
  id: {value: {get_attr: [v, value]}}
  word: {value: {get_param: word}}
"""
READER = """\
resources:
  seen: {type: 'Terrace::StackOutput', properties: {stack: net, output: id}}
  word: {type: 'Terrace::StackOutput', properties: {stack: net, output: word}}
outputs:
  id: {value: {get_attr: [seen, value]}}
  word: {value: {get_resource: word}}
"""
CHILD = (
    HEAD
    + """\
parameters:
  size: {type: number}
  word: {type: string, hidden: true, default: none}
resources:
  v: {type: 'Terrace::Value', properties: {value: {get_param: size}}}
outputs:
  size: {value: {get_attr: [v, value]}}
"""
)
PARENT = """\
resources:
  own:
    type: OS::Heat::Stack
    properties:
      template: {get_file: child.yaml}
      parameters: {size: %s}
      timeout: 5
outputs:
  size: {value: {get_attr: [own, outputs, size]}}
  name: {value: {get_attr: [own, stack_name]}}
"""


async def outputs(rig: Rig, name: str = "shop", **query: Any) -> dict[str, Any]:
    """A stack's outputs by name."""
    found = await rig.get(f"{STACKS}/{name}/outputs", **query)
    return {one["name"]: one["value"] for one in found["items"]}


async def until(rig: Rig, wanted: dict[str, Any], name: str = "shop") -> None:
    """Waits until a stack's outputs are (at least) these."""
    for _ in range(400):
        if wanted.items() <= (await outputs(rig, name)).items():
            return
        await asyncio.sleep(0.02)
    raise AssertionError((await outputs(rig, name), await rig.get(f"{STACKS}/{name}")))


async def test_an_output_is_read_and_followed(rig: Rig) -> None:
    await rig.up(NET % 1, "net")
    assert (await rig.up(READER)).json()["settled"] == 1
    assert await outputs(rig) == {"id": 1, "word": "******"}
    assert (await outputs(rig, reveal=1))["word"] == "hush-hush"
    await rig.up(NET % 2, "net")
    await until(rig, {"id": 2})


async def test_the_plan_knows_what_is_exported(rig: Rig) -> None:
    await rig.up(NET % 1, "net")
    await rig.up(READER)
    assert (await rig.put(READER, query={"dry_run": 1})).json()["changes"] is False
    told = READER.replace("output: id", "output: word")
    plan = (await rig.put(told, query={"dry_run": 1})).json()
    (item,) = [item for item in plan["items"] if item["path"] == "seen"]
    assert {one["field"]: one["after"] for one in item["differences"]} == {
        "output": "word",
        "value": "******",
    }


async def test_down_of_what_is_in_use_is_refused_and_forced(rig: Rig) -> None:
    await rig.up(NET % 1, "net")
    await rig.up(READER)
    refused = await rig.http.delete(f"{STACKS}/net")
    assert (refused.status_code, refused.json()["code"]) == (409, "export-in-use")
    assert "shop" in refused.json()["message"]
    dry = await rig.http.delete(f"{STACKS}/net", params={"dry_run": 1})
    assert (dry.status_code, dry.json()["code"]) == (409, "export-in-use")
    forced = await rig.http.delete(f"{STACKS}/net", params={"dry_run": 1, "force": 1})
    assert forced.json()["counts"] == {"delete": 1}
    gone = await rig.http.delete(f"{STACKS}/net", params={"force": 1, "wait": "gone", "timeout": 20})
    assert gone.json()["phase"] == "gone"
    for _ in range(400):
        seen = await rig.get(f"{SHOP}/resources/seen")
        if seen["why"].startswith("export gone"):
            break
        await asyncio.sleep(0.02)
    assert seen["why"].startswith('export gone: output "id" of stack "net"')
    assert await outputs(rig) == {"id": 1, "word": "******"}
    assert (await rig.get(SHOP))["phase"] == "settled"


async def test_nested_templates_and_groups_read_as_well(rig: Rig) -> None:
    inner = (
        HEAD
        + "parameters: {from: {type: string}}\nresources:\n"
        + "  seen: {type: 'Terrace::StackOutput', properties: {stack: {get_param: from}, output: id}}\n"
        + "outputs: {id: {value: {get_resource: seen}}}\n"
    )
    many = (
        "resources:\n  inner: {type: inner.yaml, properties: {from: net-0}}\n"
        "  all:\n    type: OS::Heat::ResourceGroup\n    properties:\n      count: 2\n      resource_def:\n"
        "        type: Terrace::StackOutput\n        properties: {stack: net-%index%, output: id}\n"
        "outputs:\n  inner: {value: {get_attr: [inner, id]}}\n  all: {value: {get_attr: [all, value]}}\n"
    )
    for number in (0, 1):
        await rig.up(NET % (number + 5), f"net-{number}")
    assert (await rig.up(many, files={"inner.yaml": inner})).json()["settled"] == 1
    assert await outputs(rig) == {"inner": 5, "all": [5, 6]}
    for number in (0, 1):
        refused = await rig.http.delete(f"{STACKS}/net-{number}")
        assert refused.json()["code"] == "export-in-use"
    plan = (await rig.put(many, query={"dry_run": 1}, files={"inner.yaml": inner})).json()
    assert plan["changes"] is False
    await rig.up(NET % 9, "net-1")
    await until(rig, {"all": [5, 9]})
    await rig.up("resources: {}\n")
    for number in (0, 1):
        assert (await rig.http.delete(f"{STACKS}/net-{number}")).status_code == 200


async def test_a_circle_of_stacks_is_refused(rig: Rig) -> None:
    await rig.put(READER)
    answer = await rig.put(READER.replace("stack: net", "stack: shop"), "net")
    assert (answer.status_code, answer.json()["code"]) == (409, "circular-stacks")
    planned = await rig.put(READER.replace("stack: net", "stack: shop"), "net", query={"dry_run": 1})
    assert (planned.status_code, planned.json()["code"]) == (409, "circular-stacks")


async def test_another_projects_outputs_are_not_there(rig: Rig) -> None:
    """Coolify: one team's objects by another's id."""
    other = await rig.http.put(
        "/v1/projects/other/stacks/net",
        params={"wait": "settled", "timeout": 20},
        json={"template": "t.yaml", "files": {"t.yaml": HEAD + NET % 1}},
    )
    assert other.json()["settled"] == 1
    await rig.put(READER)
    await asyncio.sleep(0.2)
    seen = await rig.get(f"{SHOP}/resources/seen")
    assert (seen["state"], seen["why"]) == ("waiting", 'waiting for output "id" of stack "net": not there')


# --- owned stacks


async def test_a_stack_of_its_own_is_made_changed_and_deleted(rig: Rig) -> None:
    answer = await rig.up(PARENT % 3, files={"child.yaml": CHILD})
    assert answer.json()["settled"] == 1, answer.text
    await until(rig, {"size": 3})
    name = (await outputs(rig))["name"]
    child = await rig.get(f"{STACKS}/{name}")
    assert (child["phase"], child["generation"]) == ("settled", 1)
    again = (await rig.put(PARENT % 3, query={"dry_run": 1}, files={"child.yaml": CHILD})).json()
    assert again["changes"] is False
    plan = (await rig.put(PARENT % 4, query={"dry_run": 1}, files={"child.yaml": CHILD})).json()
    assert [(i["path"], i["what"]) for i in plan["items"]] == [("own", "update")]
    assert [d["field"] for i in plan["items"] for d in i["differences"]] == ["parameters"]
    await rig.up(PARENT % 4, files={"child.yaml": CHILD})
    await until(rig, {"size": 4})
    assert (await rig.get(f"{STACKS}/{name}"))["generation"] == 2
    refused = await rig.http.delete(f"{STACKS}/{name}")
    assert refused.json()["code"] == "export-in-use"
    await rig.http.delete(SHOP, params={"wait": "gone", "timeout": 20})
    assert (await rig.get(STACKS))["items"] == []


async def test_a_mistake_in_its_template_is_told(rig: Rig) -> None:
    answer = await rig.up(PARENT % 3, files={"child.yaml": CHILD.replace("::Value", "::Valeu")})
    stack = answer.json()
    assert stack["phase"] == "failing"
    assert 'its template, line 6: there is no type "Terrace::Valeu"' in stack["why"]
    assert [one["name"] for one in (await rig.get(STACKS))["items"]] == ["shop"]


async def test_a_hidden_value_is_only_given_to_what_hides_it(rig: Rig) -> None:
    """Heat: hidden parameters leaked by show."""
    top = "parameters:\n  word: {type: string, hidden: true, default: hush-hush}\n"
    given = top + PARENT.replace("{size: %s}", "{size: 1, word: {get_param: word}}")
    assert (await rig.up(given, files={"child.yaml": CHILD})).json()["settled"] == 1
    name = (await outputs(rig))["name"]
    generation = (await rig.http.get(f"{STACKS}/{name}/generations/1")).text
    assert "hush-hush" not in generation
    open_ = CHILD.replace(", hidden: true", "")
    stack = (await rig.up(given, files={"child.yaml": open_})).json()
    assert stack["phase"] == "failing"
    assert "does not hide it" in stack["why"]


async def test_somebody_elses_stack_is_never_taken_over(rig: Rig) -> None:
    await rig.up(PARENT % 3, files={"child.yaml": CHILD})
    name = (await outputs(rig))["name"]
    uid = name.removeprefix("own-")
    mine = await rig.services.owned.standing("default", name, uid + "00000000")
    assert mine is None
    assert await rig.services.owned.standing("default", "shop", uid) is None
