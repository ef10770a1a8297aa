"""What the templates of a project may refer to on a provider that they did not make. The one place where that is
decided: when a template is admitted, and again before each step.

Whose a thing is follows from what the store knows of its uid; names in labels are for people. What belongs to another
project and is not shared with this one is not there, in the very words that are used of what is nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol

from terrace.engine.stack.state import StackState
from terrace.engine.turn.adopt import ADOPTED, EXTERNAL
from terrace.errors import TransientError
from terrace.model.record import Record
from terrace.model.seen import Seen
from terrace.model.stack import Stack
from terrace.model.step import Step, Verb
from terrace.ports.driver import Driver
from terrace.ports.store import Ruling
from terrace.runtime.outside.named import ADDRESS, named

OWNERS_PROJECT = "default"
"""The project of whoever runs this installation."""
SHARED_WITH = "shared_with"
CHECKED = frozenset({Verb.CREATE, Verb.UPDATE})
ALSO = {"Volume": ("Volume", "VolumeSnapshot"), "Subnet": ("Subnet", "Network")}
"""What may stand where something of a kind is named, if not only that."""
IDS = frozenset({"network_id", "volume_id", "subnets", "security_groups"})
"""Attributes that hold ids of things which were checked when they were first named."""
OWN_PORT = {"LoadBalancer": frozenset({"port"})}
"""By kind, attributes with ids of what a thing was given with it: a load balancer stands at a port of its own."""
ADDRESSES = frozenset({"ip", "first_address", "networks", "addresses", "fixed_ips"})
LEADING = frozenset({"FloatingIP", "FloatingIPAssociation"})
"""Kinds that lead to an address, or to a place on a network (a port)."""
STANDING = frozenset({"Machine", "Port"})
"""Kinds whose addresses a provider gives."""
_TOKEN = re.compile(r"(?:[a-z0-9]+:)?(?P<uid>[A-Za-z0-9]+)-\d+(?:@.*)?")


class Memory(Protocol):
    """What is asked of ports.Store."""

    async def holders(self, uids: Sequence[str]) -> list[tuple[str, Record]]:
        """As there."""

    async def rulings(self, provider: str) -> list[Ruling]:
        """As there."""

    async def stack(self, stack: str) -> Stack | None:
        """As there."""


class Reach:
    """Answers for one installation. `existing` are, by provider, names or patterns of what may be referred to of all
    that nobody here made; a provider that is not in it leaves everything to the owner's project, and nothing to
    others."""

    def __init__(
        self, store: Memory, drivers: Mapping[str, Driver], existing: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._store = store
        self._drivers = drivers
        self._existing = existing
        self.installation = ""

    async def check(self, provider: str, step: Step, own: frozenset[str]) -> None:
        """TransientError when a step names what its project may not refer to: it may come, or be shared yet. `own` is
        what the stack is known to hold of what it refers to."""
        if step.verb not in CHECKED:
            return
        for kind, selector, _ in named(step.kind, step.spec):
            # A network that was another's to lend may have been taken back since it was first named.
            lent = kind == "Network" and step.verb is Verb.UPDATE and "networks" in step.fields
            if (lent or selector not in own) and not await self.allows(
                provider, step.names.project, kind, selector
            ):
                raise TransientError(
                    missing(kind, selector, provider), code="not-within-reach", hint=hint_of(kind)
                )

    async def allows(self, provider: str, project: str, kind: str, selector: str) -> bool:
        """Whether templates of `project` may name that thing; False also when there is none. ProviderError when the
        provider cannot say now."""
        if kind == ADDRESS:
            return False
        if (found := _TOKEN.fullmatch(selector)) is not None:
            # The whole of it must be an id that was given: what stands behind the uid says what is meant.
            for stack_id, record in await self._store.holders([found["uid"]]):
                stack = await self._store.stack(stack_id)
                if record.provider_id == selector and stack is not None:
                    return _gives(stack, record, project)
        for one in ALSO.get(kind, (kind,)):
            seen = await self._drivers[provider].lookup(one, selector)
            if seen is not None:
                return await self.permits(provider, project, seen)
        return False

    async def permits(self, provider: str, project: str, seen: Seen) -> bool:
        """Whether templates of `project` may refer to a thing that is there."""
        holder = await self._holder(provider, seen)
        if holder is not None:
            return _gives(*holder, project)
        patterns = self._existing.get(provider)
        if patterns is None:
            return project == OWNERS_PROJECT
        return any(fnmatchcase(name, one) for one in patterns for name in (seen.name, seen.provider_id))

    async def _holder(self, provider: str, seen: Seen) -> tuple[Stack, Record] | None:
        """The stack that a thing belongs to, and its record there; None when it is nobody's here."""
        for ruling in await self._store.rulings(provider):
            if ruling.provider_id == seen.provider_id:
                # What was given up is still that of a stack that may want it back.
                holder = await self._of_uid(ruling.uid)
                if holder is not None or ruling.what == ADOPTED:
                    return holder
                stack = await self._store.stack(ruling.stack)
                return None if stack is None else (stack, Record(ruling.path, ruling.kind, ruling.uid))
        if seen.owner is None or seen.owner.installation != self.installation:
            return None
        return await self._of_uid(seen.owner.uid)

    async def _of_uid(self, uid: str) -> tuple[Stack, Record] | None:
        held = await self._store.holders([uid])
        if not held:
            return None
        stack_id, record = max(held, key=lambda one: one[1].incarnation)
        stack = await self._store.stack(stack_id)
        return None if stack is None or record.adopted == EXTERNAL else (stack, record)


