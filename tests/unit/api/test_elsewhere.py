"""Stacks that resources make in other projects."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from terrace.errors import DocumentError, ForbiddenError, NotFoundError
from terrace.model.graph import Graph, Node
from terrace.model.stack import Source
from terrace.model.value import Call
from terrace.services.admission import Wish
from terrace.services.gate import Actor, Right, Where
from terrace.services.plans.elsewhere import OWNED, vouch
from tests.unit.api.rig import HEAD, OWNER, Rig

CHILD = (
    HEAD
    + """\
resources: {v: {type: 'Terrace::Value', properties: {value: %s}}}
outputs: {v: {value: {get_attr: [v, value]}}}
"""
)
PARENT = """\
resources:
  own: {type: 'Terrace::Stack', properties: {template: child.yaml, project: %s}}
outputs:
  v: {value: {get_attr: [own, outputs, v]}}
  name: {value: {get_attr: [own, name]}}
  where: {value: {get_attr: [own, project]}}
"""


async def up(rig: Rig, project: str, template: str, child: str = CHILD % 1) -> Any:
    files = {"t.yaml": HEAD + template, "child.yaml": child}
    return await rig.http.put(
        f"/v1/projects/{project}/stacks/shop",
        params={"wait": "settled", "timeout": 20},
        content=json.dumps({"template": "t.yaml", "files": files}),
    )


async def outputs(rig: Rig, project: str) -> dict[str, Any]:
    found = await rig.get(f"/v1/projects/{project}/stacks/shop/outputs")
    return {one["name"]: one["value"] for one in found["items"]}


async def names(rig: Rig, project: str) -> list[str]:
    return [one["name"] for one in (await rig.get(f"/v1/projects/{project}/stacks"))["items"]]


async def test_it_is_made_followed_moved_and_deleted_there(rig: Rig) -> None:
    answer = await up(rig, "a", PARENT % "b")
    assert answer.json()["phase"] == "settled", answer.text
    found = await outputs(rig, "a")
    assert (found["v"], found["where"]) == (1, "b")
    assert await names(rig, "b") == [found["name"]]
    assert await names(rig, "a") == ["shop"]

    assert (await up(rig, "a", PARENT % "b", CHILD % 2)).json()["phase"] == "settled"
    while (await outputs(rig, "a"))["v"] != 2:
        await asyncio.sleep(0.02)

    # another project is another stack, and the first one goes
    assert (await up(rig, "a", PARENT % "c", CHILD % 2)).json()["phase"] == "settled"
    found = await outputs(rig, "a")
    assert (found["v"], found["where"]) == (2, "c")
    assert (await names(rig, "b"), await names(rig, "c")) == ([], [found["name"]])

    await rig.http.delete("/v1/projects/a/stacks/shop", params={"wait": "gone", "timeout": 20})
    assert (await names(rig, "a"), await names(rig, "c")) == ([], [])


async def test_its_outputs_are_nobody_elses(rig: Rig) -> None:
    await up(rig, "a", PARENT % "b")
    name = (await outputs(rig, "a"))["name"]
    reader = f"resources: {{r: {{type: 'Terrace::StackOutput', properties: {{stack: {name}, output: v}}}}}}\n"
    await rig.http.put(
        "/v1/projects/a/stacks/reader", content=json.dumps({"template": "t", "files": {"t": HEAD + reader}})
    )
    for _ in range(20):
        await asyncio.sleep(0.02)
        stack = await rig.get("/v1/projects/a/stacks/reader")
        assert stack["phase"] != "settled"


async def test_what_a_resource_owns_makes_nothing_elsewhere(rig: Rig) -> None:
    """Nobody stands behind an owned stack: its template could otherwise reach where its author may not."""
    own = "{type: 'Terrace::Stack', properties: {template: 'heat_template_version: pike', project: c}}"
    inner = f"{HEAD}resources: {{x: {own}}}\n"
    stack = (await up(rig, "a", PARENT % "b", inner)).json()
    assert stack["phase"] == "failing"
    assert "makes no stacks in other projects" in stack["why"]
    assert await names(rig, "c") == []


class Doors:
    """A gate that lets somebody into some projects; of others some may be seen."""

    def __init__(self, *projects: str, seen: str = "") -> None:
        self.projects = projects
        self.seen = seen

    async def admit(self, actor: Actor, right: Right, project: str = "", subject: str = "") -> None:
        if project == self.seen:
            raise ForbiddenError("you may only look")
        if project not in self.projects:
            raise NotFoundError("there is no such project")


def graph(project: Any) -> Graph:
    shape = {"kind": "Stack", "properties": {"project": project}}
    return Graph((Node("one", "Stack", {"project": project}), Node("g", "Group", {"resource_def": shape})))


async def test_who_asks_must_be_one_who_could(rig: Rig) -> None:
    bob = Actor("bob")
    await vouch(Doors("b"), bob, "a", graph("b"))  # type: ignore[arg-type]
    await vouch(Doors(), bob, "a", graph("a"))  # type: ignore[arg-type]
    said = set()
    for gate in (Doors(), Doors("a"), Doors("a", seen="b")):
        with pytest.raises(DocumentError) as raised:
            await vouch(gate, bob, "a", graph("b"))  # type: ignore[arg-type]
        assert [one.code for one in raised.value.problems] == ["no-such-project"] * 2
        said |= {one.message.partition(": ")[2] for one in raised.value.problems}
    assert said == {'there is no project "b" in which you may make stacks'}
    for actor, project in ((bob, Call("input", ("p",))), (Actor(f"{OWNED}uid", owner=True), "b")):
        with pytest.raises(DocumentError):
            await vouch(rig.services.stacks._on.gate, actor, "a", graph(project))
    await vouch(rig.services.stacks._on.gate, OWNER, "a", graph("b"))


async def test_by_their_rights(rig: Rig) -> None:
    rights = frozenset({Right.READ, Right.WRITE})
    wish = Wish(Source("t.yaml", {"t.yaml": HEAD + PARENT % "b", "child.yaml": CHILD % 1}))
    where = Where("a", "shop")
    for mine in ({"a": rights}, {"a": rights, "b": frozenset({Right.READ})}):
        bob = Actor("bob", rights=mine)
        for ask in (rig.services.stacks.plan, rig.services.stacks.apply):
            with pytest.raises(DocumentError, match='no project "b" in which you may make stacks'):
                await ask(bob, where, wish)
    accepted = await rig.services.stacks.apply(Actor("bob", rights={"a": rights, "b": rights}), where, wish)
    assert accepted.created
    while not await names(rig, "b"):
        await asyncio.sleep(0.02)
