"""Sizes of groups, whatever people, policies and templates say in which order."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from terrace.kinds import KINDS
from terrace.kinds.group.size import CHANGE, EXACT, PERCENT, Bounds, Size, adjusted
from terrace.model.graph import Node
from terrace.model.record import Record, State
from terrace.model.spec.signal import PolicySpec
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Composite, Wanted

GROUP = cast("Composite", KINDS["AutoScalingGroup"])
SHAPE = {"kind": "Value", "type_name": "Terrace::Value", "properties": {}}
NOWHERE = Capabilities(kinds=frozenset())
NUMBERS = st.integers(0, 12)
TEMPLATES = (
    st.tuples(NUMBERS, NUMBERS)
    .map(sorted)
    .flatmap(
        lambda ends: st.tuples(st.just(ends[0]), st.just(ends[1]), st.none() | st.integers(ends[0], ends[1]))
    )
)
WORDS = st.one_of(
    st.tuples(st.just("template"), TEMPLATES),
    st.tuples(st.just("said"), NUMBERS),
    st.tuples(st.just("broken"), st.sets(NUMBERS, max_size=3)),
    st.tuples(st.just("again"), st.none()),
)


class Story:
    """A group through its life: what its template says, what was said, its memory, and what a person would expect."""

    def __init__(self, template: tuple[int, int, int | None]) -> None:
        self.template = template
        self.memory: dict[str, Any] = {}
        self.said: dict[str, Any] = {}
        self.number = 0
        self.broken: set[int] = set()
        self.keys: set[str] = set()
        self.ever: set[str] = set()
        low, _, wish = template
        self.newest = low if wish is None else wish

    def hear(self, what: str, value: Any) -> None:
        """One word."""
        match what:
            case "template":
                if value[2] is not None and value[2] != self.template[2]:
                    self.newest = value[2]
                self.template = value
            case "said":
                self.number += 1
                self.newest = value
                size = Size(value, "ann", number=self.number, template=self.template[2], uid="u")
                self.said = {"size": to_builtins(size)}
            case "broken":
                self.broken = value
        self.expand()

    def expand(self) -> None:
        """The group as it is then, with everything that must hold of it."""
        low, high, wish = self.template
        properties = {"min_size": low, "max_size": high, "resource_def": SHAPE}
        properties |= {} if wish is None else {"desired_capacity": wish}
        node = Node(path="g", kind="AutoScalingGroup", properties=properties)
        wanted = Wanted(node, GROUP.spec(properties, node, NOWHERE), {}, directives=self.said)
        record = Record(path="g", kind="AutoScalingGroup", uid="u", memory=self.memory)
        children = {
            key: Child(key, State.FAILING if int(key) in self.broken else State.READY, True, 1.0)
            for key in self.keys
        }
        found = GROUP.expand(wanted, None, record, children, 1.0)
        keys = {child.path.rpartition("/")[2] for child in found.children}
        assert low <= len(keys) <= high
        assert len(keys) == max(low, min(high, self.newest))
        assert not (keys - self.keys) & self.ever, "a name is used once"
        left = self.keys - keys
        if left and any(int(key) in self.broken for key in keys & self.keys):
            assert all(int(key) in self.broken for key in left), "failed members go first"
        self.memory, self.keys, self.ever = found.memory, keys, self.ever | keys
        again = GROUP.expand(wanted, None, record, children, 2.0)
        assert again == found


@given(TEMPLATES, st.lists(WORDS, max_size=12))
def test_the_newest_wins_within_bounds_and_names_are_used_once(
    template: tuple[int, int, int | None], words: list[tuple[str, Any]]
) -> None:
    story = Story(template)
    story.expand()
    for what, value in words:
        story.hear(what, value)


@given(
    st.sampled_from([CHANGE, EXACT, PERCENT]),
    st.integers(-300, 300),
    st.integers(0, 5),
    NUMBERS,
    st.tuples(NUMBERS, NUMBERS).map(sorted),
)
def test_a_policy_never_leaves_the_bounds_and_goes_where_it_says(
    kind: str, adjustment: int, least: int, size: int, ends: list[int]
) -> None:
    bounds = Bounds(None, ends[0], ends[1])
    before = bounds.within(size)
    after = adjusted(PolicySpec("g", adjustment, kind, least), before, bounds)
    assert ends[0] <= after <= ends[1]
    if kind != EXACT:
        assert (after - before) * adjustment >= 0
