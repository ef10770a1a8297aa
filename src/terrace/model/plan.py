"""What would change and why: `decide` run with unknown values standing for what is not known yet."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from terrace.model.decision import Difference
from terrace.model.problem import Problem
from terrace.model.spec.quota import Amounts


class Planned(StrEnum):
    """What would be done to one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    HEAL = "heal"
    ADOPT = "adopt"
    NOTHING = "nothing"
    UNDECIDED = "undecided"
    REFUSED = "refused"


class Verdict(StrEnum):
    """What a provider makes of something that a template says."""

    MAPS = "maps to"
    IGNORED = "ignored because"
    REFUSED = "refused because"


class Note(msgspec.Struct, frozen=True, gc=False):
    """What becomes of `what` (a property as the template names it, "" for the resource as a whole) on this
    provider: `verdict`, and in words what it maps to or why."""

    verdict: Verdict
    what: str
    words: str


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One resource in a plan. `certain` False: "may". `differences` for update and replace (which property
    forces it); `reason` in words. `notes` say what the provider makes of it where that is not just what it
    says. `loses` names the data that a deletion destroys ("" for none)."""

    path: str
    kind: str
    what: Planned
    reason: str = ""
    certain: bool = True
    differences: tuple[Difference, ...] = ()
    delete_first: bool = False
    implied: bool = False
    hint: str = ""
    notes: tuple[Note, ...] = ()
    loses: str = ""


class Plan(msgspec.Struct, frozen=True):
    """All resources of a stack, in the order in which they would be worked on. `generation` is what it was
    made against. `takes` is what each path would take of a quota, `endless` which resources it would take without a
    bound. `flavors` are the names of those that are used, `barred` what the project may not have of them: a Problem
    by path."""

    stack: str
    generation: int
    items: tuple[Item, ...] = ()
    takes: dict[str, Amounts] = {}
    endless: dict[str, tuple[str, ...]] = {}
    flavors: tuple[str, ...] = ()
    barred: dict[str, Problem] = {}

    @property
    def changes(self) -> bool:
        """Whether anything at all would (or may) be done."""
        return any(item.what is not Planned.NOTHING for item in self.items)

    @property
    def refused(self) -> tuple[Item, ...]:
        """What cannot be as wanted."""
        return tuple(item for item in self.items if item.what is Planned.REFUSED)
