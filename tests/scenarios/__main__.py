"""Runs seeds FIRST to LAST and prints what came of it as JSON: `python -m tests.scenarios FIRST LAST`.

A process of its own, since the order of sets follows from PYTHONHASHSEED, which must be set before it starts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from terrace.drivers.sim.loop import run_virtual
from tests.scenarios.history import History
from tests.scenarios.weather import Pair


def replay(seed: int, hits: Counter[Pair]) -> str:
    """Runs one seed; what went wrong, with its history ("" when all went well)."""
    made: list[History] = []

    async def main() -> None:
        made.append(History(seed))
        await made[0].run()

    try:
        run_virtual(main())
    except Exception as error:
        told = "\n".join(made[0].simulation.history) if made else ""
        return f"{told}\n\nseed {seed}: {type(error).__name__}: {error}"
    hits.update(made[0].hits)
    return ""


def main(first: int, last: int) -> None:
    """All of them; stops at the first that fails."""
    hits: Counter[Pair] = Counter()
    for seed in range(first, last + 1):
        failure = replay(seed, hits)
        if failure:
            print(json.dumps({"seed": seed, "failure": failure}))
            return
    print(json.dumps({"hits": [[*pair, count] for pair, count in hits.items()]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
