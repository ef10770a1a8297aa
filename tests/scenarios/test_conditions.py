"""Scenario 6 of the design: a nested template whose condition hangs on an attribute of a machine not made yet."""

from __future__ import annotations

from terrace.kinds import TYPES
from terrace.languages import compile_source
from terrace.model.graph import Graph
from terrace.model.plan import Planned
from terrace.model.stack import Source
from tests.scenarios.design import IMAGES
from tests.scenarios.harness import Simulation
from tests.scenarios.test_named import ids, machines, tell

OUTER = """
heat_template_version: wallaby
parameters: {image: {type: string}, wanted: {type: string}}
resources:
  m: {type: "Terrace::Machine", properties: {image: {get_param: image}, memory: 64}}
  box: {type: inner.yaml, properties: {id: {get_attr: [m, id]}, wanted: {get_param: wanted}}}
outputs:
  a: {value: {get_attr: [box, a]}}
"""
INNER = """
heat_template_version: wallaby
parameters: {id: {type: string}, wanted: {type: string}}
conditions:
  same: {equals: [{get_param: id}, {get_param: wanted}]}
  other: {not: same}
resources:
  a: {type: "Terrace::Volume", condition: same, properties: {size: 1}}
  b: {type: "Terrace::Volume", condition: other, properties: {size: 1}}
  c:
    type: Terrace::Value
    depends_on: [a, b]
    properties: {value: {if: [same, {get_attr: [a, id]}, {get_attr: [b, id]}]}}
outputs:
  a: {value: {get_resource: a}, condition: same}
"""


def graph(image: str, wanted: str) -> Graph:
    files = {"t.yaml": OUTER, "inner.yaml": INNER}
    source = Source("t.yaml", files, (), {"image": image, "wanted": wanted})
    return compile_source(source, project="p", stack="a", stack_id="i", kinds=TYPES).graph


async def planned(simulation: Simulation, wish: Graph) -> dict[str, Planned]:
    return {item.path: item.what for item in (await simulation.plan("a", wish)).items}


def test_6_a_condition_hangs_on_a_machine_that_is_not_made_yet() -> None:
    async def story(simulation: Simulation) -> None:
        await simulation.start()
        plan = await planned(simulation, graph(IMAGES[0], "nothing"))
        assert plan == {"m": Planned.CREATE, "box": Planned.UNDECIDED}
        await simulation.apply("a", graph(IMAGES[0], "nothing"))
        await simulation.until_settled()
        before = await ids(simulation, "a")
        assert set(before) == {"m", "box", "box/b", "box/c"}
        assert not (await simulation.plan("a", graph(IMAGES[0], "nothing"))).changes

        simulation.loose.add("a:box")  # what is in it comes and goes, because somebody asked for it
        plan = await planned(simulation, graph(IMAGES[0], before["m"]))
        assert (plan["box/a"], plan["box/b"]) == (Planned.CREATE, Planned.DELETE)
        await simulation.apply("a", graph(IMAGES[0], before["m"]))
        await simulation.until_settled()
        flipped = await ids(simulation, "a")
        assert set(flipped) == {"m", "box", "box/a", "box/c"}
        assert flipped["m"] == before["m"]
        assert before["box/b"] not in simulation.world.things

        plan = await planned(simulation, graph(IMAGES[1], before["m"]))
        assert plan["m"] is Planned.REPLACE
        assert plan["box"] is plan["box/a"] is Planned.UNDECIDED
        assert "box/b" not in plan
        await simulation.apply("a", graph(IMAGES[1], before["m"]))
        await simulation.until_settled()
        after = await ids(simulation, "a")
        assert set(after) == {"m", "box", "box/b", "box/c"}
        assert len(machines(simulation)) == 1
        assert flipped["box/a"] not in simulation.world.things

    tell(story)
