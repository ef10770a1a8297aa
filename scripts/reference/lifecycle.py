"""lifecycle.md: states, phases, and what a plan can say."""

from __future__ import annotations

from scripts.reference.text import code, page, table, words


def lifecycle() -> str:
    """States of a resource, phases of a stack, and what a plan can say."""
    from terrace.model.plan import Planned
    from terrace.model.record import TRANSITIONS, State
    from terrace.model.stack import Phase

    text = words("states")
    picture = ["```mermaid", "stateDiagram-v2", "    [*] --> waiting"]
    for road, why in text["roads"].items():
        before, after = (State(name) for name in road.split(" -> "))
        if after not in TRANSITIONS[before]:
            raise SystemExit(f"states.toml: {road} is no transition")
        picture.append(f"    {before} --> {after}: {why}")
    picture += ["    gone --> [*]", "```"]
    states = list(State)
    rows = [[code(one), *("x" if other in TRANSITIONS[one] else "" for other in states)] for one in states]
    return page(
        "Lifecycle",
        "## A resource",
        "The usual roads. What a state means is below, and every road there is in the table after it.",
        "\n".join(picture),
        table(["State", "What it means"], [[code(one), text["states"][one]] for one in states]),
        "From the state at the left to the state above:",
        table(["", *map(code, states)], rows),
        "## A stack",
        table(["Phase", "What it means"], [[code(one), text["phases"][one]] for one in Phase]),
        "## A plan",
        table(["Item", "What it means"], [[code(one), text["planned"][one]] for one in Planned]),
        'An item that is not certain says "may": it hangs on a value that is not known before the change is made.',
    )
