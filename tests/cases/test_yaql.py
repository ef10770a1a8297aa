"""Runs tests/cases/yaql/*.yaml: an expression, and what it makes of its data or what is wrong with it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from terrace.engine.expression import Fuel
from terrace.engine.functions import FUNCTIONS
from terrace.errors import SpecError

FOLDER = Path(__file__).parent / "yaql"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['ask'][:60]}")
    for file in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def ask(case: dict[str, Any]) -> Any:
    return FUNCTIONS["yaql"]([case["ask"], case.get("data", {})], Fuel(200_000, 2**21))


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The computer's own time zone, of which nothing may be seen."""
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    if "says" in case:
        with pytest.raises(SpecError) as raised:
            ask(case)
        assert case["says"] in str(raised.value)
    else:
        assert ask(case) == case["is"]
