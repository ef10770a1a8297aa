"""What a kind wants next: a closed union; the runtime does one match on it. Each carries its reason in
words."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.graph import Node
from terrace.model.step import Verb


class Effect(StrEnum):
    """How a difference can be mended."""

    NONE = "none"
    UPDATE = "update"
    REPLACE = "replace"


class Difference(msgspec.Struct, frozen=True):
    """One property that differs. `forces` when it is this one that makes a replacement necessary; `certain`
    is False when a value is not known yet. `drift` when the world changed and not the wish."""

    field: str
    before: Any
    after: Any
    forces: bool = False
    certain: bool = True
    drift: bool = False


class Change(msgspec.Struct, frozen=True):
    """What separates wanted from applied and seen. `certain` is False when it hangs on unknown values."""

    effect: Effect = Effect.NONE
    differences: tuple[Difference, ...] = ()
    certain: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the properties that differ."""
        return tuple(d.field for d in self.differences)


NO_CHANGE = Change()


class Act(msgspec.Struct, frozen=True):
    """A step is needed now. For UPDATE and REPLACE `change` says what differs."""

    verb: Verb
    reason: str
    change: Change = NO_CHANGE


class Wait(msgspec.Struct, frozen=True):
    """Nothing can be done until something outside happens; look again at `until` (epoch seconds; 0: when it
    changes). `stuck`: nothing that is under way will bring it about."""

    reason: str
    until: float = 0.0
    stuck: bool = False


class Settled(msgspec.Struct, frozen=True):
    """What is there is what is wanted. `ready`: dependents may start. `look_again` (epoch seconds, 0 never).
    `suspended`: it stands still because its stack does.
    `lacking` says what of the wish has not come about inside of it, such as user data that no guest ran: dependents
    go on, but the stack does not count as settled. `stuck`: nothing that is under way will bring that about."""

    reason: str = ""
    ready: bool = True
    healthy: bool = True
    look_again: float = 0.0
    suspended: bool = False
    lacking: str = ""
    stuck: bool = False


class Refuse(msgspec.Struct, frozen=True):
    """It cannot be as wanted, and trying does not help; counts as a permanent error."""

    reason: str
    hint: str = ""


Decision = Act | Wait | Settled | Refuse


class Rollout(msgspec.Struct, frozen=True):
    """How a composite's children may change. `batch`: how many change at once (0: all); `unavailable`: how
    many may be away from ready at once (None: any); `hold`: seconds a changed child must stay healthy
    before the next batch. `making` and `pause` are the same as batch and hold, for children that are new."""

    batch: int = 0
    unavailable: int | None = None
    hold: float = 0.0
    making: int = 0
    pause: float = 0.0


class Expansion(msgspec.Struct, frozen=True):
    """What a composite consists of. `children` carry full paths and expressions with full paths.
    `attributes` are expressions over the children (a Ref to the composite reads them). `undecided` says
    why children are not known yet ("" when they are): then nothing below is created or deleted, and in a plan
    `children` are those that there are to be for sure, `doubtful` those that there may be. `memory`
    is kept with the composite's record (4 KiB at most)."""

    children: tuple[Node, ...] = ()
    attributes: dict[str, Any] = {}
    rollout: Rollout = Rollout()
    memory: dict[str, Any] = {}
    undecided: str = ""
    look_again: float = 0.0
    doubtful: tuple[Node, ...] = ()


class Claim(msgspec.Struct, frozen=True, gc=False, order=True):
    """An exclusive hold: `what` is name, address, port or volume; `scope` where it is exclusive (a provider,
    a network); `value` which one."""

    what: str
    scope: str
    value: str

    def __str__(self) -> str:
        return f"{self.what}:{self.scope}:{self.value}"
