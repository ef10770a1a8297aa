"""Which of two members goes first, where a history once had each wait for the other."""

from __future__ import annotations

from terrace.engine.stack.state import Live, Rules, StackState
from terrace.engine.turn.rollout import holds_back
from terrace.kinds import KINDS
from terrace.model.decision import Expansion, Rollout
from terrace.model.graph import Keep, Node
from terrace.model.record import Intent, Record, State
from terrace.model.stack import Stack
from terrace.model.step import Verb


def pair() -> tuple[StackState, Live, Live]:
    """A group of two, one at a time: the first is down, the second was about to change when its engine died."""
    state = StackState(Stack("s", "p", "s", 1), Rules(KINDS, {}, lambda data: ""), lambda: "u", "home")
    group = Live("g", "g", "uid", None)
    group.expansion = Expansion(rollout=Rollout(batch=1, unavailable=1))
    for path, doing in (("g/0", State.HEALING), ("g/1", State.UPDATING)):
        live = group.children[path] = Live(path, path, path, group)
        live.node = Node(path, "Machine")
        live.current = Record(path, "Machine", path, 1, state=doing, ready=1)
        state.lives[path] = live
    first, second = group.children.values()
    assert second.current is not None
    second.current = Record(
        "g/1", "Machine", "g/1", 1, State.UPDATING, ready=1, intent=Intent(Verb.UPDATE, 1.0)
    )
    return state, first, second


def test_one_that_is_down_does_not_wait_for_one_that_waits_for_it() -> None:
    state, down, about_to = pair()
    assert "g/0" in holds_back(state, about_to, 2.0)
    assert holds_back(state, down, 2.0) == ""


def test_it_waits_for_one_that_is_changing_at_the_moment() -> None:
    state, down, changing = pair()
    state.doing["g/1", 1] = ({}, "", (), Keep.DELETE)
    assert holds_back(state, down, 2.0) == "waiting for its turn: g/1 goes first"
    changing.current = None
    assert holds_back(state, down, 2.0) == ""
