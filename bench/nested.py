"""A group of nested templates: what many of them cost to plan, beside few."""

from __future__ import annotations

import statistics

from bench import shapes
from bench.row import Row, compared
from bench.server import running
from bench.speed import RUNS

INSIDE = 5
FEW, MANY = 200, 1000


def _template(count: int) -> str:
    member = {"type": "box.yaml", "properties": {"name": "n%index%"}}
    group = {"type": "OS::Heat::ResourceGroup", "properties": {"count": count, "resource_def": member}}
    return shapes.document({"boxes": group})


def _box() -> str:
    """A template of five resources in a chain, with a parameter."""
    lines = ["heat_template_version: 2021-04-16", "parameters:", "  name: {type: string}", "resources:"]
    for number in range(INSIDE):
        value = f"{{get_attr: [r{number - 1}, value]}}" if number else "{get_param: name}"
        lines.append(f"  r{number}: {{type: 'OS::Heat::Value', properties: {{value: {value}}}}}")
    return "\n".join([*lines, f"outputs: {{value: {{value: {{get_attr: [r{INSIDE - 1}, value]}}}}}}", ""])


def nested() -> list[Row]:
    """Seconds of planning and making a ResourceGroup of 1,000 nested templates of 5 resources, beside 200."""
    plans: dict[int, list[float]] = {FEW: [], MANY: []}
    ups: dict[int, list[float]] = {FEW: [], MANY: []}
    with running() as server:
        server.write("box.yaml", _box())
        for count in (FEW, MANY):
            server.write(f"boxes-{count}.yaml", _template(count))
        for run in range(RUNS):
            for count in (FEW, MANY):
                file = f"boxes-{count}.yaml"
                plans[count].append(server.run("plan", file, "-s", "planned", accept=(2,)))
                ups[count].append(server.run("up", file, "-s", f"boxes-{count}-{run}", "--yes"))
    beside, limit = f"own {FEW}", MANY / FEW * 1.2
    goal = f"at most {limit:g} times"
    return [
        Row("nested-plan", statistics.median(plans[MANY]), limit=5, goal="below 5 s", runs=plans[MANY]),
        compared("nested-plan-growth", plans[MANY], plans[FEW], beside, limit, goal),
        compared("nested-up-growth", ups[MANY], ups[FEW], beside, limit, goal),
    ]
