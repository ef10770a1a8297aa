"""A group that policies make larger and smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from terrace.errors import SpecError
from terrace.kinds.group import rolling, size
from terrace.kinds.group.group import remembered
from terrace.kinds.group.launch import LAUNCH
from terrace.kinds.group.many import REFS, SIZE, Many, counted, many, read_plain, shape
from terrace.kinds.group.members import SHAPE, members, pack, unpack
from terrace.kinds.schema import Property, Schema, Type
from terrace.model.decision import Effect, Expansion
from terrace.model.graph import Blueprint, Node
from terrace.model.record import Record, State
from terrace.model.value import UNKNOWN, Call, Ref
from terrace.ports.driver import Capabilities
from terrace.ports.kind import Child, Wanted

BROKEN = (State.FAILING, State.UNHEALTHY)


class ScalingSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many there may be, how many the template asks for (None: it does not say), how long there is no other change
    after one, and how members change."""

    minimum: Any = 0
    maximum: Any = 1
    desired: Any = None
    cooldown: float = 0.0
    rolling: dict[str, Any] = {}

    @property
    def bounds(self) -> size.Bounds:
        """How many the template asks for, and allows."""
        return size.Bounds(self.desired, self.minimum, self.maximum)


class ScalingGroup(Many):
    """Members of one shape, as many as the newest of template, person and policy says. Their names are numbers that
    are used once; failed members go first, then the oldest."""

    name = "AutoScalingGroup"
    schema: ClassVar[Schema] = many(
        {
            "min_size": counted("How many there are at least.", required=True),
            "max_size": counted("How many there are at most.", required=True),
            "desired_capacity": counted("How many there should be until somebody says otherwise."),
            "cooldown": Property(
                Type.DURATION,
                "How long policies leave the size alone after it changed.",
                default=0.0,
                changes=Effect.UPDATE,
            ),
            SHAPE: shape(),
            LAUNCH: Property(
                Type.STRING,
                "A LaunchConfiguration of the same template, instead of what each member is.",
                changes=Effect.UPDATE,
            ),
            **rolling.PROPERTIES,
        },
        {
            **REFS,
            "outputs": "An attribute of all members by name.",
            "outputs_list": "The same as a list.",
            **SIZE,
            "instances": "The first addresses of all members, with commas between them.",
        },
        "Members of one shape, as many as the newest of template, `terrace scale` and ScalingPolicies "
        "says, within bounds. Any attribute of its members is one of its own, as a list.",
    )

    def spec(self, values: Mapping[str, Any], node: Node, capabilities: Capabilities) -> ScalingSpec:
        """The typed spec; what the members are is read from the node, since it holds expressions."""
        apart = (SHAPE, LAUNCH)
        table = {name: prop for name, prop in self.schema.properties.items() if name not in apart}
        plain = read_plain(table, {name: one for name, one in values.items() if name not in apart})
        if not isinstance(node.properties.get(SHAPE), dict):
            raise SpecError("is required, or a launch configuration instead", (SHAPE,))
        low, high, wish = plain["min_size"], plain["max_size"], plain.get("desired_capacity")
        if UNKNOWN not in (low, high) and low > high:
            raise SpecError(f"{low} is more than max_size, which is {high}", ("min_size",))
        if isinstance(wish, int) and UNKNOWN not in (low, high) and not low <= wish <= high:
            raise SpecError(f"{wish} does not lie between min_size and max_size", ("desired_capacity",))
        return ScalingSpec(low, high, wish, plain["cooldown"], rolling.policy(plain))

    def expand(
        self,
        wanted: Wanted,
        blueprint: Blueprint | None,
        record: Record,
        children: Mapping[str, Child],
        now: float,
    ) -> Expansion:
        """The members wanted: which those are is remembered with the record."""
        spec: ScalingSpec = wanted.spec
        memory = record.memory
        if UNKNOWN in (spec.minimum, spec.maximum, spec.desired):
            return Expansion(undecided="how many members is not known yet", memory=memory)
        counts = size.current(memory, wanted.directives, record.uid, spec.bounds)
        count = spec.bounds.within(counts.size)
        keys, following = _members(memory, count, children)
        extra = list(memory.get("extra", ()))[: rolling.more(spec.rolling, count, short=wanted.short)]
        if not extra:
            extra = list(range(following, following + rolling.more(spec.rolling, count, short=wanted.short)))
            following += len(extra)
        node = wanted.node
        made = tuple(members(node, [*sorted(keys), *extra]))
        addresses = [Ref(one.path, ("first_address",)) for one in made]
        return Expansion(
            children=made,
            attributes={
                "": node.path,
                "current_size": count,
                "instances": Call("list_join", (",", addresses)),
            },
            rollout=rolling.rollout(spec.rolling, len(made)),
            memory={
                "keys": pack(keys),
                "next": following,
                **({"extra": extra} if extra else {}),
                **remembered(counts),
            },
        )


def _members(memory: Mapping[str, Any], count: int, children: Mapping[str, Child]) -> tuple[set[int], int]:
    """The numbers of the members that there should be, and the number of the next new one."""
    keys = unpack(memory.get("keys", ()))
    following = int(memory.get("next", 0))
    while len(keys) < count:
        keys.add(following)
        following += 1
    leaving = sorted(keys, key=lambda number: (not _broken(children.get(str(number))), number))
    return keys - set(leaving[: len(keys) - count]), following


def _broken(child: Child | None) -> bool:
    return child is not None and child.state in BROKEN
