"""Resources under another path: the same record, and so the same thing, by a new name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from terrace.engine.stack.state import Live, StackState
from terrace.model.graph import Node

MOVED = "moved"
"""The directive at a new path: the path that the resource had before."""


def follow(state: StackState, wanted: Mapping[str, Node], moved: Mapping[str, str], now: float) -> None:
    """Renames what `wanted` has under another path than the records: by what the environment says (`moved`: old path ->
    new path), by what people ordered, and back again where an earlier wish is wanted once more."""
    pairs = [(old, new) for old, new in moved.items()]
    for path, orders in state.directives.items():
        if isinstance(orders.get(MOVED), str):
            pairs.append((orders[MOVED], path))
    pairs += [(live.path, live.named) for live in state.lives.values() if live.named and live.parent is None]
    for old, new in pairs:
        live = state.lives.get(old)
        if new not in wanted or old in wanted or live is None or not _stands(live):
            continue
        taken = state.lives.get(new)
        if taken is not None and (_stands(taken) or taken.children):
            continue
        if taken is not None:
            state.want(taken, None)
            state.forget(taken)
        _rename(state, live, new)
        state.say("resource.moved", now, new, f"it was {old} before")
        state.turn.heeded.append((new, MOVED))


def _stands(live: Live) -> bool:
    return live.current is not None or bool(live.older)


def _rename(state: StackState, top: Live, path: str) -> None:
    """The life at the top of a stack, and all below it."""
    old = top.path
    stack = [top]
    while stack:
        live = stack.pop()
        stack.extend(live.children.values())
        state.want(live, None)
        before, after = live.path, path + live.path[len(old) :]
        for known in (state.lives, state.waiters):
            known.pop(before, None)
        for paths in (state.unsettled, state.failing, state.hooked):
            paths.discard(before)
        state.lives[after] = live
        live.path = after
        live.key = after.rpartition("/")[2]
        live.named = "" if live.named == after else live.named or before
        live.expansion = None
        for record in live.records():
            parent = record.parent and path + record.parent[len(old) :]
            state.put(live, replace(record, path=after, parent=parent, named=live.named))
        state.agenda.touch(after)
