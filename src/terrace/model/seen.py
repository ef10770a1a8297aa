"""What is there: whose it is, what a provider showed of it, and how far that can be believed."""

from __future__ import annotations

from typing import Any

import msgspec


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Ownership as written on the real thing (invariant "Ours only"). `digest` is that of the spec it was
    made from. Names are not in it: stacks get renamed, and many providers cannot change labels."""

    installation: str
    uid: str
    incarnation: int
    digest: str = ""

    @property
    def token(self) -> str:
        """The idempotency key of a create: never contains a lease epoch."""
        return f"{self.uid}-{self.incarnation}"


class Names(msgspec.Struct, frozen=True, gc=False):
    """Names for people, put beside the label: project, stack, path of the resource."""

    project: str = ""
    stack: str = ""
    path: str = ""

    @property
    def short(self) -> str:
        """The last part of the path ("0" of "group/0" becomes "group-0")."""
        return self.path.replace("/", "-")


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One real thing as a provider showed it.

    `kind` is the native kind name; `owner` is None for what is not ours. `state` is the kind's own word
    (a Machine's: created running paused exited dead; others: available). `complete` is False while a
    create has not run all its parts (the thing exists but must be created "again"). `attributes` are what
    templates can refer to. `properties` are those wanted properties that the provider can show, in the
    form of the kind's spec, for drift to be seen; what it cannot show is left out. `created` and
    `finished` are epoch seconds of the provider's clock, 0 when it does not say; `exit_code` is that of a
    machine that ended. `boot` is how far the user data of a machine has got: running, failed or waiting (nothing runs
    it), "" when it is done or there is none; `why` says it in words. `keeps` names
    attributes that the provider shows as they were at first: what is remembered of them holds. `data` marks things that
    hold data (volumes): reported, never reaped.
    """

    kind: str
    provider_id: str
    owner: Owner | None = None
    state: str = "available"
    complete: bool = True
    healthy: bool | None = None
    attributes: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    name: str = ""
    created: float = 0.0
    finished: float = 0.0
    exit_code: int | None = None
    data: bool = False
    why: str = ""
    boot: str = ""
    keeps: tuple[str, ...] = ()


class Ghost(msgspec.Struct, frozen=True):
    """One thing with our label and no record. `since` is when it was first seen so (epoch seconds);
    `kept` says why it is not reaped by itself ("" when it is)."""

    provider: str
    seen: Seen
    since: float
    kept: str = ""


class Present(msgspec.Struct, frozen=True, gc=False):
    """The thing was there, as `seen` says."""

    seen: Seen


class Absent(msgspec.Struct, frozen=True, gc=False):
    """A complete listing that started at `as_of` (epoch seconds) did not hold it."""

    as_of: float


class NotSeen(msgspec.Struct, frozen=True, gc=False):
    """Unknown: the listing failed, was partial, or is older than our last receipt. Nothing is created,
    replaced or declared gone on it."""

    since: float
    why: str


Sighting = Present | Absent | NotSeen


class Observation(msgspec.Struct, frozen=True):
    """One complete bulk listing: ALL things with our installation's label, and each adopted id that exists."""

    items: tuple[Seen, ...]