def _gives(stack: Stack, record: Record, project: str) -> bool:
    shared = (record.applied or {}).get(SHARED_WITH) or ()
    if record.intent is not None and SHARED_WITH in record.intent.fields:
        shared = ()  # it is changing at this moment: who comes back too early would stay
    return stack.project == project or project in shared


def missing(kind: str, selector: str, provider: str) -> str:
    """What is said of a thing that is not there, or not for this project."""
    if kind == ADDRESS:
        return f"{selector[:60]!r} is not known to be the address of a machine or a port of this stack"
    return f"there is no {kind} {selector[:100]!r} on {provider!r} that this project may refer to"


def hint_of(kind: str) -> str:
    """What to do about that."""
    if kind == ADDRESS:
        return "name the port or the machine that it is the address of, with get_resource or get_attr"
    return (
        "refer to one of the template with get_resource; another project's must be shared_with this one, and what "
        "nobody here made must be among `existing` in the provider's settings"
    )


def held_by(state: StackState, step: Step) -> frozenset[str]:
    """What a stack is known to hold of what a step of it refers to."""
    key = (step.owner.uid, step.owner.incarnation)
    doing, own = state.doing.get(key), state.record(key)
    ties = doing[2] if doing else own[1].ties if own else ()
    found = (state.record((tie.uid, tie.incarnation)) for tie in ties)
    held = known_by(one[1] for one in found if one is not None)
    if step.kind in LEADING:  # an address may come through groups and nested templates
        standing = (one for live in state.lives.values() for one in live.records())
        held |= addresses_of(standing)
    return held


def known_by(records: Iterable[Record]) -> frozenset[str]:
    """The ids by which a stack knows what it refers to, as far as providers gave them: nothing that a template's author
    could have made up."""
    found: set[str] = set()
    for record in records:
        if record.provider_id:
            found.add(record.provider_id)
        _texts(_attributes(record, IDS | OWN_PORT.get(record.kind, frozenset())), found)
    return frozenset(found)


def addresses_of(records: Iterable[Record]) -> frozenset[str]:
    """The addresses that machines and ports among `records` were given."""
    found: set[str] = set()
    for record in records:
        if record.kind in STANDING:
            _texts(_attributes(record, ADDRESSES), found)
    return frozenset(found)


def _attributes(record: Record, names: frozenset[str]) -> dict[str, Any]:
    attributes = record.seen.attributes if record.seen is not None else {}
    return {name: value for name, value in attributes.items() if name in names}


def _texts(value: Any, into: set[str]) -> None:
    if isinstance(value, str):
        into.add(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            _texts(item, into)
    elif isinstance(value, list | tuple):
        for item in value:
            _texts(item, into)
