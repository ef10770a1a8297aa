"""Snapshots of a stack: the copies of its volumes are resources that people want besides the template."""

from __future__ import annotations

from typing import Any

from terrace.engine.stack.state import StackState
from terrace.model.graph import Node

SNAPSHOT = "snapshot/"
"""The beginning of a directive's name, of the whole stack: the rest is the snapshot's, its value says what is in it."""

RESTORE = "restore"
"""The directive at a volume: the provider id of the snapshot whose content it is to have."""

PREFIX = "snapshot:"


def path_of(name: str, volume: str) -> str:
    """The path of the copy of a volume."""
    return f"{PREFIX}{name}:{volume.replace('/', ':')}"


def nodes(state: StackState) -> dict[str, Node]:
    """The copies that are wanted, by path."""
    found = {}
    for what, value in state.directives.get("", {}).items():
        if not what.startswith(SNAPSHOT) or not isinstance(value, dict):
            continue
        name = what.removeprefix(SNAPSHOT)
        for volume, kept in value.get("volumes", {}).items():
            path = path_of(name, volume)
            found[path] = _copy(path, kept)
    return found


def _copy(path: str, kept: Any) -> Node:
    return Node(
        path,
        "VolumeSnapshot",
        {"volume": kept["id"]},
        provider=kept["provider"],
        type_name="Terrace::VolumeSnapshot",
        implied=True,
    )


def pending(state: StackState) -> set[str]:
    """The volumes that are to have an earlier content again, and have it not yet."""
    return {
        path
        for path, orders in state.directives.items()
        if orders.get(RESTORE) and (live := state.lives.get(path)) is not None and live.node is not None
    }


def touch(state: StackState) -> None:
    """Looks again at the volumes that wait for machines to stand still."""
    for path in state.restoring:
        state.agenda.touch(path)
