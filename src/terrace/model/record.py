"""What Terrace remembers of one incarnation of a resource, and its lifecycle."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from terrace.model.graph import Keep
from terrace.model.seen import Seen
from terrace.model.step import Verb


class State(StrEnum):
    """Where a resource stands, in the one word that people see. The lifecycle is TRANSITIONS below."""

    WAITING = "waiting"
    UNDECIDED = "undecided"
    CREATING = "creating"
    UPDATING = "updating"
    HEALING = "healing"
    READY = "ready"
    SUSPENDED = "suspended"
    UNHEALTHY = "unhealthy"
    FAILING = "failing"
    UNKNOWN = "unknown"
    DEPARTING = "departing"
    DELETING = "deleting"
    GONE = "gone"


# What may follow each state. A record of GONE is dropped in the commit that says so.
_FOLLOWING = {
    "waiting": "undecided creating updating ready unhealthy suspended failing unknown departing deleting gone",
    "undecided": "waiting creating updating ready departing gone",
    "creating": "waiting updating healing ready unhealthy suspended failing unknown departing deleting gone",
    "updating": "waiting creating healing ready unhealthy suspended failing unknown departing deleting gone",
    "healing": "waiting creating updating ready unhealthy suspended failing unknown departing deleting gone",
    "ready": "waiting undecided creating updating healing unhealthy suspended failing unknown departing deleting gone",
    "suspended": "waiting creating updating healing ready unhealthy failing unknown departing deleting gone",
    "unhealthy": "waiting creating updating healing ready suspended failing unknown departing deleting gone",
    "failing": "waiting undecided creating updating healing ready suspended unhealthy unknown departing deleting gone",
    "unknown": "waiting creating updating healing ready unhealthy suspended failing departing deleting gone",
    "departing": "waiting ready failing unknown deleting gone",
    "deleting": "waiting departing failing unknown gone",
    "gone": "",
}
TRANSITIONS: dict[State, frozenset[State]] = {
    State(before): frozenset(map(State, after.split())) for before, after in _FOLLOWING.items()
}


class Intent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step that was committed before it was applied, and whose receipt is not in yet. `at` is when (epoch
    seconds); `handle` continues a pending step; `note` is the provider's last word on it; `epoch` that of
    the lease it was made under; `count` that of the restarts asked for by then."""

    verb: Verb
    at: float
    digest: str = ""
    fields: tuple[str, ...] = ()
    handle: str = ""
    note: str = ""
    epoch: int = 0
    count: int = 0


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last failure: what the provider said, whether it said no for good, how often, when it is tried
    again (epoch seconds)."""

    message: str
    code: str = ""
    hint: str = ""
    permanent: bool = False
    attempts: int = 1
    retry_at: float = 0.0


class Tie(msgspec.Struct, frozen=True, gc=False):
    """A resolved edge: this incarnation was applied while referring to that one."""

    uid: str
    incarnation: int
    bound: bool = False


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One incarnation. `incarnation` 0 is a resource that was never applied (it waits). `applied` is the
    spec as last applied (secrets as keyed digests) and `digest` its digest; `ties` its resolved edges;
    `claims` what it holds exclusively. `ready` is the last generation in which it was ready (latched).
    `received` is when the last receipt came: only listings that started later count. `exits` are when a
    machine was last seen to have ended (epoch seconds, newest last). `departing`: nobody wants this
    incarnation; it goes when nothing refers to it. `deleting`: its delete intent was committed, so it is
    never taken back. `incarnations` of a composite keeps the last number used by children that are gone.
    `since` is when `state` was entered; `why` one line. `taints` and `restarts` are how many of those that were
    asked for it has followed; `stopped`: Terrace itself stopped it, because its stack is suspended. `adopted`:
    it was not
    made by us; "external" (external_id: never changed or deleted) or "imported" (ours from then on). `hook` is the one
    that holds it and what of ("pre-create 1"), `post` the one that holds it once it stands; `hooks` those that
    are asked
    about when its node is gone. `named` is the path it was made under, when that is another than `path`;
    `copied`: what it held was copied, since it goes."""

    path: str
    kind: str
    uid: str
    incarnation: int = 0
    parent: str = ""
    provider: str = ""
    region: str = ""
    provider_id: str = ""
    state: State = State.WAITING
    why: str = ""
    since: float = 0.0
    generation: int = 0
    ready: int = 0
    applied: dict[str, Any] | None = None
    digest: str = ""
    ties: tuple[Tie, ...] = ()
    claims: tuple[str, ...] = ()
    keep: Keep = Keep.DELETE
    shared: bool = False
    intent: Intent | None = None
    fault: Fault | None = None
    seen: Seen | None = None
    received: float = 0.0
    exits: tuple[float, ...] = ()
    departing: bool = False
    deleting: bool = False
    memory: dict[str, Any] = {}
    incarnations: dict[str, int] = {}
    type_name: str = ""
    implied: bool = False
    taints: int = 0
    restarts: int = 0
    stopped: bool = False
    adopted: str = ""
    hook: str = ""
    post: str = ""
    hooks: tuple[str, ...] = ()
    named: str = ""
    copied: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What identifies a record within a stack: uid and incarnation."""
        return (self.uid, self.incarnation)
