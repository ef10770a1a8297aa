"""Every use case goes through the gate: whoever has no right gets nothing, whatever is asked for."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from terrace.errors import ForbiddenError, NotFoundError, UserError
from terrace.model.stack import Source, Stack
from terrace.services.admission import Wish
from terrace.services.gate import Actor, Right, Where, check_path
from terrace.services.people.projects import Seat
from terrace.services.people.tokens import TokenWish
from terrace.services.people.users import UserChange
from tests.unit.api.rig import OWNER, Rig, running

STRANGER = Actor("eve", rights={"other": frozenset(Right)})
"""Who may do everything, in another project."""
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
    "signals",
    "sizes",
    "audit",
    "secrets",
    "keys",
    "engines",
    "quotas",
    "flavors",
)
PEOPLE = ("users", "groups", "projects", "tokens", "keys")
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
    "body": b"{}",
    "size": 2,
    "value": "x",
    "change": UserChange(),
    "user": "ada",
    "title": "The shop",
    "kind": "user",
    "seat": Seat("admin"),
    "reach": [],
    "wish_token": TokenWish("ci", "default", "admin", service=True),
    "identity": "x",
    "text": "ssh-ed25519 AAAA",
    "new_password": "x",
    "master": "x",
    "texts": {"machines": "2"},
    "names": ["m1.small"],
}
INTERNAL = {
    ("stacks", "turn"),
    ("stacks", "save"),
    ("events", "close"),
    ("stacks", "close"),
    ("providers", "driver"),
    ("providers", "known"),
    ("keys", "tend"),
    ("sizes", "knocked"),
}
"""Not use cases: what use cases do after they passed."""
OPEN = {("signals", "receive"), ("signals", "call"), ("doctor", "unready")}
"""Whoever has the token of a door is let in by that; and whether the server is ready everybody may ask."""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with running(tmp_path) as found:
        yield found


def _use_cases(rig: Rig) -> list[tuple[str, str, Any]]:
    places = [(part, getattr(rig.services, part)) for part in PARTS]
    places += [(part, getattr(rig.services.people, part)) for part in PEOPLE]
    return [
        (part, name, method)
        for part, place in places
        for name, method in inspect.getmembers(place, inspect.ismethod)
        if not name.startswith("_") and (part, name) not in INTERNAL | OPEN
    ]


def test_every_part_is_looked_at(tmp_path: Path) -> None:
    found = {name for name, value in vars(Rig(tmp_path).services).items() if hasattr(value, "__dict__")}
    rest = {"settings", "telemetry", "people", "owned", "installation", "started", "alarms"}
    assert found - rest <= set(PARTS), "a new part of Services joins PARTS"


async def test_a_stranger_gets_nothing(rig: Rig) -> None:
    cases = _use_cases(rig)
    assert len(cases) >= 60
    await rig.up("resources: {v: {type: 'Terrace::Value', properties: {value: 1}}}\n")
    for part, name, method in cases:
        needed = list(inspect.signature(method).parameters.values())
        assert needed[0].name == "actor", f"{part}.{name} does not say who asks"
        values = [
            GIVEN["wish_token" if (part, one.name) == ("tokens", "wish") else one.name]
            for one in needed[1:]
            if one.default is one.empty
        ]
        if (part, name) == ("users", "set_password"):
            values = ["x", "y"]
        with pytest.raises((ForbiddenError, NotFoundError)) as refused:
            await method(STRANGER, *values)
        assert "terrace status" not in refused.value.hint, f"{part}.{name} looked before it asked"


async def test_what_is_more_than_reading_is_audited(rig: Rig) -> None:
    gate = rig.services.stacks._on.gate
    for right in Right:
        await gate.admit(OWNER, right, "default", "shop")
    quiet = {"read", "catalogue", "inspect"}
    assert [line["right"] for line in rig.telemetry.lines] == [
        one.value for one in Right if one.value not in quiet
    ]
    assert all(line["actor"] == "ann" for line in rig.telemetry.lines)
    rows = await rig.services.audit.listing(OWNER)
    assert [row.entry.right for row in rows] == [line["right"] for line in rig.telemetry.lines]


async def test_what_is_refused_is_audited(rig: Rig) -> None:
    with pytest.raises(NotFoundError):
        await rig.services.stacks.listing(STRANGER, "default")
    (row,) = await rig.services.audit.listing(OWNER)
    assert (row.entry.actor, row.entry.right, row.entry.project, row.entry.outcome) == (
        "eve",
        "read",
        "default",
        "denied",
    )


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "a\x00", "a\nb", "x" * 256, "/".join("a" * 17)])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(UserError):
        check_path(path)


@pytest.mark.parametrize("path", ["web", "group/0", "image:debian-12", "a/b/c", "my server"])
def test_paths_that_can(path: str) -> None:
    check_path(path)
