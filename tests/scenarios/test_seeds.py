"""Histories from seeds. A failing one prints its history and the command that replays it.

TERRACE_SEED=17 python -m pytest tests/scenarios -k seed        replays one
TERRACE_SEEDS=1000 python -m pytest tests/scenarios -k seed     runs many
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.scenarios.weather import Pair, wanted_pairs

ROOT = Path(__file__).parents[2]
BATCH = 25
SEEDS = 150
MORE = 100
"""Seeds that are added while a rare pair was not hit: every change of the runtime deals the histories anew."""


def run(first: int, last: int) -> Counter[Pair]:
    """Seeds `first` to `last`, which lie in one batch; the pairs they hit. A seed's batch gives the order of sets."""
    environment = os.environ | {
        "PYTHONHASHSEED": str(first // BATCH),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    command = [sys.executable, "-m", "tests.scenarios", str(first), str(last)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    if "failure" in found:
        replay = f"TERRACE_SEED={found['seed']} python -m pytest tests/scenarios -k seed"
        pytest.fail(f"{found['failure']}\n\nreplay: {replay}", pytrace=False)
    return Counter({(step, fault, point): count for step, fault, point, count in found["hits"]})


def table(hits: Counter[Pair]) -> str:
    """The pairs that were hit, and how often."""
    lines = [
        f"{step:18} {fault:8} {point:7} {hits[step, fault, point]:6}" for step, fault, point in wanted_pairs()
    ]
    return "\n".join(lines)


def test_every_seed_settles_and_every_pair_was_hit() -> None:
    only = os.environ.get("TERRACE_SEED")
    if only:
        run(int(only), int(only))
        return
    hits: Counter[Pair] = Counter()
    asked = int(os.environ.get("TERRACE_SEEDS", SEEDS))
    for first in range(0, asked + MORE, BATCH):
        if first >= asked and not missed(hits):
            break
        hits += run(first, first + BATCH - 1)
    print(table(hits))
    assert not missed(hits), f"never hit: {missed(hits)}"


def missed(hits: Counter[Pair]) -> list[Pair]:
    """The pairs that nothing has hit."""
    return [pair for pair in wanted_pairs() if not hits[pair]]


@pytest.mark.soak
def test_many_more_seeds() -> None:
    for first in range(SEEDS, SEEDS * 14, BATCH):
        run(first, first + BATCH - 1)
