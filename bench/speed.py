"""From typing `terrace up` to settled and committed, and plans of what is settled, beside Terraform."""

from __future__ import annotations

from bench import shapes, terraform
from bench.row import Row, compared
from bench.server import Server, running

RUNS = 5


def ups(server: Server, shape: str, needs: shapes.Needs, runs: int = RUNS) -> list[float]:
    """Seconds of so many ups, each of a new stack."""
    template = server.write(f"{shape}.yaml", shapes.values(needs))
    return [server.up(template, f"{shape}-{run}", needs) for run in range(runs)]


def applied(text: str) -> list[float] | None:
    """Seconds of Terraform's apply, once; None where there is no Terraform."""
    if not terraform.found():
        return None
    with terraform.project(text) as project:
        return [project.apply()]


def planned(server: Server, shape: str, stack: str) -> list[float]:
    """Seconds of plans of what is as it should be."""
    return [server.run("plan", f"{shape}.yaml", "-s", stack) for _ in range(RUNS)]


def _flat(count: int, limit: float | None, plan_limit: float | None) -> list[Row]:
    with running() as server:
        ours = ups(server, "flat", shapes.flat(count))
        plans = planned(server, "flat", "flat-0")
    applies, empties = None, None
    if terraform.found():
        with terraform.project(terraform.count(count)) as project:
            applies, empties = [project.apply()], [project.empty_plan()]
    goal, plan_goal = (f"at most 1/{1 / bound:.0f}" if bound else "" for bound in (limit, plan_limit))
    return [
        compared(f"flat-{count}", ours, applies, terraform.NAME, limit, goal),
        compared(f"plan-{count}", plans, empties, terraform.NAME, plan_limit, plan_goal),
    ]


def flat() -> list[Row]:
    """1,000 resources that need nothing, and an empty plan of them."""
    return _flat(1000, 1 / 12, None)


def flat_5000() -> list[Row]:
    """5,000 resources that need nothing, and an empty plan of them."""
    return _flat(5000, 1 / 60, 1 / 10)


def layered() -> list[Row]:
    """1,000 resources in ten layers, beside Terraform; 1,000 in a chain, beside our own layers."""
    needs = shapes.layered(1000)
    with running() as server:
        ours = ups(server, "layered", needs)
        chained = ups(server, "chain", shapes.chain(1000))
    peer = applied(terraform.blocks(needs))
    return [
        compared("layered-1000", ours, peer, terraform.NAME, 1 / 60, "at most 1/60"),
        compared("chain-1000", chained, ours, "own layered", 3, "at most 3 times"),
    ]
