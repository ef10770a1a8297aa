"""Every use case goes through the gate: whoever has no right gets nothing, whatever is asked for."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from terrace.errors import ForbiddenError, UserError
from terrace.model.stack import Source, Stack
from terrace.services.admission import Wish
from terrace.services.gate import Actor, Right, Where, check_path
from tests.unit.api.rig import OWNER, Rig

STRANGER = Actor("eve")
PARTS = (
    "stacks",
    "history",
    "resources",
    "outputs",
    "events",
    "providers",
    "ghosts",
    "images",
    "inside",
    "doctor",
    "orders",
    "looking",
    "adoption",
    "hooks",
    "changing",
    "snapshots",
)
GIVEN: dict[str, Any] = {
    "where": Where("default", "shop"),
    "wish": Wish(Source("t.yaml", {"t.yaml": ""})),
    "project": "default",
    "stack": Stack("id", "default", "shop", 1),
    "timeout": 1.0,
    "number": 1,
    "path": "web",
    "name": "local",
    "provider": "local",
    "provider_id": "x",
    "command": ["sh"],
    "after": None,
    "sealed": "x",
    "old": "web",
    "new": "shop",
    "hook": "pre-create",
    "document": {},
}
INTERNAL = {
    ("stacks", "turn"),
    ("stacks", "save"),
    ("events", "close"),
    ("stacks", "close"),
    ("providers", "driver"),
}
"""Not use cases: what use cases do after they passed."""
OPEN = {("doctor", "unready")}
"""What everybody may ask."""


def _use_cases(rig: Rig) -> list[tuple[str, str, Any]]:
    return [
        (part, name, method)
        for part in PARTS
        for name, method in inspect.getmembers(getattr(rig.services, part), inspect.ismethod)
        if not name.startswith("_") and (part, name) not in INTERNAL | OPEN
    ]


async def test_a_stranger_gets_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    cases = _use_cases(rig)
    assert len(cases) >= 20
    for part, name, method in cases:
        needed = list(inspect.signature(method).parameters.values())
        assert needed[0].name == "actor", f"{part}.{name} does not say who asks"
        values = [GIVEN[one.name] for one in needed[1:] if one.default is one.empty]
        with pytest.raises(ForbiddenError):
            await _outcome(method, values)


async def _outcome(method: Any, values: list[Any]) -> None:
    outcome = method(STRANGER, *values)
    if inspect.isawaitable(outcome):
        await outcome


async def test_what_is_more_than_reading_is_audited(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    gate = rig.services.stacks._on.gate
    for right in Right:
        gate.admit(OWNER, right, "default", "shop")
    assert [line["right"] for line in rig.telemetry.lines] == [one.value for one in Right if one != "read"]
    assert all(line["actor"] == "ann" for line in rig.telemetry.lines)


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "a\x00", "a\nb", "x" * 256, "/".join("a" * 17)])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(UserError):
        check_path(path)


@pytest.mark.parametrize("path", ["web", "group/0", "image:debian-12", "a/b/c", "my server"])
def test_paths_that_can(path: str) -> None:
    check_path(path)
