"""Which sizes a machine may have, by the flavors that its project may use and by how it stands."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from terrace.engine.stack import sizes
from terrace.engine.stack.state import Live, Rules, StackState
from terrace.engine.stack.want import want
from terrace.engine.turn.moves import Moves
from terrace.errors import SpecError
from terrace.kinds import KINDS
from terrace.model.catalogue import FLAVORS, Catalogue, Flavor, Offer
from terrace.model.graph import Node
from terrace.model.record import Record, State
from terrace.model.stack import Stack
from terrace.model.value import UNKNOWN
from terrace.ports.driver import Capabilities

LARGE = {"flavor": "m1.large", "cpu": 4, "memory": 8192, "disk": 81920, "pids": 4096}
TINY = Offer({}, ("m1.tiny",), 1)


@pytest.fixture
def state() -> StackState:
    able = Capabilities(kinds=frozenset({"Machine"}), catalogue=Catalogue(FLAVORS))
    rules = Rules(KINDS, {"local": able, "builtin": Capabilities(frozenset({"Flavor"}))}, lambda data: "")
    return StackState(Stack("s", "p", "s", 0), rules, lambda: "u", "home")


def machine(state: StackState, applied: dict[str, Any] | None = None) -> Live:
    if applied is not None:
        state.restore([Record("m", "Machine", "u", 1, provider="local", state=State.READY, applied=applied)])
    live = state.live("m")
    state.want(live, Node("m", "Machine", {"image": "one"}))
    return live


def memory(state: StackState, live: Live, **properties: Any) -> Any:
    return want(state, live, {"image": "one", **properties}).spec.memory


@pytest.mark.parametrize(
    "properties",
    [
        {"flavor": "m1.tiny"},
        {"flavor": "m1.tiny", "memory": 256},
        {"cpu": 1, "memory": 512, "disk": 1024},
        {"cpu": 0.5, "memory": 64, "disk": 1, "pids": 9999},
        {"flavor": UNKNOWN},
        {"memory": UNKNOWN, "cpu": 64},
    ],
)
def test_what_is_let_in(state: StackState, properties: dict[str, Any]) -> None:
    live = machine(state)
    state.offer = TINY
    assert memory(state, live, **properties) is not None


@pytest.mark.parametrize(
    "properties",
    [
        {"flavor": "m1.small"},
        {"flavor": "m1.tiny", "memory": 513},
        {"cpu": 1, "memory": 512},
        {"cpu": 2, "memory": 64, "disk": 1},
        {},
    ],
)
def test_what_is_not(state: StackState, properties: dict[str, Any]) -> None:
    live = machine(state)
    state.offer = TINY
    with pytest.raises(SpecError) as refused:
        memory(state, live, **properties)
    assert refused.value.code == "flavor-not-allowed"
    assert "terrace flavor list --project p" in refused.value.hint
    state.offer = Offer({}, None, 2)
    assert memory(state, live, **properties) >= 0


def test_a_flavor_without_a_limit_holds_everything(state: StackState) -> None:
    live = machine(state)
    state.offer = Offer({"any": Flavor(cpu=2)}, ("any",), 1)
    assert memory(state, live, cpu=2) == 0
    with pytest.raises(SpecError, match="cpu 3"):
        memory(state, live, cpu=3)


@pytest.mark.parametrize(
    ("allowed", "nearest"),
    [
        (("m1.tiny", "m1.small"), "m1.small"),
        (("m1.tiny", "m1.xlarge", "m1.large"), "m1.large"),
        (("m1.tiny", "any"), "any"),
        (("m1.xlarge", "any"), "m1.xlarge"),
    ],
)
def test_the_nearest_is_the_smallest_that_holds_as_much_or_the_largest(
    state: StackState, allowed: tuple[str, ...], nearest: str
) -> None:
    live = machine(state)
    state.offer = Offer({"any": Flavor()}, allowed, 1)
    with pytest.raises(SpecError) as refused:
        memory(state, live, flavor="m1.medium")
    assert refused.value.hint.startswith(f'the nearest that it may use is "{nearest}" (')


def test_nothing_at_all_may_be_allowed(state: StackState) -> None:
    live = machine(state)
    state.offer = Offer({}, (), 1)
    with pytest.raises(SpecError, match="asks for flavor"):
        memory(state, live, flavor="m1.tiny")


def test_what_stands_goes_on_just_so(state: StackState) -> None:
    live = machine(state, LARGE)
    state.offer = TINY
    assert memory(state, live, flavor="m1.large") == 8192
    state.offer = Offer({"m1.large": Flavor(1, 64)}, ("m1.tiny",), 2)
    assert memory(state, live, flavor="m1.large") == 8192, "it follows only what it may use"
    for other in ({"flavor": "m1.large", "memory": 9000}, {"flavor": "m1.xlarge"}):
        with pytest.raises(SpecError):
            memory(state, live, **other)
    state.offer = Offer({}, ("gone",), 3)
    with pytest.raises(SpecError):
        memory(state, live, flavor="gone")


def test_also_while_nothing_of_it_is_there(state: StackState) -> None:
    """Between what is deleted first and what comes in its place."""
    live = machine(state, LARGE)
    state.offer = TINY
    assert live.current is not None
    going = replace(live.current, departing=True)
    state.put(live, going)
    fresh = Moves(state).blank(live, 1.0)
    state.drop(live, going)
    assert live.records() == [fresh]
    assert memory(state, live, flavor="m1.large") == 8192
    again = Moves(state).blank(live, 2.0)
    assert again.memory == fresh.memory == {"stood": LARGE}
    state.put(live, replace(fresh, applied={"flavor": "m1.tiny", "cpu": 1, "memory": 512, "disk": 1024}))
    with pytest.raises(SpecError):
        memory(state, live, flavor="m1.large")


def test_who_has_a_size_is_worked_out_anew_only_when_something_was_said(state: StackState) -> None:
    live = machine(state)
    live.stale = False
    state.agenda.take()
    sizes.offered(state, Offer())
    assert not live.stale
    sizes.offered(state, TINY)
    assert live.stale
    assert list(state.agenda.take()) == ["m"]
